"""Detect faces with facenet-pytorch's MTCNN (Zhang et al. 2016). facenet-pytorch includes the weights."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Final

import numpy as np
import torch

from maskgan_cli.data.alignment import Points
from maskgan_cli.files import Picture

# Larger photos are reduced to this side in pixels. Faces large enough to edit are still detected, and detection in a
# photo of 50 megapixels would take a minute.
_MAX_SIDE = 1024
SURE: Final = 0.9  # minimum confidence; with MTCNN's own 0.7, folds of cloth and leaves are detected as faces


@dataclass(frozen=True)
class Found:
    """A detected face.

    Attributes:
        points: five landmarks (5, 2) in pixels: eyes, tip of the nose and corners of the mouth, see `data.alignment`.
        confidence: confidence of the detection, in [0, 1].
        side: mean of the width and height of the bounding box, in pixels.
    """

    points: Points
    confidence: float
    side: float


def largest(faces: Sequence[Found], scale: float = 1.0) -> Points | None:
    """Return the five landmarks (5, 2) of the largest face, multiplied by ``scale``; None if there are no faces."""
    return scale * max(faces, key=lambda face: face.side).points if faces else None


class FaceFinder:
    """A detector of faces and their landmarks, with the networks of MTCNN.

    Args:
        device: device on which MTCNN's networks run.
    """

    def __init__(self, device: torch.device) -> None:
        _import_torchvision()
        from facenet_pytorch import MTCNN

        self._network = MTCNN(keep_all=True, device=device)

    def find(self, picture: Picture) -> Points | None:
        """Return the five landmarks (5, 2) of the largest face in a picture (H, W, 3), in pixels of the picture.

        Return None if no face is found. Unlike in `find_all`, there is no minimum confidence.
        """
        return largest(self.find_all(picture, sure=0.0))

    def find_all(self, picture: Picture, *, sure: float = SURE) -> list[Found]:
        """Detect all faces in a picture (H, W, 3), and return them sorted from left to right.

        Args:
            picture: the picture.
            sure: minimum confidence of the returned faces, in [0, 1].
        """
        from PIL import Image

        image, factor = Image.fromarray(picture), max(picture.shape[:2]) / _MAX_SIDE
        if factor > 1:
            sides = (max(1, round(image.width / factor)), max(1, round(image.height / factor)))
            image = image.resize(sides, Image.Resampling.BOX)
        if min(image.size) < 20:  # the smallest face that MTCNN detects
            return []
        with warnings.catch_warnings():  # NumPy warns about ragged arrays inside facenet-pytorch
            warnings.simplefilter("ignore")
            boxes, sureness, points = self._network.detect(image, landmarks=True)
        if boxes is None:
            return []
        scale = np.array([picture.shape[1] / image.width, picture.shape[0] / image.height])
        faces = [
            Found(np.asarray(five, np.float64) * scale, float(p), float(((box[2:] - box[:2]) * scale).mean()))
            for box, p, five in zip(boxes, sureness, points, strict=True)
            if p >= sure
        ]
        return sorted(faces, key=lambda face: float(face.points[:, 0].mean()))


def _import_torchvision() -> None:
    """Import torchvision without importing PyTorch's compiler, which would take more than a second.

    torchvision uses one function of the compiler, to decide whether to compile `roi_align`. During the import, this
    function is replaced by a function that returns False. An ImportError is ignored.
    """
    name = "torch._dynamo"
    if name in sys.modules or "torchvision" in sys.modules:
        return
    compiler, utils = ModuleType(name), ModuleType(f"{name}.utils")
    utils.is_compile_supported = lambda device: False  # type: ignore[attr-defined]
    sys.modules |= {name: compiler, utils.__name__: utils}
    try:
        import torchvision  # noqa: F401
    except ImportError:  # torchvision is missing or needs more of the compiler; the caller imports it normally
        pass
    finally:
        del sys.modules[name], sys.modules[utils.__name__]
