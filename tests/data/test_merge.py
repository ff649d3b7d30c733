"""Tests of merging: samples keep their pixels and splits, and the manifest names their data set."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.data.merge import read_source
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map


def test_samples_keep_pixels_and_splits_and_name_their_source(prepared: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(prepared, first)
    shutil.copytree(prepared, second)
    out = tmp_path / "both"
    assert run(app, ["merge-data", str(first), str(second), "-o", str(out), "-q"]) == 0
    one, merged = PreparedData.load(prepared), PreparedData.load(out)
    assert len(merged.samples) == 2 * len(one.samples) and merged.size == one.size
    known = {sample.id: sample for sample in merged.samples}
    for sample in one.samples:
        for name in ("first", "second"):
            copy = known[f"{name}-{sample.id}"]
            assert copy.split == sample.split and copy.fields["source"] == name
            assert np.array_equal(read_image(copy.image), read_image(sample.image))
            assert np.array_equal(read_label_map(copy.mask), read_label_map(sample.mask))
            if "identity" in sample.fields:
                assert copy.fields["identity"] == f"{name}-{sample.fields['identity']}"


def test_wrong_inputs_are_rejected(prepared: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two or more"):
        read_source([prepared])
    with pytest.raises(InputError, match="twice"):
        read_source([prepared, prepared])
    with pytest.raises(InputError, match="prepared data set"):
        read_source([prepared, tmp_path])
