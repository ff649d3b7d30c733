"""Tests of averaged weights: the values, and the provenance in file and card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from maskgan_cli.errors import InputError
from maskgan_cli.weights.average import average
from maskgan_cli.weights.format import load, read_weights, save_weights
from tests.conftest import Command

CPU = torch.device("cpu")


@pytest.fixture
def other(weights: Path, tmp_path: Path) -> Path:
    """The same network with other numbers."""
    network, found = load("dmn", weights, CPU)
    torch.manual_seed(3)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    about = {"recipe": {"task": "dmn"}, "step": 7, "metrics": {"step": 7, "val_l1": 0.1}, "packed_from": "0"}
    return save_weights(tmp_path / "other.safetensors", network, kind="dmn", config=found.config, about=about)


def test_values_are_averaged_and_the_card_names_the_inputs(
    weights: Path, other: Path, tmp_path: Path, maskgan: Command
) -> None:
    out = tmp_path / "between.safetensors"
    done = maskgan("weights", "average", weights, other, "--share", "0.25", "-o", out, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["share"] == 0.25
    first, second, made = (read_weights(path, "dmn") for path in (weights, other, out))
    for name, tensor in made.tensors.items():
        assert torch.allclose(tensor, 0.75 * first.tensors[name] + 0.25 * second.tensors[name], atol=1e-6)
    assert made.about["averaged"] == {"first": first.sha256, "second": second.sha256, "share": 0.25}
    assert "metrics" not in made.about, "they are of another network"
    assert "packed_from" not in made.about, "it is not a 16-bit copy of a file"
    card = out.with_suffix(".md").read_text()
    assert f"0.25 x `{second.sha256}` + 0.75 x `{first.sha256}`" in card
    assert "not measured" in card


def test_shares_0_and_1_give_the_inputs(weights: Path, other: Path, tmp_path: Path) -> None:
    for share, path in ((0.0, weights), (1.0, other)):
        average(weights, other, tmp_path / "end.safetensors", share=share, overwrite=True)
        ends = read_weights(tmp_path / "end.safetensors", "dmn").tensors
        assert all(torch.equal(ends[name], tensor) for name, tensor in read_weights(path, "dmn").tensors.items())


def test_incompatible_networks_are_rejected_and_no_file_is_written(
    weights: Path, vae_weights: Path, other: Path, tmp_path: Path, maskgan: Command
) -> None:
    out = tmp_path / "between.safetensors"
    for words, message in (
        ((weights, vae_weights), "expected dmn weights, found vae weights"),
        ((weights, other, "--share", "1.5"), "--share: expected 0 to 1, found 1.5"),
        ((weights, tmp_path / "none.safetensors"), "none.safetensors"),
    ):
        done = maskgan("weights", "average", *words, "-o", out)
        assert (done.code, done.out) == (2, "")
        assert message in done.err
    with pytest.raises(InputError, match="safetensors"):
        average(weights, other, tmp_path / "between.pth")
    with pytest.raises(InputError, match="exists already"):
        average(weights, other, other)
    assert not out.exists()
