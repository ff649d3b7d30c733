"""Stores weights as 16-bit floats, which halves the size of the file.

The file is written only if the network's outputs change by at most a tolerance.
"""

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

FACES: Final = 32  # number of test faces
LEVELS: Final = 1  # tolerance for pictures: largest change of a pixel value (0 to 255)
SHARE: Final = 1e-3  # tolerance for masks: share of pixels whose class changes


def pack(where: str | Path, data: PreparedData, out: Path, *, licence: str = "", overwrite: bool = False) -> float:
    """Write weights as 16-bit floats with a model card, if the network's outputs change by at most a tolerance.

    Args:
        where: a weights file or run folder of a kind whose output is a picture or a mask (dmn, parser, vae).
        data: a data set of the network's image size, whose validation faces are the test inputs.
        out: the ``.safetensors`` file to write.
        licence: licence to record in the file and its card.
        overwrite: replace ``out``.

    Returns:
        The change of the outputs: for pictures the largest change of a pixel value (0 to 255), for masks the share of
        pixels whose class changes.

    Raises:
        InputError: the weights are of another kind, the data set has another size, or ``out`` exists.
        WorkError: the change is larger than `LEVELS` (pictures) or `SHARE` (masks); nothing is written.
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
    before = _outputs(kind, network, faces)
    rounded = {name: _rounded(tensor) for name, tensor in network.state_dict().items()}
    network.load_state_dict(rounded)
    change = _change(before, _outputs(kind, network, faces))
    allowed, unit = (LEVELS, "levels of 255") if kind == "dmn" else (SHARE, "of the pixels")
    if change > allowed:
        raise WorkError(f"{out}: 16-bit weights change {change:.3g} {unit}, at most {allowed} allowed; nothing written")
    about = {**weights.about, "stored_as": "float16", "packed_from": weights.sha256}
    about |= {"licence": licence} if licence else {}
    about.pop("version", None)
    save_weights(out, network.half(), kind=kind, config=weights.config, about=about)
    return change


def _rounded(tensor: Tensor) -> Tensor:
    """Round a float tensor to 16-bit floats and return it in its original type; return other tensors unchanged."""
    return tensor.half().to(tensor.dtype) if tensor.is_floating_point() else tensor


@torch.inference_mode()
def _outputs(kind: str, network: nn.Module, faces: Batch) -> Tensor:
    """Return the ``uint8`` outputs of a network for N faces.

    For the kind ``dmn`` these are reconstructed pictures (N, 3, S, S); for the kinds ``parser`` and ``vae`` they are
    label maps (N, S, S).
    """
    outputs = []
    for i in range(0, len(faces.images), 8):
        image, mask = to_unit(faces.images[i : i + 8]), one_hot(faces.labels[i : i + 8])
        if kind == "dmn":
            outputs.append(to_bytes(network(mask, mask, image)))
        elif kind == "parser":
            outputs.append(network(image).argmax(1).to(torch.uint8))
        else:
            outputs.append(network.reconstruct(mask).argmax(1).to(torch.uint8))  # type: ignore[operator]
    return torch.cat(outputs)


def _change(before: Tensor, after: Tensor) -> float:
    """Return the difference between two outputs of a network.

    For pictures (N, 3, H, W) this is the largest difference of a pixel value (0 to 255). For label maps (N, H, W) it is
    the share of pixels whose class differs (0 to 1).
    """
    if before.dim() == 4:
        return float((before.int() - after.int()).abs().max())
    return float((before != after).float().mean())
