"""Directions of attributes: exact for codes that follow them; files of directions and their MaskVAE."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskgan_cli.data.prepared import Sample
from maskgan_cli.editing.masks.directions import Directions, attribute_directions, read_directions, write_directions
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256, write_bytes
from tests.conftest import Command


def test_correlated_attributes_are_separated() -> None:
    rng = np.random.default_rng(0)
    male = rng.random(200) < 0.5
    lipstick = ~male & (rng.random(200) < 0.7)  # differences of means would mix the two
    ways = torch.tensor([[3.0, 0.0, 1.0], [0.0, 2.0, 0.0]])
    codes = 0.5 + torch.from_numpy(np.stack([male, lipstick], 1)).float() @ ways
    samples = [
        Sample(
            str(i),
            "train",
            Path("data/images/0.png"),
            None,
            {"Male": "1" if m else "-1", "Wearing_Lipstick": "1" if w else "-1", "Young": "1", "yaw": "3.5"},
        )
        for i, (m, w) in enumerate(zip(male, lipstick, strict=True))
    ]
    found = attribute_directions(codes, samples)
    assert list(found) == ["Male", "Wearing_Lipstick"]  # all faces are Young
    assert torch.allclose(torch.cat(list(found.values())), ways, atol=1e-5)
    with pytest.raises(InputError, match=r"expected attributes in manifest\.csv that faces differ in, found none"):
        attribute_directions(codes[:3], samples[:3])


def test_a_file_of_directions_belongs_to_one_maskvae(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    file, image = tmp_path / "ways.safetensors", prepared / "images" / "0.png"
    outcome = maskgan("find-directions", prepared, "-w", vae_weights, "--device", "cpu", "-o", file)
    assert outcome.code == 0, outcome.err
    assert outcome.lines == [str(file)]
    steps, about = read_directions(file)
    held, call = file.read_bytes(), ("find-directions", prepared, "-w", vae_weights, "--device", "cpu", "-o", file)
    second = maskgan(*call)
    assert (second.code, second.lines) == (0, [str(file)]), second.err
    assert "made from the same faces and weights" in second.err
    fewer = maskgan(*call, "-n", "5")
    assert fewer.code == 2 and "a result that exists already" in fewer.err, fewer.err
    assert file.read_bytes() == held
    assert about["vae"] == sha256(vae_weights / "model.safetensors")
    name = next(iter(steps))
    along = ("reshape", image, "--along", f"{name}=-2", "--directions", file, "-w", weights, "--device", "cpu", "-q")
    outcome = maskgan(*along, "--vae-weights", vae_weights, "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    outcome = maskgan(*along, "-o", tmp_path / "other.png")  # the bundled one
    assert outcome.code == 2
    assert f"{file}: expected directions of the MaskVAE in use" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    unknown = maskgan(*along[:3], "tail", *along[4:], "--vae-weights", vae_weights, "-o", tmp_path / "other.png")
    assert f"--along: expected {name} or " in unknown.err and "found 'tail'" in unknown.err


def test_corrupt_files_raise_errors(vae_weights: Path, tmp_path: Path) -> None:
    manifold, path = MaskManifold(vae_weights, "cpu"), tmp_path / "ways.safetensors"
    mine = manifold.weights.sha256
    for data in (b"", b"no tensors at all"):
        write_bytes(path, data)
        with pytest.raises(InputError, match="expected directions written by"):
            Directions(manifold, path)
    with pytest.raises(InputError, match="found another safetensors file"):
        Directions(manifold, vae_weights / "model.safetensors")
    for step in (torch.zeros(1, 5), torch.full((1, 16), torch.nan), torch.zeros(1, 16, dtype=torch.int32)):
        write_directions(path, {"odd": step}, {"kind": "directions", "vae": mine}, overwrite=True)
        with pytest.raises(InputError, match="expected codes of 16 numbers, found something else for odd"):
            Directions(manifold, path)
