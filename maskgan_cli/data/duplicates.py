"""Pictures that are nearly the same: brighter, compressed again, scaled, or cropped by a few hundredths.

A picture's fingerprint is its difference hash at four framings: is each pixel of a 17 x 16 thumbnail brighter
than its left neighbour? Two pictures are near if the whole of one and any framing of the other differ in
few of the 256 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskgan_cli.files import Picture

Fingerprint = npt.NDArray[np.uint8]  # (FRAMINGS, 32), 256 packed bits each

_GRID: Final = 16
_BITS: Final = _GRID * _GRID
_MARGINS: Final = (0.0, 1 / 50, 1 / 25, 1 / 16)  # cut off on every side
# Of 8,000 CelebA-HQ faces, the 41 closest pairs (0 to 23 bits) are the same photo, as far as eyes can tell; from 27
# on, pairs are two faces of like pose. JPEG at quality 20 changes 6 bits (99 of 100: 20), a crop 4 to 18.
NEAR: Final = 24
_ROWS: Final = 256  # fingerprints compared with all later ones at a time


def fingerprint(picture: Picture) -> Fingerprint:
    """A picture (H, W, 3) -> its fingerprint."""
    image = Image.fromarray(picture).convert("L")
    hashes = []
    for margin in _MARGINS:
        x, y = margin * image.width, margin * image.height
        box = (x, y, image.width - x, image.height - y)
        small = np.asarray(image.resize((_GRID + 1, _GRID), Image.Resampling.BOX, box)).astype(np.int16)
        hashes.append(np.packbits((small[:, 1:] > small[:, :-1]).ravel()))
    return np.stack(hashes)


def near_pairs(fingerprints: list[Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """The pairs (i, j), i < j, of pictures that look the same, and in how many bits of 256 they differ."""
    if not fingerprints:
        return
    # With bits as -1 and 1, a product of matrices counts equal minus unequal bits: exact in float32, and fast.
    signs = np.unpackbits(np.stack(fingerprints), axis=-1).astype(np.int8) * 2 - 1
    whole = signs[:, 0].astype(np.float32)
    for start in range(0, len(whole), _ROWS):
        rows, later = slice(start, start + _ROWS), slice(start, None)
        best = whole[rows] @ whole[later].T
        for framing in range(1, len(_MARGINS)):
            np.maximum(best, signs[rows, framing].astype(np.float32) @ whole[later].T, out=best)
            np.maximum(best, whole[rows] @ signs[later, framing].astype(np.float32).T, out=best)
        for i, j in np.argwhere(best >= _BITS - 2 * NEAR).tolist():
            if i < j:
                yield start + i, start + j, int(_BITS - best[i, j]) // 2
