"""The edited face back in the photo that it was cut out of."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from maskgan_cli.data.resize import resize_image
from maskgan_cli.editor.face import Square
from maskgan_cli.files import Picture

_RIM: Final = 0.05  # of the side: how far a picture that is new everywhere fades out


def into_photo(photo: Picture, square: Square, before: Picture, after: Picture) -> Picture:
    """A photo (H, W, 3) whose face has changed from ``before`` to ``after``, pictures of the same square.

    Args:
        photo: the whole.
        square: the face's corners in it, see `data.crop.oriented_square`.
        before: (S, S, 3), as it was cut out.
        after: (T, T, 3), as it is now; where it equals ``before`` the photo's own pixels stay.
    """
    extent = max(8, round(float(np.hypot(*(square[3] - square[0])))))
    changed = (resize_image(after, len(before)) != before).any(-1).astype(np.float32)
    if changed.mean() > 0.9:  # a painting as it is: no pixel of it is the photo's, so its edge must fade
        distance = np.minimum.outer(*(2 * [np.minimum(np.arange(len(changed)), np.arange(len(changed))[::-1])]))
        changed = np.clip(distance / (_RIM * len(changed)), 0, 1).astype(np.float32)
    share = ndimage.zoom(changed, extent / len(changed), order=1, grid_mode=True, mode="nearest")
    face = resize_image(after, extent)
    low = np.maximum(np.floor(square.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(square.max(0)).astype(int), [photo.shape[1], photo.shape[0]])
    if (high <= low).any():
        return photo.copy()
    alpha = _placed(Image.fromarray(share[:extent, :extent]), square, low, high)[..., None]
    turned = _placed(Image.fromarray(face), square, low, high)
    result = photo.copy()
    place = result[low[1] : high[1], low[0] : high[0]]
    mixed = np.round(alpha * turned + (1 - alpha) * place)
    place[:] = np.where(alpha > 0, np.clip(mixed, 0, 255), place).astype(np.uint8)
    return result


def _placed(
    image: Image.Image, square: Square, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """A picture of the square as it lies in the photo between two corners; 0 outside the square."""
    right, down = (square[3] - square[0]) / image.width, (square[1] - square[0]) / image.height
    back = np.linalg.inv(np.stack([right, down], 1))
    start = back @ (low - square[0])
    affine = (back[0, 0], back[0, 1], start[0], back[1, 0], back[1, 1], start[1])
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    return np.asarray(image.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR), np.float32)
