"""LPIPS: torchvision's networks as the reference of the features, the formula in NumPy, files, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.lpips import load_lpips
from maskgan_cli.models.lpips import ALEXNET, VGG16, Trunk

BUILD = {"alexnet": torchvision.models.alexnet, "vgg16": torchvision.models.vgg16}


def _files(folder: Path, trunk: Trunk) -> tuple[Path, Path, torch.nn.Module]:
    """A random trunk and random learnt weights in the layouts of the published files."""
    torch.manual_seed(0)
    network = BUILD[trunk.name](weights=None).eval()
    heads = {f"lin{i}.model.1.weight": torch.rand(1, c, 1, 1) for i, c in enumerate(trunk.channels)}
    # torchvision's files also have a classifier of 500 MB; one of its tensors here checks that it is ignored.
    tensors = {n: t for n, t in network.state_dict().items() if n.startswith("features.")}
    torch.save({**tensors, "classifier.6.bias": torch.zeros(1000)}, folder / "trunk.pth")
    torch.save(heads, folder / "heads.pth")
    return folder / "trunk.pth", folder / "heads.pth", network


def _by_formula(
    network: torch.nn.Module, heads: dict[str, Tensor], taps: tuple[int, ...], a: Tensor, b: Tensor
) -> float:
    """The paper's formula for one pair, in NumPy, pixel by pixel."""
    shift, scale = torch.tensor([-0.030, -0.088, -0.188]), torch.tensor([0.458, 0.448, 0.450])
    x, y = ((image - shift.view(3, 1, 1)) / scale.view(3, 1, 1) for image in (a, b))
    total, layer = 0.0, 0
    for i, module in enumerate(network.features):  # type: ignore[arg-type]
        x, y = module(x[None])[0], module(y[None])[0]
        if i not in taps:
            continue
        p, q, w = x.double().numpy(), y.double().numpy(), heads[f"lin{layer}.model.1.weight"].flatten().numpy()
        pixels = []
        for row in range(p.shape[1]):
            for column in range(p.shape[2]):
                u, v = p[:, row, column], q[:, row, column]
                step = u / (np.linalg.norm(u) + 1e-10) - v / (np.linalg.norm(v) + 1e-10)
                pixels.append(float((w * step**2).sum()))
        total, layer = total + float(np.mean(pixels)), layer + 1
    assert layer == 5
    return total


@pytest.mark.parametrize("trunk", [ALEXNET, VGG16], ids=lambda trunk: trunk.name)
@torch.inference_mode()
def test_it_equals_the_papers_formula(trunk: Trunk, tmp_path: Path) -> None:
    file, heads, network = _files(tmp_path, trunk)
    lpips = load_lpips(file, heads, torch.device("cpu"))
    assert lpips.trunk is trunk
    a, b = torch.rand(2, 3, 64, 64) * 2 - 1, torch.rand(2, 3, 64, 64) * 2 - 1
    found = lpips(a, b)
    known = torch.load(heads, weights_only=True)
    expected = [_by_formula(network, known, trunk.taps, x, y) for x, y in zip(a, b, strict=True)]
    assert found.tolist() == pytest.approx(expected, rel=1e-4)
    assert lpips(a, a).tolist() == [0.0, 0.0]
    assert min(expected) > 0


def test_files_of_different_networks_raise_errors(tmp_path: Path) -> None:
    file, heads, _ = _files(tmp_path, ALEXNET)
    torch.save({f"lin{i}.model.1.weight": torch.rand(1, c, 1, 1) for i, c in enumerate(VGG16.channels)}, heads)
    with pytest.raises(InputError, match="LPIPS weights for alexnet"):
        load_lpips(file, heads, torch.device("cpu"))
    with pytest.raises(InputError, match="expected AlexNet or VGG-16 in torchvision's layout"):
        load_lpips(heads, heads, torch.device("cpu"))
