"""Checkpoints with the names and shapes of the published ones, filled with random numbers of a fixed seed."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.layouts import layout

Tensors = dict[str, Tensor]


def filled(shapes: dict[str, tuple[int, ...]], seed: int = 0, *, deviation: float | None = None) -> Tensors:
    """Random tensors: positive variances, integer counters, and weights scaled by a constant or by their fan-in."""
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for number, (name, shape) in enumerate(shapes.items()):
        if name.endswith("num_batches_tracked"):
            tensors[name] = torch.tensor(number + 1)
        elif name.endswith("running_var"):
            tensors[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            fan_in = max(1, torch.Size(shape[1:]).numel())
            tensors[name] = torch.randn(shape, generator=generator) * (deviation or (1.5 / fan_in) ** 0.5)
    return tensors


def narrow(name: str, factor: int, *, least: int = 64, **changes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """A published layout with every dimension from ``least`` up divided by a factor."""
    shapes = {key: tuple(d // factor if d >= least else d for d in shape) for key, shape in layout(name).items()}
    return {**shapes, **changes}


def published(name: str, seed: int = 0) -> Tensors:
    """A full-size checkpoint of one of the layout files."""
    return filled(layout(name), seed)


def saved(tensors: object, path: Path) -> Path:
    """Write the file with ``torch.save``, as the published files."""
    torch.save(tensors, path)
    return path


def small_generator_shapes(
    width: int = 4, downs: int = 2, blocks: int = 2, style: int = 2
) -> dict[str, tuple[int, ...]]:
    """A smaller version of MaskGAN's generator with the published names."""
    widths = [width << i for i in range(downs + 1)]
    low, (c1, c2, c4) = widths[-1], (2, 4, 8)
    modules: dict[str, tuple[int, ...]] = {"model.1": (width, 19, 7, 7)}
    place = 4
    for i in range(downs):
        modules[f"model.{place}"] = (widths[i + 1], widths[i], 3, 3)
        place += 3
    shapes: dict[str, tuple[int, ...]] = {}
    for _ in range(blocks):
        for j in (0, 1):
            shapes |= {f"model.{place}.conv_block.{j}.norm.running_{what}": (low,) for what in ("mean", "var")}
            modules[f"model.{place}.conv_block.{j}.conv"] = (low, low, 3, 3)
        place += 1
    for i in reversed(range(downs)):
        modules[f"model.{place}"] = (widths[i + 1], widths[i], 3, 3)  # transposed: inputs first
        place += 3
    modules[f"model.{place + 1}"] = (3, width, 7, 7)
    for branch, inputs in (("enc_style.model", 3), ("enc_label.model", 19)):
        modules |= {
            f"{branch}.{i}.conv": (b, a, k, k)
            for i, (a, b, k) in enumerate(((inputs, c1, 7), (c1, c2, 4), (c2, c4, 4)))
        }
    modules |= {f"enc_style.model_middle.{i}.conv": (c4, c4, 4, 4) for i in range(3)}
    modules["enc_style.model_last.1"] = (blocks * 4 * low, c4, 1, 1)
    modules |= {
        f"enc_style.sft{i}.SFT_{what}_conv{j}": (c4, c4, 1, 1)
        for i in (1, 2)
        for what in ("scale", "shift")
        for j in (1, 2)
    }
    modules |= {f"enc_label.model_last.{i}.conv": (c4, c4, 4, 4) for i in (1, 2, 3)}
    transposed = {f"model.{4 + 3 * downs + blocks + 3 * i}" for i in range(downs)}
    for module, shape in modules.items():
        outputs = shape[1] if module in transposed else shape[0]
        shapes |= {f"{module}.weight": shape, f"{module}.bias": (outputs,)}
    return shapes


def paint_by_their_names(t: Tensors, mask: Tensor, style_mask: Tensor, style_image: Tensor) -> Tensor:
    """A slow reference of the generator's forward pass, written from the paper and the tensor names."""

    def conv(name: str, x: Tensor, pad: int = 0, stride: int = 1, reflect: int = 0) -> Tensor:
        x = F.pad(x, (reflect,) * 4, mode="reflect") if reflect else x
        return F.conv2d(x, t[f"{name}.weight"], t[f"{name}.bias"], stride, pad)

    def sft(i: int, x: Tensor, prior: Tensor) -> Tensor:
        scale, shift = (
            conv(
                f"enc_style.sft{i}.SFT_{what}_conv2",
                F.leaky_relu(conv(f"enc_style.sft{i}.SFT_{what}_conv1", prior), 0.1),
            )
            for what in ("scale", "shift")
        )
        return x * scale + shift

    prior1 = conv("enc_label.model.0.conv", style_mask, reflect=3).relu()
    prior1 = conv("enc_label.model.1.conv", prior1, reflect=1, stride=2).relu()
    prior1 = conv("enc_label.model.2.conv", prior1, reflect=1, stride=2)
    prior2 = prior1
    for i in (1, 2, 3):
        prior2 = conv(f"enc_label.model_last.{i}.conv", prior2.relu(), reflect=1, stride=2)
    x = conv("enc_style.model.0.conv", style_image, reflect=3).relu()
    for i in (1, 2):
        x = conv(f"enc_style.model.{i}.conv", x, reflect=1, stride=2).relu()
    x = sft(1, x, prior1)
    for i in range(3):
        x = conv(f"enc_style.model_middle.{i}.conv", x, reflect=1, stride=2).relu()
    style = conv("enc_style.model_last.1", sft(2, x, prior2).mean((2, 3), keepdim=True)).flatten(1)

    blocks = sorted({int(name.split(".")[1]) for name in t if ".conv_block." in name})
    x = F.instance_norm(conv("model.1", mask, reflect=3)).relu()
    for place in range(4, blocks[0], 3):
        x = F.instance_norm(conv(f"model.{place}", x, pad=1, stride=2)).relu()
    channels, read = x.shape[1], 0
    for place in blocks:
        y = x
        for j in (0, 1):
            bias = style[:, read : read + channels, None, None]
            weight = style[:, read + channels : read + 2 * channels, None, None]
            read += 2 * channels
            y = F.instance_norm(conv(f"model.{place}.conv_block.{j}.conv", y, reflect=1)) * weight + bias
            y = y.relu() if j == 0 else y
        x = x + y
    last = max(int(name.split(".")[1]) for name in t if name.startswith("model."))
    for place in range(blocks[-1] + 1, last - 1, 3):
        weight, bias = t[f"model.{place}.weight"], t[f"model.{place}.bias"]
        x = F.instance_norm(F.conv_transpose2d(x, weight, bias, 2, 1, 1)).relu()
    return conv(f"model.{last}", x, reflect=3).tanh()


def parse_by_their_names(t: Tensors, image: Tensor) -> Tensor:
    """A slow reference of the face parser's forward pass, written from the tensor names."""

    def double(name: str, x: Tensor) -> Tensor:
        for j in (1, 2):
            x = F.conv2d(x, t[f"{name}.conv{j}.0.weight"], t[f"{name}.conv{j}.0.bias"], padding=1)
            norm = f"{name}.conv{j}.1"
            x = F.batch_norm(
                x, t[f"{norm}.running_mean"], t[f"{norm}.running_var"], t[f"{norm}.weight"], t[f"{norm}.bias"]
            ).relu()
        return x

    skips, x = [], image
    for level in (1, 2, 3, 4):
        x = double(f"conv{level}", x)
        skips.append(x)
        x = F.max_pool2d(x, 2)
    x = double("center", x)
    for level in (4, 3, 2, 1):
        up = F.conv_transpose2d(x, t[f"up_concat{level}.up.weight"], t[f"up_concat{level}.up.bias"], 2)
        x = double(f"up_concat{level}.conv", torch.cat([skips[level - 1], up], 1))
    return F.conv2d(x, t["final.weight"], t["final.bias"])
