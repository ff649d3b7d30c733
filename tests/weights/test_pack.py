"""Tests of 16-bit weights: half the size and the same pictures, or no file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.weights.format import load
from maskgan_cli.weights.pack import pack
from tests.conftest import Command


def test_packed_weights_have_half_the_size_and_give_the_same_pictures(
    weights: Path, prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    out = tmp_path / "small.safetensors"
    done = maskgan("weights", "pack", weights, prepared, "-o", out, "--licence", "Apache-2.0")
    assert done.code == 0, done.err
    assert done.lines == [str(out), str(tmp_path / "small.md")]
    assert all(tensor.dtype == torch.float16 for tensor in load_file(out).values())
    network, packed = load("dmn", out, torch.device("cpu"))
    whole, source = load("dmn", weights, torch.device("cpu"))
    assert packed.about["packed_from"] == source.sha256
    assert packed.about["licence"] == "Apache-2.0"
    assert "Apache-2.0" in (tmp_path / "small.md").read_text()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, whole.state_dict()[name].half().float())


def test_weights_that_need_32_bits_are_not_written(
    weights: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Numbers of which 16 bits keep two digits only.
    monkeypatch.setattr("maskgan_cli.weights.pack._rounded", lambda tensor: (tensor * 64).round() / 64)
    with pytest.raises(WorkError, match="nothing written"):
        pack(weights, PreparedData.load(prepared), tmp_path / "small.safetensors")
    assert not list(tmp_path.iterdir())


def test_other_kinds_and_sizes_are_rejected(vae_weights: Path, prepared: Path, tmp_path: Path) -> None:
    data = PreparedData.load(prepared)
    with pytest.raises(InputError, match="safetensors"):
        pack(vae_weights, data, tmp_path / "small.pth")
    assert pack(vae_weights, data, tmp_path / "vae.safetensors") <= 1e-3
    with pytest.raises(InputError, match="exists already"):
        pack(vae_weights, data, tmp_path / "vae.safetensors")
