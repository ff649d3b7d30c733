"""Tests of common variants: merged masks, folders of archives, other picture formats, tables of spreadsheets."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.cli.batch import pictures
from maskgan_cli.data.prepare import merge_parts
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.editing.faces.face import read_pairs
from maskgan_cli.files import read_csv, write_image, write_label_map
from tests.conftest import Command

PREPARE = ("--size", 64, "--workers", 1)


def test_merged_masks_alone_give_the_same_data_set_with_the_official_split(
    raw: Path, tmp_path: Path, maskgan: Command
) -> None:
    merged = tmp_path / "merged"
    shutil.copytree(raw, merged)
    parts: dict[int, dict[str, Path]] = {}
    for path in (merged / "CelebAMask-HQ-mask-anno").rglob("*.png"):
        index, _, name = path.stem.partition("_")
        parts.setdefault(int(index), {})[name] = path
    for number, files in parts.items():
        write_label_map(merged / "CelebAMask-HQ-mask" / f"{number}.png", merge_parts(files))
    shutil.rmtree(merged / "CelebAMask-HQ-mask-anno")
    assert maskgan("prep-data", raw, tmp_path / "a", *PREPARE).code == 0
    done = maskgan("prep-data", merged, tmp_path / "b", *PREPARE)
    assert done.code == 0, done.err
    ours, theirs = (PreparedData.load(tmp_path / name).samples for name in ("a", "b"))
    assert [(one.id, one.split, one.mask.read_bytes()) for one in ours] == [
        (one.id, one.split, one.mask.read_bytes()) for one in theirs
    ]


def test_a_data_set_in_a_subfolder_is_suggested(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    shutil.copytree(raw, tmp_path / "faces" / "faces")
    done = maskgan("prep-data", tmp_path / "faces", tmp_path / "out", *PREPARE)
    assert done.code == 2
    assert f"the data set is in {tmp_path / 'faces' / 'faces'}: name that folder" in done.err


def test_all_jpeg_suffixes_are_read_and_other_formats_reported(tmp_path: Path, maskgan: Command) -> None:
    for name in ("a.jfif", "b.jpe", "c.jpg"):
        write_image(tmp_path / "photos" / name, np.full((64, 64, 3), 99, np.uint8))
    for name in ("d.psd", "e.heic", ".f.psd"):
        (tmp_path / "photos" / name).write_bytes(b"x")
    done = maskgan("inspect", tmp_path / "photos")
    assert f"{tmp_path / 'photos'}: left out 2 files of formats that are not read (.heic, .psd)" in done.err
    assert "a.jfif: has no provenance of maskgan (2 other pictures have none either)" in done.err, "all three were read"
    with Image.open(tmp_path / "photos" / "a.jfif") as image:
        assert image.format == "JPEG"


ROWS = [("a.png", "b.png"), ("c.png", "d.png")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("head", ["source{0}target\n", "Source{0}Target\n", "sep={0}\nSource{0}Target\n", ""])
def test_lists_of_pairs_from_spreadsheets(encoding: str, mark: str, head: str, tmp_path: Path) -> None:
    text = head.format(mark) + "".join(f"{mark.join(row)}\n" for row in ROWS)
    (tmp_path / "pairs.csv").write_text(text, encoding)
    pairs = read_pairs(str(tmp_path / "pairs.csv"), ("source", "target"), ("output",))
    assert [(str(pair["source"]), str(pair["target"])) for pair in pairs] == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";"])
@pytest.mark.parametrize("named", [False, True])
def test_tables_from_spreadsheets(encoding: str, mark: str, named: bool, tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", encoding=encoding, newline="") as file:
        file.write(f"sep={mark}\r\n" if named else "")
        csv.writer(file, delimiter=mark).writerows([("id", "note"), ("1", "two\nlines"), ("2", "a,b;c")])
    assert read_csv(tmp_path / "a.csv") == [{"id": "1", "note": "two\nlines"}, {"id": "2", "note": "a,b;c"}]


def test_a_path_with_a_semicolon_is_one_path(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("a;b.png\n")
    assert read_pairs(str(tmp_path / "list"), ("source",), ("output",)) == [{"source": Path("a;b.png")}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_lists_on_standard_input(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of pairs and of pictures; file names in unknown encodings keep their bytes."""
    name = "b\udce9.png" if encoding == "latin-1" else "b\xe9.png"
    text = "a.png,b\xe9.png\r\nc.png,d.png\r\n".encode(encoding)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    pairs = read_pairs("-", ("source", "target"), ())
    assert [(str(pair["source"]), str(pair["target"])) for pair in pairs] == [("a.png", name), ("c.png", "d.png")]
    text = "a.png\r\nb\xe9.png\r\n".encode(encoding)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8"))
    assert [str(item.path) for item in pictures(["-"])] == ["a.png", name]


@pytest.mark.parametrize("command", [("parse", "-"), ("swap-mouth", "--pairs", "-", "-o", "out")])
def test_a_closed_standard_input_is_one_line(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, maskgan: Command
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    done = maskgan(*command)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "standard input: expected" in done.err and "found nothing" in done.err
