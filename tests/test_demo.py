"""Tests of the demo at the smallest scale: page, commands and selected faces."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.demo.cast import PEOPLE, find_cast
from maskgan_cli.demo.commands import Command
from maskgan_cli.demo.truth_comparison import against_truth
from maskgan_cli.files import read_csv, read_image, read_json, sha256, write_image, write_label_map
from maskgan_cli.labels import CLASSES
from maskgan_cli.pages import render
from maskgan_cli.synth.sampling import sample_identity, sample_scene
from tests.conftest import Command as Run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "demo"
    assert run(app, ["demo", "--smallest", "-o", str(out), "--device", "cpu", "--workers", "1", "-q"]) == 0
    return out


def _commands(page: str) -> list[str]:
    """All commands, one per line, from the last but one section of the page."""
    blocks = re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)
    (whole,) = [block for block in blocks if "python -c" in block]
    return html.unescape(whole).splitlines()


def test_page_is_one_file_with_embedded_pictures(demo: Path) -> None:
    page = (demo / "index.html").read_text()
    sources = re.findall(r'<img[^>]* src="([^"]+)"', page)
    assert len(sources) > 20
    for source in sources:
        kind, data = re.fullmatch(r"data:image/(\w+);base64,(.+)", source).groups()  # type: ignore[union-attr]
        assert kind in ("jpeg", "png", "gif")
        assert len(base64.b64decode(data, validate=True)) > 100
    assert not re.search(r'(href|src)="(?!data:)', page), "the page must not load external files"
    assert all(f"· {name}<" in page for name in CLASSES)


def test_numbers_agree_with_the_files(demo: Path) -> None:
    numbers = read_json(demo / "metrics.json")
    assert numbers["weights"] == {
        "dmn": sha256(demo / "dmn/model.safetensors"),
        "vae": sha256(demo / "vae/model.safetensors"),
        "parser": read_json(demo / "read.json")["weights"]["parser"]["sha256"],
    }
    floor, _, pasted = numbers["against_the_truth"].values()
    assert pasted["psnr_outside"] > 20, "pixels outside the edit must not change"
    assert floor["ssim_outside"] > floor["ssim_inside"], "the ground truth must differ from the source at the mouth"
    assert 0 < numbers["read_as_asked"] < 1


def test_pairs_are_distinct(demo: Path) -> None:
    rows = read_csv(demo / "pairs.csv")
    assert len({row["source"] for row in rows}) == len(rows) == 2


def test_edits_have_the_size_of_the_photo_and_change_only_the_face(demo: Path) -> None:
    photo = read_image(demo / "photo/astronaut.png")
    for name in ("mouth", "brows", "glasses"):
        edited = read_image(demo / f"{name}.png")
        same = (edited == photo).all(-1)
        assert edited.shape == photo.shape == (512, 512, 3)
        assert 0.01 < (~same).mean() < 0.9
        assert {"mouth": same[:60], "brows": same[:1], "glasses": same[-20:]}[name].all(), "far from the edit"
    whole, before = read_image(demo / "edited.png"), read_image(demo / "astronaut.png")
    assert 0.001 < (whole != before).any(-1).mean() < 0.1


def test_documentation_pictures_are_listed_with_hashes(demo: Path) -> None:
    about = read_json(demo / "pictures/pictures.json")
    assert about["weights"] == read_json(demo / "metrics.json")["weights"]
    assert about["pictures"] == {p.name: sha256(p) for p in (demo / "pictures").glob("*.jpg")}
    with Image.open(demo / "pictures/photo.jpg") as picture:
        assert picture.size == (4 * 256 + 3 * 8, 256)


def test_photo_equals_the_output_of_the_first_command(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(shlex.split(_commands((demo / "index.html").read_text())[0])[2])
    assert Path("astronaut.png").read_bytes() == (demo / "astronaut.png").read_bytes()


@pytest.mark.slow
def test_commands_on_the_page_reproduce_the_same_bytes(
    demo: Path, tmp_path: Path, maskgan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, *lines = _commands((demo / "index.html").read_text())
    exec(shlex.split(first)[2])
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "maskgan"
        assert maskgan(*words).code == 0, line
    for name in ("mouth.png", "brows.png", "glasses.png", "style.png", "edited.png", "between/animation.gif"):
        assert (tmp_path / name).read_bytes() == (demo / name).read_bytes(), name
    for folder in ("bare", "seamless"):
        made = {p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()}
        assert made == {p.name: p.read_bytes() for p in (demo / folder).iterdir()}


def test_selected_faces_differ_in_the_mouth_and_have_no_sunglasses() -> None:
    cast = find_cast(213, 64, 5)
    scenes = [sample_scene(cast.seed, i, sample_identity(cast.seed, i)) for i in range(PEOPLE)]
    assert len({source for source, _ in cast.pairs}) == 5
    for a, b in ((scenes[i], scenes[j]) for i, j in cast.pairs):
        assert (a.smiling, a.mouth_open) != (b.smiling, b.mouth_open)
        assert not any(s.glasses is not None and s.glasses.dark for s in (a, b))
    assert scenes[cast.mouth].mouth_open
    assert find_cast(cast.seed, 64, 5) == cast


def test_command_runs_as_shown_with_paths_in_its_folder(tmp_path: Path) -> None:
    typed: list[list[str]] = []

    def perform(words: list[str]) -> str:
        typed.append(words)
        return '{"n": 1}'

    command = Command(("swap", Path("a b.png"), "-n", "2"), ("--overwrite",), done=Path("there"))
    assert str(command) == "maskgan swap 'a b.png' -n 2"
    assert command.run(tmp_path, perform) == {"n": 1}  # type: ignore[arg-type]
    assert typed == [["swap", str(tmp_path / "a b.png"), "-n", "2", "--overwrite", "--quiet", "--json"]]
    (tmp_path / "there").touch()
    assert command.run(tmp_path, perform) == {}  # type: ignore[arg-type]
    assert len(typed) == 1


def test_against_the_truth_has_known_values(tmp_path: Path) -> None:
    truth = np.full((64, 64, 3), 100, np.uint8)
    before, after = np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint8)
    after[16:48, 16:48] = 1
    result = truth.copy()
    result[16:48, 16:48] += 51  # an error of a fifth of the range is 14 dB
    row = {
        "truth": str(write_image(tmp_path / "t.png", truth)),
        "truth_mask": str(write_label_map(tmp_path / "a.png", after)),
        "source_mask": str(write_label_map(tmp_path / "b.png", before)),
    }
    table = against_truth([row], {"ours": [write_image(tmp_path / "r.png", result)]})
    assert table["ours"]["psnr_inside"] == pytest.approx(20 * np.log10(5), abs=1e-3)
    assert table["ours"]["psnr_outside"] == np.inf


def test_page_escapes_its_content() -> None:
    nothing = dict.fromkeys(("photo", "photo_mask", "animation", "strip"), "")
    numbers = {
        "seconds": 1,
        "size": 64,
        "pairs": 1,
        "against_the_truth": {},
        "read_as_asked": 0.5,
        "weights": {},
        "cores": 1,
    }
    text = render(
        "demo.html",
        **nothing,
        edits=[],
        faces=[],
        colours=[],
        whole=["", ""],
        trained=True,
        numbers=numbers,
        commands="<script> x & 'y'",
    )
    assert "<script>" not in text
    assert "&lt;script&gt; x &amp; " in text


def test_folder_with_other_files_is_rejected_unchanged(tmp_path: Path, maskgan: Run) -> None:
    (tmp_path / "index.html").write_text("mine")
    outcome = maskgan("demo", "-o", tmp_path)
    assert outcome.code == 2
    assert "found other files in it" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_json_output_has_the_path_of_the_page(demo: Path, maskgan: Run) -> None:
    again = maskgan("demo", "--smallest", "-o", demo, "--device", "cpu", "--workers", 1, "--json", "-q")
    assert again.code == 0, again.err
    assert json.loads(again.out)["written"] == [str(demo / "index.html")]
