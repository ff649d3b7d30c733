"""Detection of near duplicates: pictures that differ in brightness, compression, size, or by a small crop.

The fingerprint of a picture consists of the difference hashes of four crops (the first one is the whole picture). Each
bit of a hash says whether a pixel of a 17 x 16 thumbnail is brighter than its left neighbour. Two pictures are near
duplicates if the hash of one whole picture and the hash of any crop of the other differ in few of the 256 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskgan_cli.files import Picture

Fingerprint = npt.NDArray[np.uint8]  # (4, 32): for each of the four crops 256 bits, packed into 32 bytes

_GRID: Final = 16
_BITS: Final = _GRID * _GRID
_MARGINS: Final = (0.0, 1 / 50, 1 / 25, 1 / 16)  # share of the width or height that each crop removes on every side
# Maximum number of different bits. Among 8,000 CelebA-HQ faces, all 41 pairs with up to 23 different bits show the same
# photo (by visual inspection); pairs with 27 or more bits are different faces in a similar pose. JPEG at quality 20
# changes 6 bits (99th percentile: 20), small crops change 4 to 18 bits.
NEAR: Final = 24
_ROWS: Final = 256  # number of fingerprints that are compared with all later ones at once


def fingerprint(picture: Picture) -> Fingerprint:
    """Return the fingerprint of a picture (H, W, 3): the hashes of its four crops, as bytes (4, 32)."""
    image = Image.fromarray(picture).convert("L")
    hashes = []
    for margin in _MARGINS:
        x, y = margin * image.width, margin * image.height
        box = (x, y, image.width - x, image.height - y)
        small = np.asarray(image.resize((_GRID + 1, _GRID), Image.Resampling.BOX, box)).astype(np.int16)
        hashes.append(np.packbits((small[:, 1:] > small[:, :-1]).ravel()))
    return np.stack(hashes)


def near_pairs(fingerprints: list[Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """Find pairs of near duplicates in a list of fingerprints.

    Yields:
        For each pair, the two indices in the list (the smaller index first), and the number of bits (of 256) that
        differ between the most similar hashes of the two pictures.
    """
    if not fingerprints:
        return
    # With bits as -1 and 1, a matrix product counts equal minus different bits; it is exact in float32 and fast.
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
