"""Identity networks as judges: networks that map faces to unit vectors ("embeddings").

The cosine similarity of two embeddings is high if both faces show the same person.

Four kinds of file are supported: weights of ``maskgan train identity``, ArcFace's published IResNets,
facenet-pytorch's InceptionResnetV1, and any ONNX embedding network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from maskgan_cli.data.alignment import TEMPLATE_SIZE, Points, align, crop_points
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256
from maskgan_cli.models.layers import to_unit
from maskgan_cli.weights.foreign import load_foreign
from maskgan_cli.weights.format import load_strictly
from maskgan_cli.weights.published import SUFFIXES, load_any
from maskgan_cli.weights.runtime import available_providers, open_onnx

_FACENET_SIZE = 160
_MOST = 2048  # largest accepted input side of an ONNX network


class IdentityJudge:
    """An identity network, with the interface `maskgan_cli.judges.Judge`. Faces are aligned before they are embedded.

    Args:
        name: ``identity/arcface``, ``identity/facenet`` or ``identity/onnx``.
        network: function that maps aligned faces (N, 3, size, size) ``uint8`` on the device to embeddings (N, D).
        size: side of the aligned faces in pixels.
        device: device of the network.
        digest: SHA-256 of the weights file.
        threshold: cosine similarity from which two faces count as the same person; None if the weights file does not
            contain a threshold.
    """

    def __init__(
        self,
        name: str,
        network: Callable[[Tensor], Tensor],
        *,
        size: int,
        device: torch.device,
        digest: str,
        threshold: float | None = None,
    ) -> None:
        self.name, self.size, self.device = name, size, device
        self.sha256, self.threshold = digest, threshold
        self._network = network

    def __call__(self, images: Tensor, points: Points | None = None) -> Tensor:
        """Align faces, and return their embeddings (N, D): vectors of length 1.

        Args:
            images: pictures (N, 3, S, S) ``uint8`` of any size, with one face each. Without ``points``, the pictures
                must be cropped as in CelebA-HQ; prepared data sets and results of edits are cropped like this.
            points: five landmarks per face (N, 5, 2) in pixels, see `data.alignment`.
        """
        places = crop_points(images.shape[-1]) if points is None else points
        return self.embed(align(images.to(self.device), places, self.size))

    @torch.inference_mode()
    def embed(self, faces: Tensor) -> Tensor:
        """Return unit embeddings (N, D) of faces (N, 3, size, size) ``uint8`` that are already aligned."""
        return F.normalize(self._network(faces.to(self.device)).float())

    def features(self, images: Tensor) -> Tensor:
        """Return unit embeddings (N, D) of pictures (N, 3, S, S) ``uint8``, as `__call__` does without ``points``."""
        return self(images)


def load_identity(where: str | Path, device: torch.device, *, divisor: float = 127.5) -> IdentityJudge:
    """Load an identity network. The suffix of the file determines its kind.

    ``.onnx`` files can be any embedding network with one input (N, 3, S, S). ``.pt`` and ``.pth`` files must be state
    dicts of ArcFace's IResNet or of facenet-pytorch's InceptionResnetV1; the tensor names tell them apart. Everything
    else must be a weights file or a run folder of ``maskgan train identity``.

    Args:
        where: the file or folder.
        device: device for the network.
        divisor: the input of ONNX networks is ``(pixel - 127.5) / divisor``; common values are 127.5 and 128.

    Raises:
        InputError: the file does not exist or has another kind, or a required package is missing.
    """
    suffix = Path(where).suffix
    if suffix == ".onnx":
        return _load_onnx(Path(where), device, divisor)
    if suffix in SUFFIXES and not Path(where).is_dir() and not _is_iresnet(Path(where)):
        return _load_facenet(Path(where), device)
    network, weights = load_any("identity", where, device)
    threshold = weights.about.get("threshold")
    if threshold is not None and not isinstance(threshold, int | float):
        raise InputError(weights.path, expected="a number as threshold", found=repr(threshold)[:40])
    return IdentityJudge(
        "identity/arcface",
        lambda faces: network(to_unit(faces)),
        size=network.config.image_size,
        device=device,
        digest=weights.sha256,
        threshold=None if threshold is None else float(threshold),
    )


def _is_iresnet(path: Path) -> bool:
    """Return whether a checkpoint file contains the layers of ArcFace's IResNet."""
    tensors = load_foreign(path, "a state dict of ArcFace's IResNet or of facenet-pytorch's InceptionResnetV1")
    return "layer1.0.conv1.weight" in tensors


def _load_facenet(path: Path, device: torch.device) -> IdentityJudge:
    """Load InceptionResnetV1 (Schroff et al. 2015; Szegedy et al. 2016) from a state dict of facenet-pytorch.

    The network's input is a batch of faces of 160 x 160 pixels, with the values ``(pixel - 127.5) / 128``.
    """
    tensors = load_foreign(path, "a state dict of facenet-pytorch's InceptionResnetV1")
    from facenet_pytorch import InceptionResnetV1  # torchvision takes seconds to import

    # Published files also contain the classifier of the training identities.
    tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("logits.")}
    network = load_strictly(InceptionResnetV1(), tensors, path).to(device).eval().requires_grad_(False)

    def embed(faces: Tensor) -> Tensor:
        embedded: Tensor = network((faces.float() - 127.5) / 128)
        return embedded

    return IdentityJudge("identity/facenet", embed, size=_FACENET_SIZE, device=device, digest=sha256(path))


def _load_onnx(path: Path, device: torch.device, divisor: float) -> IdentityJudge:
    """Load an ONNX embedding network as a judge.

    The network runs on the GPU if ``device`` is CUDA and onnxruntime supports CUDA, else on the CPU. For ``divisor``
    see `load_identity`.
    """
    wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
    providers = [name for name in [*wanted, "CPUExecutionProvider"] if name in available_providers(path)]
    session = open_onnx(path, providers, "an ONNX network")
    entry, batch, size = _onnx_input(path, session)

    def embed(faces: Tensor) -> Tensor:
        values = ((faces.float() - 127.5) / divisor).cpu().numpy()
        parts = np.split(values, len(values)) if batch == 1 else [values]
        return torch.from_numpy(np.concatenate([_answer(path, session, entry, part) for part in parts])).to(device)

    return IdentityJudge("identity/onnx", embed, size=size, device=device, digest=sha256(path))


def _answer(path: Path, session: Any, entry: str, faces: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Run an ONNX session on faces (N, 3, S, S) and return its first output as embeddings (N, D).

    Args:
        path: file of the network, for error messages.
        session: the ONNX session.
        entry: name of the session's input.
        faces: (N, 3, S, S), the network's input.

    Raises:
        InputError: the network fails, or does not return finite values for each face.
    """
    try:
        answer: npt.NDArray[np.float32] = np.asarray(session.run(None, {entry: faces})[0], np.float32)
        embeddings = answer.reshape(len(faces), -1)
    except Exception as error:  # onnxruntime's errors, an output that is not an array, or a wrong number of embeddings
        raise InputError(path, expected="one embedding per face", found="a network that fails on faces") from error
    if not embeddings.size or not np.isfinite(embeddings).all():
        raise InputError(path, expected="one embedding per face", found="NaN, infinity or no values in its output")
    return embeddings


def _onnx_input(path: Path, session: Any) -> tuple[str, int | None, int]:
    """Return the name of the input of an ONNX session, its batch size (None for any size), and its side in pixels.

    Args:
        path: file of the network, for error messages.
        session: the ONNX session.

    Raises:
        InputError: there is not exactly one input of shape (1 or N, 3, S, S).
    """
    inputs = session.get_inputs()
    shape = inputs[0].shape if inputs else []
    described = ", ".join(f"{one.name} {one.shape}" for one in inputs)
    fixed = [dimension if isinstance(dimension, int) else None for dimension in shape]
    square = len(fixed) == 4 and fixed[1] in (3, None) and fixed[2] == fixed[3]
    if len(inputs) != 1 or not square or fixed[0] not in (1, None) or (fixed[2] or 1) > _MOST:
        raise InputError(path, expected="one input of shape (1 or N, 3, S, S)", found=described or "none")
    return inputs[0].name, fixed[0], fixed[2] or TEMPLATE_SIZE
