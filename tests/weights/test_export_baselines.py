"""Tests of the baselines' ONNX export: outputs equal PyTorch's for all batch sizes."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from maskgan_cli.editing.methods import METHODS, Request
from maskgan_cli.editing.transfer import AttributeRequest
from maskgan_cli.errors import InputError
from maskgan_cli.models.baselines.elegant import Elegant, ElegantConfig
from maskgan_cli.models.baselines.sean import SEAN, SEANConfig
from maskgan_cli.models.baselines.spade import SPADE, SPADEConfig
from maskgan_cli.models.baselines.stargan import StarGANConfig, StarGANGenerator
from maskgan_cli.models.dmn import DenseMappingNetwork, Pix2PixHDmConfig
from maskgan_cli.models.layers import one_hot
from maskgan_cli.weights.export import export_onnx
from maskgan_cli.weights.format import save_weights


def _exported(kind: str, network: torch.nn.Module, folder: Path) -> Any:
    file = save_weights(folder / "w.safetensors", network, kind=kind, config=asdict(network.config), about={})  # type: ignore[call-overload]
    out = folder / "network.onnx"
    assert export_onnx(file, out) < 1e-3
    (entry,) = onnx.load(out).metadata_props
    assert json.loads(entry.value)["kind"] == kind
    return onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])


def _paints_alike(method: str, folder: Path, requests: list[Any]) -> None:
    """Check that a method gives the same pictures from the ONNX file and the weights, and that requests matter."""
    onnx_file, weights = (
        METHODS[method].load(folder / name, "cpu").paint(requests) for name in ("network.onnx", "w.safetensors")
    )
    assert np.abs(onnx_file.astype(int) - weights).max() <= 1
    assert len({picture.tobytes() for picture in weights}) == len(requests)


def _pictures(count: int, size: int) -> Any:
    return np.random.default_rng(1).integers(0, 255, (count, size, size, 3), dtype=np.uint8)


def _faces(size: int) -> list[AttributeRequest]:
    """Requests with different faces, exemplars, attributes and strengths."""
    first, second, third, fourth = _pictures(4, size)
    ask = partial(AttributeRequest, "x", known={"Smiling": True, "Male": False})
    return [
        ask(picture=first, exemplar=second, attribute="Smiling", value=False, strength=1.0),
        ask(picture=third, exemplar=fourth, attribute="Male", value=True, strength=1.0),
        ask(picture=third, exemplar=fourth, attribute="Smiling", value=False, strength=0.5),
    ]


def _same(session: Any, output: str, inputs: dict[str, torch.Tensor], expected: torch.Tensor) -> None:
    (answer,) = session.run([output], {name: tensor.numpy() for name, tensor in inputs.items()})
    assert answer.shape == tuple(expected.shape)
    assert np.abs(answer - expected.numpy()).max() < 1e-3
    assert expected.std() > 1e-3


@pytest.mark.slow
def test_spade(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = SPADE(SPADEConfig(64, 4, 8, latent=8, encoded_size=128))
    mask, look = torch.randint(0, 19, (5, 64, 64), dtype=torch.uint8), torch.rand(5, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(20)  # the published start is too faint to tell pictures apart
        for _ in range(3):
            network(one_hot(mask), look)  # singular vectors and statistics find their places
    session = _exported("spade", network, tmp_path)
    with torch.no_grad():
        _same(session, "image", {"mask": mask, "style_image": look}, network.eval()(one_hot(mask), look))
    labels = mask.numpy()
    shapes = [Request(labels[i], labels[i], picture) for i, picture in enumerate(_pictures(3, 64))]
    _paints_alike("spade", tmp_path, shapes)


def test_exporting_sean_raises_one_clear_line(tmp_path: Path) -> None:
    config = SEANConfig(64, 2, 4, 8, 2)
    file = save_weights(tmp_path / "w.safetensors", SEAN(config), kind="sean", config=asdict(config), about={})
    with pytest.raises(InputError, match="found sean weights: the exporter does not accept its noise inputs"):
        export_onnx(file, tmp_path / "network.onnx")
    assert not (tmp_path / "network.onnx").exists()


def test_stargan(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = StarGANGenerator(StarGANConfig(32, ("Smiling", "Male"), 4, 1))
    session = _exported("stargan", network, tmp_path)
    image, label = torch.rand(5, 3, 32, 32) * 2 - 1, torch.eye(2)[[0, 1, 0, 1, 1]]
    with torch.no_grad():
        _same(session, "changed", {"image": image, "label": label}, network(image, label))
    _paints_alike("stargan", tmp_path, _faces(32))


@pytest.mark.slow
def test_elegant_exchanges_by_strength(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Elegant(ElegantConfig(32, ("Smiling", "Young", "Male"), 4))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)  # the published start changes next to nothing
    session = _exported("elegant", network, tmp_path)
    image, exemplar = torch.rand(2, 3, 3, 32, 32) * 2 - 1
    for place, strength in ((0, 1.0), (2, 0.3)):
        shares = torch.zeros(3, 3)
        shares[:, place] = strength
        with torch.no_grad():
            expected = network(image, exemplar, place, strength)
        _same(session, "changed", {"image": image, "exemplar": exemplar, "strength": shares}, expected)
    _paints_alike("elegant", tmp_path, _faces(32))


@pytest.mark.slow
def test_pix2pixhd_m(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = DenseMappingNetwork(Pix2PixHDmConfig(64, 4, 2, 1, 2))
    _exported("pix2pixhd-m", network, tmp_path)
    labels = np.random.default_rng(0).integers(0, 19, (3, 64, 64), dtype=np.uint8)
    _paints_alike("pix2pixhd-m", tmp_path, [Request(labels[i], labels[0], x) for i, x in enumerate(_pictures(3, 64))])


def test_a_file_of_another_method_is_rejected(tmp_path: Path) -> None:
    _exported("stargan", StarGANGenerator(StarGANConfig(32, ("Smiling",), 4, 1)), tmp_path)
    with pytest.raises(InputError, match=r"expected a SPADE exported by .*, found stargan weights"):
        METHODS["spade"].load(tmp_path / "network.onnx", "cpu")
