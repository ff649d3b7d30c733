"""The tutorials' commands, one after another as a reader types them, at their smallest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from skimage.data import astronaut

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.files import write_image, write_label_map
from maskgan_cli.labels import ID
from maskgan_cli.synth import face
from maskgan_cli.weights.lookup import bundled
from tests.docs.commands import ROOT, shown
from tests.docs.smallest import small

DOCS = ROOT / "docs"
FOLLOWED = ("../README.md", "index.md", "tutorials/photo.md", "tutorials/celebamask.md", "tutorials/portraits.md")
NAMED = ("faq.md", "tour.md")  # names in capitals stand for files
NOT_RUN = {("weights", "pull"): "a download", ("edit", "photo.png"): "serves until Ctrl-C"}
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(raw: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the tutorials take for granted: two photos, a download, trained networks."""
    for number, name in enumerate(("photo", "other")):
        picture = face(seed=3, number=number, size=256).picture
        write_image(tmp_path / f"{name}.jpg", picture)
        write_image(tmp_path / f"{name}.png", picture)
        write_image(tmp_path / "photos" / f"{name}.jpg", picture)
    write_image(tmp_path / "astronaut.png", astronaut())
    (tmp_path / "CelebAMask-HQ").symlink_to(raw)
    (tmp_path / "runs" / "parser").mkdir(parents=True)
    found = bundled("parser")
    assert found is not None
    shutil.copy(found, tmp_path / "runs" / "parser" / "model.safetensors")
    shutil.copytree(weights, tmp_path / "runs" / "dmn")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_page_can_be_followed(page: str, folder: Path) -> None:
    if page == "tutorials/celebamask.md":  # it trains its own
        shutil.rmtree(folder / "runs")
    for line in shown(DOCS / page):
        if tuple(line.words[:2]) not in NOT_RUN:
            words = small(line.words)
            assert run(app, words) == 0, f"{line}\nrun as: maskgan {' '.join(words)}"
            if "-o" in words:
                assert Path(words[words.index("-o") + 1]).exists(), line


PLACES = {
    "FACE": "src.png",
    "REFERENCE": "tgt.png",
    "MASK": "tgt.mask.png",
    "FIRST": "src.mask.png",
    "SECOND": "tgt.mask.png",
    "RUN": "runs/dmn",
    "DATA": "data/faces",
    "Eyeglasses=2": "Smiling=2",  # drawn faces wear none
}
ELSEWHERE = {"INCEPTION.pth": "weights that are a download", "fid.json": "what is made with them"}


@pytest.mark.parametrize("page", NAMED)
def test_the_page_s_commands_run(page: str, folder: Path, prepared: Path) -> None:
    """Names in capitals stand for files; what one command writes, a later one that reads it finds."""
    drawn = (face(seed=3, number=number, size=128) for number in range(99))
    haired = (one for one in drawn if (one.labels == ID["hair"]).any())
    for name, one in zip(("src", "tgt"), haired, strict=False):
        write_image(folder / f"{name}.png", one.picture)
        write_label_map(folder / f"{name}.mask.png", one.labels)
    for name in ("me.jpg", "friend.jpg"):
        shutil.copy(folder / "photo.jpg", folder / name)
    (folder / "pairs.csv").write_text("source,target\nsrc.png,tgt.png\n")
    if page == "tour.md":  # it makes its own
        shutil.rmtree(folder / "runs")
        (folder / "pairs.csv").unlink()
    else:
        (folder / "data").mkdir()
        (folder / "data" / "faces").symlink_to(prepared)
    for line in shown(DOCS / page):
        if any(word in ELSEWHERE for word in line.words):
            continue
        words = small([PLACES.get(word, word) for word in line.words])
        words = ["pairs.csv" if word == "-" else word for word in words]
        if words[:2] == ["eval", "pairs"]:
            words += ["--split", "train", "-n", "2"]
        if page != "tour.md" and "-o" in words:  # several lines of a page show one result
            out = Path(words[words.index("-o") + 1])
            shutil.rmtree(out) if out.is_dir() and words[0] != "paste" else out.unlink(missing_ok=True)
        assert run(app, words) == 0, f"{line}\nrun as: maskgan {' '.join(words)}"


def test_what_made_a_result_is_shown(folder: Path) -> None:
    (folder / "results").mkdir()
    for name in ("result.png", "results/a.png", "results/b.png"):
        write_image(folder / name, face(seed=0, number=1, size=64).picture, note={"edit": "swap"})
    lines = list(shown(DOCS / "responsible-use.md"))
    assert [line.words[0] for line in lines] == ["inspect", "inspect"]
    for line in lines:
        words = [name for word in line.words for name in sorted(map(str, Path().glob(word))) or [word]]
        assert run(app, words) == 0, line
