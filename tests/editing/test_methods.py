"""A method from outside the package works with lists, resuming, records, overview sheets and masks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.editing import methods
from maskgan_cli.editing.dmn_method import Renderer
from maskgan_cli.editing.methods import METHODS, Entry, Request
from maskgan_cli.files import read_image, read_label_map
from maskgan_cli.labels import PALETTE
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.weights.format import save_weights
from tests.conftest import Command


class Crayon:
    """Paints masks in the palette's colours."""

    size = 32

    def __init__(self, weights: Path, device: str) -> None:
        self.note = {"method": "crayon", "weights": weights.name}
        self.painted = 0

    def paint(self, requests: Sequence[Request]) -> np.ndarray:
        return np.stack([PALETTE[r.labels[::2, ::2]] for r in requests])


@pytest.fixture
def crayon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "crayon", Entry("Crayon", "dmn", f"{__name__}:Crayon"))


def test_another_method_edits_lists_resumes_and_writes_records(
    crayon: None, weights: Path, prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    images = [prepared / "images" / f"{i * 400}.png" for i in range(4)]
    (tmp_path / "pairs.csv").write_text("".join(f"{a},{b}\n" for a, b in itertools.pairwise(images)))
    call = (
        "swap",
        "--method",
        "crayon",
        "-w",
        weights / "model.safetensors",
        "--parts",
        "nose",
        "--pairs",
        tmp_path / "pairs.csv",
        "-o",
        tmp_path / "out",
        "--save-masks",
    )
    done = maskgan(*call, "--sheet", tmp_path / "sheet.png")
    assert done.code == 0, done.err
    first = Path(done.lines[0])
    with Image.open(first) as image:
        note = json.loads(image.info["maskgan"])
    assert (note["method"], note["weights"]) == ("crayon", "model.safetensors")
    assert set(map(tuple, read_image(first).reshape(-1, 3))) <= set(map(tuple, PALETTE))
    assert read_image(tmp_path / "sheet.png").shape == (3 * 128, 4 * 128, 3)
    written, time = first.read_bytes(), Path(done.lines[2]).stat().st_mtime_ns
    first.unlink()
    second = maskgan(*call)
    assert second.lines == done.lines[:-1]
    assert first.read_bytes() == written
    assert Path(done.lines[2]).stat().st_mtime_ns == time, "existing results are kept"
    other = maskgan(*(x if x != "crayon" else "dmn" for x in call), "--device", "cpu")
    assert (other.code, "--overwrite" in other.err) == (2, True), "results of another method are not kept"


def test_the_error_for_an_unknown_method_names_the_known_ones(tmp_path: Path, maskgan: Command) -> None:
    outcome = maskgan("swap", "a.png", "b.png", "--method", "oil", "-o", tmp_path / "o.png")
    assert (outcome.code, "--method: expected one of dmn, pix2pixhd-m, spade, sean, found oil" in outcome.err) == (
        2,
        True,
    ), outcome.err
    assert methods.method_named("dmn").kind == "dmn"


def test_a_style_picture_is_fitted_only_for_skip_connections(
    tmp_path: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, picture = read_label_map(prepared / "masks" / "0.png"), read_image(prepared / "images" / "0.png")
    wanted = np.roll(labels, 3, 1)
    for skips in (False, True):
        config = DMNConfig(image_size=64, width=4, downs=3, blocks=1, style_width=2, style_map=4, skips=skips)
        path = tmp_path / f"{skips}.safetensors"
        save_weights(path, DenseMappingNetwork(config), kind="dmn", config=asdict(config), about={})
        renderer, seen = Renderer(path, "cpu"), list[np.ndarray]()
        monkeypatch.setattr(renderer.painter, "paint", lambda *arrays, into=seen: into.extend(arrays))
        for fit in (False, True):
            renderer.paint([Request(wanted, labels, picture, fit_style=fit)])
        _, given, _, _, fitted, photo = seen
        assert np.array_equal(given[0], labels)
        assert np.array_equal(fitted, given) != skips and np.array_equal(photo[0], picture) != skips
        if skips:
            assert (fitted[0] != wanted).mean() < 0.5 * (labels != wanted).mean(), "its mask is nearer to the new one"
