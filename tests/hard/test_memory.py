"""Memory does not grow with the number of pictures."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.hard.conftest import Figures
from tests.hard.stages import Stage, Started
from tests.hard.stock import SIDE, Stock

pytestmark = pytest.mark.hard

PICTURES = int(os.environ.get("HARD_PICTURES", "8000"))
_MAY_GROW = 48 << 20  # bytes, from a tenth of the work to its end


def _pairs(stock: Stock, at: Path) -> list[object]:
    header, *rows = (stock.root / "pairs.csv").read_text().splitlines()
    listed = [row.replace(f"{i % 3}.png,1.5", f"{i}.png,1.5") for i, row in enumerate(rows * (PICTURES // 3 + 1))]
    (at.parent / "pairs.csv").write_text("\n".join([header, *listed[:PICTURES]]) + "\n")
    return [
        "swap",
        "--pairs",
        at.parent / "pairs.csv",
        "-o",
        at / "out",
        "--parts",
        "mouth",
        "--as-is",
        "--weights",
        stock.dmn,
        "--device",
        "cpu",
        "-q",
    ]


def _many(stock: Stock, at: Path) -> list[object]:
    folder = at.parent / "many"
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for i in range(PICTURES):
            shutil.copy(stock.plain / kind / f"{i % 3}.png", folder / kind / f"{i}.png")
    return ["prep-data", folder, at / "data", "--size", SIDE, "--workers", 1, "-q"]


@pytest.mark.parametrize(("name", "pattern"), [("swap, a list", "out/*.png"), ("prep-data", "data/masks/*.png")])
def test_memory_is_flat(name: str, pattern: str, stock: Stock, tmp_path: Path, figures: Figures) -> None:
    words = (_pairs if name.startswith("swap") else _many)(stock, tmp_path / "work")
    started = Started(Stage(name, lambda _: words), tmp_path / "work")
    early = most = 0
    while started.process.is_alive():
        status = Path(f"/proc/{started.pid}/status")
        try:
            found = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0")
        except (FileNotFoundError, ProcessLookupError):
            break
        most = max(most, int(found.split()[1]) << 10)
        if not early and len(list((tmp_path / "work").glob(pattern))) >= PICTURES // 10:
            early = most
        time.sleep(0.2)
    run = started.wait()
    assert run.code == 0, run.said
    assert len(list((tmp_path / "work").glob(pattern))) == PICTURES
    figures(what="memory over many pictures", of=name, pictures=PICTURES, early=early, most=most)
    assert 0 < early <= most < early + _MAY_GROW
