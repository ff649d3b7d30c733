"""Tests of ``inspect``: it shows a result's provenance; other pictures and files give errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from maskgan_cli.files import sha256, write_image
from tests.conftest import Command

PICTURE = np.full((8, 8, 3), 90, np.uint8)
NOTE = {"edit": "swap", "parts": ["hair", "hat"], "blend": None, "inputs": {"source": "ab" * 32}}


def test_an_edit_stores_its_provenance(prepared: Path, weights: Path, tmp_path: Path, maskgan: Command) -> None:
    out = tmp_path / "out.png"
    faces = sorted((prepared / "images").glob("*.png"))[:2]
    assert maskgan("swap", *faces, "--parts", "hair", "--weights", weights, "-o", out, "--device", "cpu").code == 0
    outcome = maskgan("inspect", out, "--json")
    assert outcome.code == 0, outcome.err
    (entry,) = json.loads(outcome.out)["files"]
    assert entry["file"] == str(out)
    assert entry["sha256"] == sha256(out)
    made = entry["made_by"]
    assert made["edit"] == "swap"
    assert made["weights"] == sha256(weights / "model.safetensors")
    assert made["inputs"]["source"] == sha256(faces[0])


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_output_as_lines(name: str, tmp_path: Path, maskgan: Command) -> None:
    path = write_image(tmp_path / name, PICTURE, note=NOTE)
    outcome = maskgan("inspect", path)
    assert outcome.code == 0, outcome.err
    assert sorted(outcome.lines) == sorted(
        [str(path), "    edit: swap", "    parts: hair, hat", f"    inputs.source: {'ab' * 32}"]
    )


def test_pictures_without_provenance_are_reported_last(tmp_path: Path, maskgan: Command) -> None:
    bare, told = write_image(tmp_path / "bare.png", PICTURE), write_image(tmp_path / "told.png", PICTURE, note=NOTE)
    outcome = maskgan("inspect", bare, told, "-q")
    assert outcome.code == 1
    assert outcome.lines[0] == str(told)
    assert outcome.err == f"maskgan: {bare}: has no provenance of maskgan\n"
    document = json.loads(maskgan("inspect", bare, told, "--json").out)
    assert [entry["made_by"] is None for entry in document["files"]] == [True, False]


@pytest.mark.parametrize("text", ["[1, 2]", "7", "{", "", "[" * 50_000, "{}"])
def test_metadata_of_other_programs_is_ignored(text: str, tmp_path: Path, maskgan: Command) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("maskgan", text)
    Image.fromarray(PICTURE).save(tmp_path / "x.png", pnginfo=info)
    outcome = maskgan("inspect", tmp_path / "x.png")
    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.err.splitlines()) == 1


def test_line_breaks_in_metadata_are_escaped(tmp_path: Path, maskgan: Command) -> None:
    path = write_image(tmp_path / "x.png", PICTURE, note={"ed\nit": "a\x1b[31mb"})
    assert maskgan("inspect", path).lines[1:] == [r"    ed\nit: a\x1b[31mb"]


def test_other_files_are_rejected(tmp_path: Path, maskgan: Command) -> None:
    (tmp_path / "x.png").write_text("no picture")
    outcome = maskgan("inspect", tmp_path / "x.png")
    assert outcome.code == 2
    assert "expected a picture" in outcome.err
    assert maskgan("inspect", tmp_path / "none.png").code == 2
