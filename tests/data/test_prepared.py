"""Tests of reading prepared data sets, whose files are never trusted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.data.prepared import PreparedData, attributes_of, data_hash, identities_of, poses_of
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_csv, sha256, write_csv


@pytest.fixture
def copy(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "data"))


def _edit(root: Path, edit: Callable[[list[dict[str, str]]], object]) -> Path:
    rows = read_csv(root / "manifest.csv")
    edit(rows)
    write_csv(root / "manifest.csv", list(rows[0]), rows)
    return root


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("image", "../../secret.png", r"sample 2: expected its image inside the data set, found '../../secret.png'"),
        ("image", "/etc/passwd", "expected its image inside the data set"),
        ("mask", "masks/../../m.png", "expected its mask inside the data set"),
        ("image", "", "expected an image, found none"),
        ("split", "holiday", "expected one of the splits train, val, test, found 'holiday'"),
        ("id", "../400", r"its id '../400' would place files outside of the data set"),
        ("id", "/tmp/x", "would place files outside of the data set"),
        ("id", ".hidden", "or hide them"),
        ("id", "a\nb", "is not a valid file name"),
        ("id", "", "it has no id"),
        ("id", "0", "expected every id once, found 0 twice"),
    ],
)
def test_invalid_rows_are_rejected_with_their_number(copy: Path, column: str, value: str, message: str) -> None:
    _edit(copy, lambda rows: rows[1].update({column: value}))
    with pytest.raises(InputError, match=message):
        PreparedData.load(copy)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "5",
        "{}",
        "[" * 100_000,
        "\x00\xff",
        '{"size": "big", "hash": "", "classes": []}',
        '{"size": true, "hash": "", "classes": []}',
        '{"size": -1, "hash": "x", "classes": []}',
        '{"size": 64, "hash": 3, "classes": []}',
    ],
)
def test_a_damaged_description_is_one_line(copy: Path, text: str) -> None:
    (copy / "dataset.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"dataset\.json: expected"):
        PreparedData.load(copy)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected samples, found none"),
        (b"id,split,image,mask\n", "expected samples, found none"),
        (b"id,split\n0,train\n", "expected a column image"),
        (b"id,split,image,mask\n0,train,images/0.png,masks/0.png,1,2\n", "line 2: expected 4 values"),
        (b"id,split,image,mask\n\xff\xfe", "expected a CSV file"),
    ],
)
def test_a_damaged_manifest_is_one_line(copy: Path, data: bytes, message: str) -> None:
    (copy / "manifest.csv").write_bytes(data)
    with pytest.raises(InputError, match=message):
        PreparedData.load(copy)


def test_the_hash_covers_the_manifest_and_all_files(prepared: Path) -> None:
    data = PreparedData.load(prepared)
    digests = [(sha256(sample.image), sha256(sample.mask)) for sample in data.samples]
    assert data.hash == data_hash(prepared / "manifest.csv", digests)


def test_a_changed_manifest_is_rejected(copy: Path) -> None:
    PreparedData.load(copy).check_manifest()
    _edit(copy, lambda rows: rows[0].update(split="test"))
    with pytest.raises(
        InputError, match=r"expected an unchanged manifest, found changes since the preparation; .* prep-data"
    ):
        PreparedData.load(copy).check_manifest()
    info = json.loads((copy / "dataset.json").read_text())
    (copy / "dataset.json").write_text(json.dumps({k: v for k, v in info.items() if k != "manifest"}))
    PreparedData.load(copy).check_manifest()  # as earlier versions wrote it: nothing to compare with


def test_attributes_poses_and_identities_are_read_from_the_manifest(prepared: Path, copy: Path) -> None:
    samples = PreparedData.load(prepared).samples
    assert attributes_of(samples[:3], ["Smiling", "Male"]).tolist() == [[False, False], [True, True], [True, False]]
    assert attributes_of([], ["Male"]).shape == (0, 1)
    assert attributes_of(samples, []).shape == (20, 0)
    np.testing.assert_array_equal(poses_of(samples[:2]), [[0.0, -2.0, 0.25], [1.5, -2.0, 0.25]])
    assert identities_of(samples[:3]) == ["0", "0", "1"]
    with pytest.raises(InputError, match=r"the attribute Young in manifest\.csv, found attributes Male, Smiling"):
        attributes_of(samples, ["Young"])
    _edit(copy, lambda rows: rows[0].update(yaw="left", Male="yes"))
    strange = PreparedData.load(copy).samples
    with pytest.raises(InputError, match="expected yaw, pitch and roll"):
        poses_of(strange)
    with pytest.raises(InputError, match=r"the attribute Male in manifest\.csv, found 'yes'"):
        attributes_of(strange, ["Male"])
