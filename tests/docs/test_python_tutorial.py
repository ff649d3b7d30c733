"""The Python tutorial's blocks run, one after another, as a reader would type them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maskgan_cli.files import read_image, read_note
from tests.docs.commands import ROOT


def test_the_blocks_run(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("images", "masks"):
        (tmp_path / "data" / "faces" / kind).mkdir(parents=True)
        for name, path in zip(("2.png", "12.png"), sorted((prepared / kind).iterdir())[:2], strict=True):
            (tmp_path / "data" / "faces" / kind / name).symlink_to(path)
            if kind == "images":
                (tmp_path / ("photo.png" if name == "2.png" else "other.png")).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "tutorials" / "python.md").read_text(), re.DOTALL)
    assert len(blocks) == 6
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), names)
    assert read_image("result.png").shape == (256, 256, 3)  # the bundled generator's
    assert read_note("result.png") == {"edit": "mine"}
    shapes, sequence, parameters = capsys.readouterr().out.splitlines()
    assert shapes.endswith("['mouth', 'u_lip', 'l_lip']")
    assert sequence.startswith("4 (")
    assert int(parameters) > 10_000
