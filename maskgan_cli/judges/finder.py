"""Find the faces in a photo: facenet-pytorch's MTCNN (Zhang et al. 2016), whose weights its package brings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from maskgan_cli.data.alignment import Points
from maskgan_cli.files import Picture

_MAX_SIDE = 1024  # a face that matters is found at this size, and a photo of 50 megapixels takes a minute
SURE: Final = 0.9  # least confidence of a face; MTCNN's last stage asks for 0.7, and sees faces in folds and leaves


@dataclass(frozen=True)
class Found:
    """A face in a picture.

    Attributes:
        points: (5, 2) in pixels: see `data.alignment`.
        confidence: 0 to 1.
        side: of its box, in pixels: the mean of width and height.
    """

    points: Points
    confidence: float
    side: float


def largest(faces: Sequence[Found], scale: float = 1.0) -> Points | None:
    """The points (5, 2) of the largest of some faces, in a picture ``scale`` times as large; None of none."""
    return scale * max(faces, key=lambda face: face.side).points if faces else None


class FaceFinder:
    """MTCNN on a device.

    Args:
        device: where it runs.
    """

    def __init__(self, device: torch.device) -> None:
        from facenet_pytorch import MTCNN  # torchvision takes seconds to import

        self._network = MTCNN(keep_all=True, device=device)

    def find(self, picture: Picture) -> Points | None:
        """The five points (5, 2) in pixels of the largest face in a picture (H, W, 3); None without a face."""
        return largest(self.find_all(picture, sure=0.0))

    def find_all(self, picture: Picture, *, sure: float = SURE) -> list[Found]:
        """All faces in a picture (H, W, 3) that are at least ``sure``, from left to right."""
        from PIL import Image

        image, factor = Image.fromarray(picture), max(picture.shape[:2]) / _MAX_SIDE
        if factor > 1:
            sides = (max(1, round(image.width / factor)), max(1, round(image.height / factor)))
            image = image.resize(sides, Image.Resampling.BOX)
        if min(image.size) < 20:  # MTCNN's smallest face
            return []
        with warnings.catch_warnings():  # NumPy's, about ragged arrays inside the package
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
