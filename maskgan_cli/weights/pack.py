"""Weights as 16-bit floats: half the size, if the answers stay the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.models.layers import one_hot, to_bytes, to_unit
from maskgan_cli.weights.card import check_output
from maskgan_cli.weights.format import kind_of, load, save_weights

FACES: Final = 32
LEVELS: Final = 1  # of 255: the most that a painted pixel may change
SHARE: Final = 1e-3  # of all pixels: the most whose class may change


def pack(where: str | Path, data: PreparedData, out: Path, *, licence: str = "", overwrite: bool = False) -> float:
    """Write weights with every number as a 16-bit float, and their card, if faces come out as before.

    Args:
        where: a weights file or run folder of a kind that answers with pictures or masks (dmn, parser, vae).
        data: validation faces to compare on, of the network's size.
        out: a ``.safetensors`` file.
        licence: recorded in the file and its card.
        overwrite: replace ``out``.

    Returns:
        The largest change found: levels of 255 for pictures, the share of pixels for masks.

    Raises:
        InputError: another kind of weights, data of another size, an ``out`` that exists.
        WorkError: the answers change; nothing is written.
    """
    check_output(out, ".safetensors", overwrite=overwrite)
    kind = kind_of(where)
    if kind not in ("dmn", "parser", "vae"):
        raise InputError(where, expected="weights of kind dmn, parser or vae", found=f"{kind} weights")
    network, weights = load(kind, where, torch.device("cpu"))
    side = int(weights.config["image_size"])
    if data.size != side:
        raise InputError(data.root, expected=f"a data set of {side} px", found=f"{data.size} px")
    faces = first_samples(FaceDataset(data.split("val"), side, cache=False), FACES)
    before = _answers(kind, network, faces)
    halved = {name: _half(tensor) for name, tensor in network.state_dict().items()}
    network.load_state_dict(halved)
    change = _change(before, _answers(kind, network, faces))
    allowed, unit = (LEVELS, "levels of 255") if kind == "dmn" else (SHARE, "of the pixels")
    if change > allowed:
        raise WorkError(f"{out}: 16-bit weights change {change:.3g} {unit}, {allowed} at most; nothing written")
    about = {**weights.about, "stored_as": "float16", "packed_from": weights.sha256}
    about |= {"licence": licence} if licence else {}
    about.pop("version", None)
    save_weights(out, network.half(), kind=kind, config=weights.config, about=about)
    return change


def _half(tensor: Tensor) -> Tensor:
    """What is left of a tensor's numbers in 16 bits."""
    return tensor.half().to(tensor.dtype) if tensor.is_floating_point() else tensor


@torch.inference_mode()
def _answers(kind: str, network: nn.Module, faces: Batch) -> Tensor:
    """What the network makes of each face: pictures (N, 3, S, S) or label maps (N, S, S), ``uint8``."""
    answers = []
    for i in range(0, len(faces.images), 8):
        image, mask = to_unit(faces.images[i : i + 8]), one_hot(faces.labels[i : i + 8])
        if kind == "dmn":
            answers.append(to_bytes(network(mask, mask, image)))
        elif kind == "parser":
            answers.append(network(image).argmax(1).to(torch.uint8))
        else:
            answers.append(network.reconstruct(mask).argmax(1).to(torch.uint8))  # type: ignore[operator]
    return torch.cat(answers)


def _change(before: Tensor, after: Tensor) -> float:
    """The largest difference of pictures; of label maps, the share of pixels that differ."""
    if before.dim() == 4:
        return float((before.int() - after.int()).abs().max())
    return float((before != after).float().mean())
