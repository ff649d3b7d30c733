"""Methods side by side: the tiles of the picture and of the page, messages, errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.data.prepared import Sample
from maskgan_cli.evaluation.pair_list import as_csv, rows_of
from maskgan_cli.evaluation.pairs import Pair
from maskgan_cli.files import read_csv, read_image, write_image, write_label_map
from maskgan_cli.labels import PALETTE
from tests.conftest import Command

SIZE, GAP = 32, 4
COLOURS = {"source": 10, "target": 60, "ours": 110, "a<b": 160}  # grey levels, plus the pair's number


def _flat(path: Path, shade: int) -> Path:
    return write_image(path, np.full((16, 16, 3), shade, np.uint8))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Three pairs and two methods; the input mask has the class 3 + the pair's number."""
    pairs = []
    for i in range(3):
        source, target = (
            Sample(f"{role}{i}", "test", _flat(tmp_path / f"{role}{i}.png", COLOURS[role] + i), None, {})
            for role in ("source", "target")
        )
        pairs.append(Pair(source, target, 1.25, {"Smiling": 1 if i else -1}))
    rows = rows_of(pairs, "smiling", split="test", seed=7, poses="manifest")
    (tmp_path / "pairs.csv").write_text(as_csv(rows) + "\n")
    for method in ("ours", "a<b"):
        for i, row in enumerate(rows):
            result = _flat(tmp_path / method / row["output"], COLOURS[method] + i)
            if method == "ours":
                write_label_map(result.with_name(f"{result.stem}.mask.png"), np.full((16, 16), 3 + i, np.uint8))
    return tmp_path


def _call(work: Path, *more: object) -> tuple[object, ...]:
    named = ("--method", f"ours={work / 'ours'}", "--method", f"a<b={work / 'a<b'}")
    return ("compare", "--pairs", work / "pairs.csv", *named, "-o", work / "out", "--size", SIZE, *more)


def test_every_tile_matches_its_caption(work: Path, maskgan: Command) -> None:
    outcome = maskgan(*_call(work, "-n", 2, "--json"))
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert document["columns"] == ["source", "target", "mask", "ours", "a<b"]
    assert document["written"] == [str(work / "out" / "comparison.png"), str(work / "out" / "index.html")]
    picture = read_image(work / "out" / "comparison.png")
    head = len(picture) - (2 * (SIZE + GAP) + GAP)
    assert picture.shape[1] == 5 * (SIZE + GAP) + GAP
    assert (picture[:head] < 128).any(), "captions are written"
    page = (work / "out" / "index.html").read_text()
    shown = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', page)
    assert [alt for _, alt in shown] == ["source", "target", "mask", "ours", "a&lt;b"] * 2
    for i in range(2):
        for j, column in enumerate(document["columns"]):
            expected = PALETTE[3 + i] if column == "mask" else np.full(3, COLOURS[column] + i)
            y, x = head + GAP + i * (SIZE + GAP), GAP + j * (SIZE + GAP)
            tile = picture[y : y + SIZE, x : x + SIZE]
            assert (tile == expected).all(), (i, column)
            assert (read_image(work / "out" / shown[5 * i + j][0]) == expected).all()
    assert "<b" not in page.replace("<body", "")
    assert "no Smiling" in page
    assert "1.2° apart" in page
    assert "seed 7" in page


def test_the_mask_is_shown_if_only_the_second_method_has_masks(work: Path, maskgan: Command) -> None:
    for path in (work / "ours").glob("*.mask.png"):
        path.rename(work / "a<b" / path.name)
    outcome = maskgan(*_call(work, "-n", 1, "--json"))
    assert json.loads(outcome.out)["columns"] == ["source", "target", "mask", "ours", "a<b"]
    mask = read_image(work / "out" / "images" / "0000-02.png")
    assert (mask == PALETTE[3]).all()


def test_masks_and_ground_truth_have_columns_only_if_they_exist(work: Path, maskgan: Command) -> None:
    for path in (work / "ours").glob("*.mask.png"):
        path.unlink()
    text = (work / "pairs.csv").read_text().splitlines()
    truth = _flat(work / "truth.png", 200)
    (work / "pairs.csv").write_text("\n".join([f"{text[0]},truth", *(f"{line},{truth}" for line in text[1:])]) + "\n")
    outcome = maskgan(*_call(work, "--json"))
    assert json.loads(outcome.out)["columns"] == ["source", "target", "ours", "a<b", "truth"]
    assert "the list has only 3 pairs, not 8" in outcome.err


def test_a_second_comparison_keeps_the_files_and_says_so(work: Path, maskgan: Command) -> None:
    first = maskgan(*_call(work))
    files = {path: path.stat().st_mtime_ns for path in (work / "out").rglob("*.*")}
    second = maskgan(*_call(work))
    assert (second.code, second.out, "kept" in first.err) == (0, first.out, False)
    assert "kept the existing comparison of the same results" in second.err
    assert {path: path.stat().st_mtime_ns for path in (work / "out").rglob("*.*")} == files
    (work / "out" / "index.html").unlink()  # an incomplete comparison is completed
    assert "kept" not in maskgan(*_call(work)).err
    assert set((work / "out").rglob("*.*")) == set(files)
    write_image(work / "ours" / read_csv(work / "pairs.csv")[0]["output"], np.zeros((16, 16, 3), np.uint8))
    other = maskgan(*_call(work))
    assert other.code == 2 and "comparison.png: found a result that exists already" in other.err


def test_other_pictures_in_the_folder_raise_an_error(work: Path, maskgan: Command) -> None:
    (work / "out" / "images").mkdir(parents=True)
    outcome = maskgan(*_call(work))
    assert outcome.code == 2 and "images: found a result that exists already" in outcome.err


def test_errors_are_clear_and_replace_nothing(work: Path, maskgan: Command) -> None:
    assert maskgan(*_call(work)).code == 0
    before = (work / "out" / "comparison.png").read_bytes()
    for line, arguments in {
        "comparison.png: found a result that exists already; add --overwrite": ("-n", "1"),
        "--method: expected NAME=FOLDER, found ours": ("--method", "ours"),
        "--method: expected a different name for each method, found ours twice": ("--method", f"ours={work}"),
        "none: expected a folder of results, found no such folder": ("--method", f"none={work / 'none'}"),
        "expected the mask that": ("--masks", work / "none"),
    }.items():
        outcome = maskgan(*_call(work, *arguments))
        assert (outcome.code, outcome.out) == (2, "")
        assert line in outcome.err
    listed = (work / "pairs.csv").read_text().replace("1.2500", "far")
    (work / "far.csv").write_text(listed)
    far = [str(word).replace("pairs.csv", "far.csv") for word in _call(work)]
    outcome = maskgan(*far, "--overwrite")
    assert (outcome.code, "far.csv: expected a number as distance, found 'far'" in outcome.err) == (2, True)
    assert (work / "out" / "comparison.png").read_bytes() == before
    assert maskgan(*_call(work, "--overwrite", "-n", 1)).code == 0
