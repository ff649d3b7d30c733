"""Weights: where they are found, and that the bundled ones do what the package promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskgan_cli.editing.interpolate import MaskManifold
from maskgan_cli.editing.render import Renderer, Request
from maskgan_cli.errors import InputError
from maskgan_cli.faces import face
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.pretrained import bundled, find_weights, load_dmn, load_foreign, save_weights


def test_given_weights_come_before_the_bundled_ones() -> None:
    assert find_weights(Path("mine"), "dmn") == Path("mine")
    assert find_weights(None, "dmn") == bundled("dmn")


def test_without_any_the_training_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskgan_cli.pretrained.bundled", lambda kind: None)
    with pytest.raises(InputError, match=r"--weights: .* train one with `maskgan train dmn DATA -o runs/dmn`"):
        find_weights(None, "dmn")


def test_the_bundled_network_paints_people_it_never_saw() -> None:
    # Seed 99 draws other people than seed 1, which the weights were trained on.
    weights = bundled("dmn")
    assert weights is not None
    renderer = Renderer(weights, "cpu")
    drawn = [face(99, number, renderer.size) for number in range(6)]
    painted = renderer.paint([Request(one.labels, one.labels, one.picture) for one in drawn])
    other = renderer.paint(
        [Request(a.labels, b.labels, b.picture) for a, b in zip(drawn, drawn[1:] + drawn[:1], strict=True)]
    )
    errors = [np.abs(p.astype(float) - one.picture).mean() / 255 for p, one in zip(painted, drawn, strict=True)]
    foreign = [np.abs(p.astype(float) - one.picture).mean() / 255 for p, one in zip(other, drawn, strict=True)]
    assert np.mean(errors) < 0.12
    assert np.mean(foreign) > 1.3 * np.mean(errors), "the look comes from the style image"


def test_the_bundled_mask_vae_keeps_most_pixels() -> None:
    weights = bundled("vae")
    assert weights is not None
    vae = MaskManifold(weights, "cpu")
    kept = []
    for number in range(6):
        labels = face(99, number, vae.size).labels
        kept.append((next(vae.decode(vae.encode(labels), vae.size)) == labels).mean())
    assert np.mean(kept) > 0.9


def test_foreign_files_hold_tensors_and_nothing_else(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "good.pth")
    assert load_foreign(tmp_path / "good.pth", "weights")["a"].tolist() == [0, 0]
    torch.save({"a": 1}, tmp_path / "plain.pth")
    torch.save(Path("code"), tmp_path / "object.pth")
    (tmp_path / "text.pth").write_text("hello")
    for name in ("plain.pth", "object.pth", "text.pth", "none.pth"):
        with pytest.raises(InputError, match="expected weights"):
            load_foreign(tmp_path / name, "weights")


def test_settings_of_another_version_are_named(tmp_path: Path) -> None:
    network = DenseMappingNetwork(DMNConfig(64, 4, 2, 1, 2))
    for config, message in (({"wings": 2}, "wings"), ({"image_size": 70}, "image_size is a multiple of 32")):
        path = save_weights(tmp_path / "w.safetensors", network, kind="dmn", config=config, about={})
        with pytest.raises(InputError, match=f"expected the settings of a dmn, found .*{message}"):
            load_dmn(path, torch.device("cpu"))
