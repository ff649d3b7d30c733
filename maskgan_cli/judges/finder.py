"""Find the face in a photo: facenet-pytorch's MTCNN (Zhang et al. 2016), whose weights its package brings."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from maskgan_cli.data.alignment import Points
from maskgan_cli.files import Picture

_MAX_SIDE = 1024  # a face that matters is found at this size, and a photo of 50 megapixels takes a minute


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
        from PIL import Image

        image, factor = Image.fromarray(picture), max(picture.shape[:2]) / _MAX_SIDE
        if factor > 1:
            image = image.resize((round(image.width / factor), round(image.height / factor)), Image.Resampling.BOX)
        with warnings.catch_warnings():  # NumPy's, about ragged arrays inside the package
            warnings.simplefilter("ignore")
            boxes, _, points = self._network.detect(image, landmarks=True)
        if boxes is None:
            return None
        areas = [float((box[2] - box[0]) * (box[3] - box[1])) for box in boxes]
        largest = np.asarray(points[int(np.argmax(areas))], np.float64)
        scaled: Points = largest * np.array([picture.shape[1] / image.width, picture.shape[0] / image.height])
        return scaled
