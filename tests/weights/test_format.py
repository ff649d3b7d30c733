"""Tests of the search for weights, of weights files, and of the quality of the bundled weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from maskgan_cli.editing.dmn_method import Renderer, Request
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.models.dmn import DenseMappingNetwork, DMNConfig
from maskgan_cli.synth import face
from maskgan_cli.weights.cache import cached_weights
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import differences, load, save_weights
from maskgan_cli.weights.lookup import bundled, find_weights, named_with_origin
from tests.conftest import Command


def test_order_of_the_search_for_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path))

    def found(given: Path | None = None) -> str:
        return named_with_origin(find_weights(given, "dmn"), "dmn")

    assert found() == f"{bundled('dmn')} (bundled with the package)"
    cached_weights("dmn").parent.mkdir()
    cached_weights("dmn").touch()
    assert found() == f"{tmp_path / 'weights' / 'dmn.safetensors'} (the cache)"
    assert find_weights(None, "vae") == bundled("vae"), "each kind has its own"
    monkeypatch.setenv("MASKGAN_WEIGHTS", "named")
    assert found() == "named (MASKGAN_WEIGHTS)"
    assert found(Path("mine")) == "mine (given by option)"
    monkeypatch.setenv("MASKGAN_HOPENET_WEIGHTS", "old")
    assert find_weights(None, "pose") == Path("old")
    monkeypatch.setenv("MASKGAN_POSE_WEIGHTS", "pose")
    assert find_weights(None, "pose") == Path("pose")


def test_an_unreadable_cache_is_skipped_with_a_message(
    prepared: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / ("x" * 300)))
    faces = prepared / "images"
    done = maskgan("swap-mouth", faces / "0.png", faces / "400.png", "-o", tmp_path / "o.png", "--device", "cpu")
    assert done.code == 0, done.err
    assert "bundled with the package; the cache" in done.err
    assert "cannot be read: file name too long)" in done.err.replace("\n", " ")
    with pytest.raises(InputError, match=r"--weights: expected .*, found the cache .* cannot be read: file name too"):
        find_weights(None, "vgg19")


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("dmn", "train one with `maskgan train dmn DATA -o runs/dmn`"),
        ("pose", "`maskgan train pose DATA"),
        ("identity", "`maskgan train identity DATA"),
        ("inception", "`maskgan weights pull inception`"),
    ],
)
def test_missing_weights_give_the_command_that_gets_them(
    kind: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maskgan_cli.weights.lookup.bundled", lambda kind: None)
    with pytest.raises(InputError, match="--weights: expected a run folder") as error:
        find_weights(None, kind)
    assert command in str(error.value)


def test_the_card_of_a_run_has_data_recipe_metrics_and_hash(weights: Path, prepared: Path) -> None:
    card = (weights / "model.md").read_text()
    last = [json.loads(line) for line in (weights / "metrics.jsonl").read_text().splitlines()][-1]
    for text in (
        "Dense Mapping Network",
        "image_size 64",
        json.loads((prepared / "dataset.json").read_text())["hash"],
        "the terms of the training data apply",
        "task dmn, 3 steps",
        f"val_l1 {last['val_l1']:.4g}",
        "(validation after step 3)",
        sha256(weights / "model.safetensors"),
        "    optimiser:",
    ):
        assert text in card, text


def test_differences_are_named_by_kind() -> None:
    expected = {"a": (1,), "b": (2,), **{f"c{i}": (1,) for i in range(5)}}
    assert differences(expected, expected) == ""
    found = {"a": (1,), "b": (3,), "d": ()}
    assert differences(expected, found) == "missing c0, c1, c2 and 2 more; extra d; b of shape (3,) instead of (2,)"


def test_the_bundled_generator_reconstructs_unseen_people() -> None:
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


def test_foreign_files_with_other_objects_are_rejected(tmp_path: Path) -> None:
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
    for config, message in (({"wings": 2}, "wings"), ({"image_size": 70}, "image_size must be a multiple of 32")):
        path = save_weights(tmp_path / "w.safetensors", network, kind="dmn", config=config, about={})
        with pytest.raises(InputError, match=f"expected the settings of a dmn, found .*{message}"):
            load("dmn", path, torch.device("cpu"))
