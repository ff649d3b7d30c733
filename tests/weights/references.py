"""Slow references of StarGAN, ELEGANT, SPADE and SEAN, written from the papers and the published tensor names.

No convolution, norm or resize of PyTorch's takes part: sums over the taps of a kernel, means and
square roots. Double precision.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

Tensors = dict[str, Tensor]


def conv(x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, pad: int = 0) -> Tensor:
    """A convolution with zero padding, computed tap by tap."""
    n, _, h, w = x.shape
    outputs, _, kernel, _ = weight.shape
    rows, columns = (h + 2 * pad - kernel) // stride + 1, (w + 2 * pad - kernel) // stride + 1
    padded = x.new_zeros(n, x.shape[1], h + 2 * pad, w + 2 * pad)
    padded[:, :, pad : pad + h, pad : pad + w] = x
    y = x.new_zeros(n, outputs, rows, columns)
    for i in range(kernel):
        for j in range(kernel):
            seen = padded[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride]
            y += torch.einsum("nchw,oc->nohw", seen, weight[:, :, i, j])
    return y if bias is None else y + bias[:, None, None]


def conv_transposed(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, pad: int, more: int) -> Tensor:
    """A transposed convolution: the kernel is added at every pixel, then ``pad`` pixels are cut off."""
    n, _, h, w = x.shape
    _, outputs, kernel, _ = weight.shape
    canvas = x.new_zeros(n, outputs, (h - 1) * stride + kernel + more, (w - 1) * stride + kernel + more)
    for i in range(kernel):
        for j in range(kernel):
            painted = torch.einsum("nchw,co->nohw", x, weight[:, :, i, j])
            canvas[:, :, i : i + stride * h : stride, j : j + stride * w : stride] += painted
    y = canvas[:, :, pad : canvas.shape[2] - pad, pad : canvas.shape[3] - pad]
    return y if bias is None else y + bias[:, None, None]


def instance_norm(x: Tensor) -> Tensor:
    """Instance normalisation: every channel of every picture gets mean 0 and variance 1."""
    y = torch.empty_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            plane = x[n, c]
            mean = plane.sum() / plane.numel()
            variance = ((plane - mean) ** 2).sum() / plane.numel()
            y[n, c] = (plane - mean) / torch.sqrt(variance + 1e-5)
    return y


def leaky(x: Tensor, slope: float) -> Tensor:
    """LeakyReLU."""
    return torch.where(x > 0, x, slope * x)


def with_planes(image: Tensor, label: Tensor) -> Tensor:
    """A constant plane for each number of the label, below the image."""
    planes = [label[:, i].view(-1, 1, 1, 1) * torch.ones_like(image[:, :1]) for i in range(label.shape[1])]
    return torch.cat([image, *planes], 1)


# StarGAN


def stargan_generator(t: Tensors, image: Tensor, label: Tensor, blocks: int) -> Tensor:
    """StarGAN's generator with the tensors ``t``; the running statistics are not used."""

    def norm(name: str, x: Tensor) -> Tensor:
        return instance_norm(x) * t[f"{name}.weight"][:, None, None] + t[f"{name}.bias"][:, None, None]

    x = norm("main.1", conv(with_planes(image, label), t["main.0.weight"], pad=3)).clamp(min=0)
    for place in (3, 6):
        x = norm(f"main.{place + 1}", conv(x, t[f"main.{place}.weight"], stride=2, pad=1)).clamp(min=0)
    for place in range(9, 9 + blocks):
        y = norm(f"main.{place}.main.1", conv(x, t[f"main.{place}.main.0.weight"], pad=1)).clamp(min=0)
        x = x + norm(f"main.{place}.main.4", conv(y, t[f"main.{place}.main.3.weight"], pad=1))
    for place in (9 + blocks, 12 + blocks):
        x = norm(f"main.{place + 1}", conv_transposed(x, t[f"main.{place}.weight"], None, 2, 1, 0)).clamp(min=0)
    return torch.tanh(conv(x, t[f"main.{15 + blocks}.weight"], pad=3))


def stargan_discriminator(t: Tensors, image: Tensor, layers: int) -> tuple[Tensor, Tensor]:
    """StarGAN's discriminator with the tensors ``t``: patch scores and logits."""
    x = image
    for i in range(layers):
        x = leaky(conv(x, t[f"main.{2 * i}.weight"], t[f"main.{2 * i}.bias"], 2, 1), 0.01)
    classes = conv(x, t["conv2.weight"])
    return conv(x, t["conv1.weight"], pad=1), classes.view(len(x), -1)


# ELEGANT


def pixel_norm(t: Tensors, name: str, x: Tensor) -> Tensor:
    """Normalise each pixel's channels to unit length, multiply by alpha and add beta."""
    length = torch.sqrt((x**2).sum(1, keepdim=True)).clamp(min=1e-12)
    return x / length * t[f"{name}.alpha"] + t[f"{name}.beta"]


def elegant_encoder(t: Tensors, image: Tensor) -> tuple[Tensor, list[Tensor]]:
    """ELEGANT's encoder with the tensors ``t``: code and skip connections."""
    maps, x = [], image
    for i in range(5):
        x = conv(x, t[f"main.{i}.0.weight"], t[f"main.{i}.0.bias"], 2, 1)
        x = leaky(pixel_norm(t, f"main.{i}.1", x), 0.2)
        maps.append(x)
    return maps[4], maps[:4]


def elegant_decoder(t: Tensors, new: Tensor, old: Tensor, skips: list[Tensor]) -> Tensor:
    """ELEGANT's decoder with the tensors ``t``: the residual."""
    x = torch.cat([new, old], 1)
    for i in range(4):
        x = conv_transposed(x, t[f"main.{i}.0.weight"], t[f"main.{i}.0.bias"], 2, 1, 1)
        x = pixel_norm(t, f"main.{i}.1", x).clamp(min=0) + skips[3 - i]
    return 2 * torch.tanh(conv_transposed(x, t["main.4.0.weight"], t["main.4.0.bias"], 2, 1, 1))


def elegant_discriminator(t: Tensors, image: Tensor, label: Tensor) -> Tensor:
    """ELEGANT's discriminator D1 or D2 with the tensors ``t``: the probability of a real picture."""
    x = with_planes(image, label)
    for i in range(4):
        x = conv(x, t[f"conv.{3 * i}.weight"], t[f"conv.{3 * i}.bias"], 2, 1)
        x = leaky(pixel_norm(t, f"conv.{3 * i + 1}", x), 0.2)
    logit = (x.reshape(len(x), 1, -1) * t["linear.0.weight"]).sum(2) + t["linear.0.bias"]
    return 1 / (1 + torch.exp(-logit))


# SPADE


def spectral(t: Tensors, name: str) -> Tensor:
    """Spectral normalisation: the stored weight divided by u' W v."""
    weight = t[f"{name}.weight_orig"]
    sigma = t[f"{name}.weight_u"] @ weight.reshape(len(weight), -1) @ t[f"{name}.weight_v"]
    return weight / sigma


def shrink(mask: Tensor, side: int) -> Tensor:
    """Nearest-neighbour scaling: the pixel at the rounded-down scaled position."""
    places = [i * mask.shape[-1] // side for i in range(side)]
    return mask[:, :, places][:, :, :, places]


def spade_norm(t: Tensors, name: str, x: Tensor, mask: Tensor) -> Tensor:
    """SPADE: normalisation with the stored statistics, then scale and shift from the mask."""
    mean, variance = (t[f"{name}.param_free_norm.running_{what}"][:, None, None] for what in ("mean", "var"))
    hidden = conv(shrink(mask, x.shape[-1]), t[f"{name}.mlp_shared.0.weight"], t[f"{name}.mlp_shared.0.bias"], pad=1)
    gamma, beta = (
        conv(hidden.clamp(min=0), t[f"{name}.mlp_{what}.weight"], t[f"{name}.mlp_{what}.bias"], pad=1)
        for what in ("gamma", "beta")
    )
    return (x - mean) / torch.sqrt(variance + 1e-5) * (1 + gamma) + beta


def spade_block(t: Tensors, name: str, x: Tensor, mask: Tensor) -> Tensor:
    """Main path and skip."""
    y = x
    for i in (0, 1):
        y = leaky(spade_norm(t, f"{name}.norm_{i}", y, mask), 0.2)
        y = conv(y, spectral(t, f"{name}.conv_{i}"), t[f"{name}.conv_{i}.bias"], pad=1)
    if f"{name}.conv_s.weight_orig" in t:
        x = conv(spade_norm(t, f"{name}.norm_s", x, mask), spectral(t, f"{name}.conv_s"))
    return x + y


def spade_generator(t: Tensors, mask: Tensor, code: Tensor | None, depth: str = "normal") -> Tensor:
    """SPADE's generator with the tensors ``t``."""

    def double(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    side = mask.shape[-1] // {"normal": 32, "more": 64, "most": 128}[depth]
    if code is None:
        x = conv(shrink(mask, side), t["fc.weight"], t["fc.bias"], pad=1)
    else:
        x = (code @ t["fc.weight"].T + t["fc.bias"]).reshape(len(mask), -1, side, side)
    x = double(spade_block(t, "head_0", x, mask))
    x = spade_block(t, "G_middle_0", x, mask)
    x = double(x) if depth != "normal" else x
    x = spade_block(t, "G_middle_1", x, mask)
    for i in range(5 if depth == "most" else 4):
        x = spade_block(t, f"up_{i}", double(x), mask)
    return torch.tanh(conv(leaky(x, 0.2), t["conv_img.weight"], t["conv_img.bias"], pad=1))


def spade_encoder(t: Tensors, image: Tensor) -> tuple[Tensor, Tensor]:
    """SPADE's encoder with the tensors ``t``, for a picture of the encoder's input size."""
    x = image
    for i in range(1, 7):
        x = leaky(instance_norm(conv(x, spectral(t, f"layer{i}.0"), None, 2, 1)), 0.2)
    flat = x.reshape(len(x), -1)
    mean, log_variance = (flat @ t[f"fc_{what}.weight"].T + t[f"fc_{what}.bias"] for what in ("mu", "var"))
    return mean, log_variance


def sean_encoder(t: Tensors, mask: Tensor, image: Tensor) -> Tensor:
    """SEAN's style encoder with the tensors ``t``: a code (N, 19, style) for each class, 0 for absent ones."""

    def layer(place: int, x: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
        name = f"Zencoder.model.{place}"
        return conv(x, t[f"{name}.weight"], t[f"{name}.bias"], stride, pad)

    x = leaky(instance_norm(layer(1, F.pad(image, (1, 1, 1, 1), mode="reflect"))), 0.2)
    x = leaky(instance_norm(layer(4, x, 2, 1)), 0.2)
    x = leaky(instance_norm(layer(7, x, 2, 1)), 0.2)
    x = conv_transposed(x, t["Zencoder.model.10.weight"], t["Zencoder.model.10.bias"], 2, 1, 1)
    x = leaky(instance_norm(x), 0.2)
    x = torch.tanh(layer(14, F.pad(x, (1, 1, 1, 1), mode="reflect")))
    mask = shrink(mask, x.shape[-1])
    codes = torch.zeros(len(x), mask.shape[1], x.shape[1], dtype=x.dtype)
    for face in range(len(x)):
        for label in range(mask.shape[1]):
            inside = mask[face, label] > 0
            if inside.any():
                codes[face, label] = x[face][:, inside].mean(1)
    return codes


def sean_norm(t: Tensors, name: str, x: Tensor, mask: Tensor, codes: Tensor) -> Tensor:
    """SEAN without noise: normalisation with the stored statistics, then scale and shift from mask and style map."""
    mean, variance = (t[f"{name}.param_free_norm.running_{what}"][:, None, None] for what in ("mean", "var"))
    mask = shrink(mask, x.shape[-1])
    hidden = conv(mask, t[f"{name}.Spade.mlp_shared.0.weight"], t[f"{name}.Spade.mlp_shared.0.bias"], pad=1)
    found = {}
    for what in ("gamma", "beta"):
        found[what] = conv(
            hidden.clamp(min=0), t[f"{name}.Spade.mlp_{what}.weight"], t[f"{name}.Spade.mlp_{what}.bias"], pad=1
        )
    if f"{name}.conv_gamma.weight" in t:
        style_map = torch.zeros(len(x), codes.shape[2], *x.shape[2:], dtype=x.dtype)
        for label in range(mask.shape[1]):
            code = codes[:, label] @ t[f"{name}.fc_mu{label}.weight"].T + t[f"{name}.fc_mu{label}.bias"]
            style_map += mask[:, [label]] * code.clamp(min=0)[:, :, None, None]
        for what in ("gamma", "beta"):
            styled = conv(style_map, t[f"{name}.conv_{what}.weight"], t[f"{name}.conv_{what}.bias"], pad=1)
            share = 1 / (1 + torch.exp(-t[f"{name}.blending_{what}"]))
            found[what] = share * styled + (1 - share) * found[what]
    return (x - mean) / torch.sqrt(variance + 1e-5) * (1 + found["gamma"]) + found["beta"]


def sean_generator(t: Tensors, mask: Tensor, codes: Tensor) -> Tensor:
    """SEAN's generator without noise with the tensors ``t``."""
    x = conv(shrink(mask, mask.shape[-1] // 32), t["fc.weight"], t["fc.bias"], pad=1)
    for name in ("head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3"):
        if name not in ("head_0", "G_middle_1"):
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        y = x
        for i in (0, 1):
            y = leaky(sean_norm(t, f"{name}.ace_{i}", y, mask, codes), 0.2)
            y = conv(y, spectral(t, f"{name}.conv_{i}"), t[f"{name}.conv_{i}.bias"], pad=1)
        if f"{name}.conv_s.weight_orig" in t:
            x = conv(sean_norm(t, f"{name}.ace_s", x, mask, codes), spectral(t, f"{name}.conv_s"))
        x = x + y
    return torch.tanh(conv(leaky(x, 0.2), t["conv_img.weight"], t["conv_img.bias"], pad=1))


def spade_discriminator(t: Tensors, pair: Tensor) -> list[list[Tensor]]:
    """SPADE's discriminator with the tensors ``t``: all outputs at both scales."""
    outputs = []
    for scale in (0, 1):
        name, x, features = f"discriminator_{scale}", pair, []
        x = leaky(conv(x, t[f"{name}.model0.0.weight"], t[f"{name}.model0.0.bias"], 2, 2), 0.2)
        features.append(x)
        for i, stride in ((1, 2), (2, 2), (3, 1)):
            x = leaky(instance_norm(conv(x, spectral(t, f"{name}.model{i}.0.0"), None, stride, 2)), 0.2)
            features.append(x)
        features.append(conv(x, t[f"{name}.model4.0.weight"], t[f"{name}.model4.0.bias"], 1, 2))
        outputs.append(features)
        ones = torch.ones(pair.shape[1], 1, 3, 3, dtype=pair.dtype)
        sums = torch.cat([conv(pair[:, [c]], ones[[c]], None, 2, 1) for c in range(pair.shape[1])], 1)
        counts = conv(torch.ones_like(pair[:, :1]), ones[:1], None, 2, 1)
        pair = sums / counts
    return outputs
