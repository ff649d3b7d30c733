"""The tutorials' commands, one after another as a reader types them, at their smallest."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.files import write_image
from maskgan_cli.synth import face
from tests.docs.commands import ROOT, shown
from tests.docs.smallest import small

DOCS = ROOT / "docs"
FOLLOWED = ("tutorials/celebamask.md", "tutorials/portraits.md")
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the tutorials take for granted: photos and a download."""
    for number, name in enumerate(("photo", "other")):
        write_image(tmp_path / "photos" / f"{name}.jpg", face(seed=3, number=number, size=256).picture)
    (tmp_path / "CelebAMask-HQ").symlink_to(raw)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_page_can_be_followed(page: str, folder: Path) -> None:
    for line in shown(DOCS / page):
        if line.words[:2] != ["weights", "pull"]:
            words = small(line.words)
            assert run(app, words) == 0, f"{line}\nrun as: maskgan {' '.join(words)}"
            if "-o" in words:
                assert Path(words[words.index("-o") + 1]).exists(), line


def test_what_made_a_result_is_shown(folder: Path) -> None:
    (folder / "results").mkdir()
    for name in ("result.png", "results/a.png", "results/b.png"):
        write_image(folder / name, face(seed=0, number=1, size=64).picture, note={"edit": "swap"})
    lines = list(shown(DOCS / "responsible-use.md"))
    assert [line.words[0] for line in lines] == ["inspect", "inspect"]
    for line in lines:
        words = [name for word in line.words for name in sorted(map(str, Path().glob(word))) or [word]]
        assert run(app, words) == 0, line
