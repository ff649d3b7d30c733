"""Synthesises new hair from patches of the hair in the photo itself (patch-based texture synthesis)."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.editing.compositing.extension import Plane
from maskgan_cli.files import Picture
from maskgan_cli.labels import Region

# Lengths are shares of the side. A source position is the centre of a patch that lies wholly in the photo's hair.
_PATCHES: Final = (0.08, 0.05, 0.032)  # sides of patches; the largest with enough source positions is used
_FAR: Final = 0.35  # largest distance between a patch and the position that it is copied from
_ROOM: Final = 40  # least number of source positions; with fewer, patches are smaller
_TRIED: Final = 1200  # largest number of source positions that are compared
_SEED: Final = 0


def hair_from_own(picture: Picture, hair: Region, region: Region) -> tuple[Plane, Region]:
    """Fill a region with patches of the picture's own hair; each patch is chosen to match the pixels around it.

    Args:
        picture: (S, S, 3).
        hair: (S, S), True for the pixels that show hair.
        region: (S, S), True for the pixels to fill.

    Returns:
        The picture (S, S, 3) with the new hair, and a boolean mask (S, S) of the pixels that were filled. If there is
        too little hair to copy, no pixels are filled.
    """
    side, rng = len(picture), np.random.default_rng(_SEED)
    total, weights = np.zeros(picture.shape, np.float32), np.zeros(region.shape, np.float32)
    known, shown = hair & ~region, picture.astype(np.float32)
    left = region.copy()
    for share in _PATCHES:
        half = max(3, round(share * side / 2))
        places = np.argwhere(ndimage.minimum_filter(known, 2 * half + 1, mode="constant"))
        if len(places) < _ROOM:
            continue
        window = np.outer(*[np.hanning(2 * half + 3)[1:-1]] * 2).astype(np.float32) + 1e-3
        filled = known.copy()
        for middle in _middles(left, filled, half):
            patch = _best(shown, filled, places, middle, half, rng)
            if patch is None:
                continue
            inside = _box(middle, half, side)
            cut = tuple(slice(s.start - c + half, s.stop - c + half) for s, c in zip(inside, middle, strict=True))
            total[inside] += window[cut][..., None] * patch[cut]
            weights[inside] += window[cut]
            filled[inside] |= region[inside]
            new = region[inside][..., None]
            shown[inside] = np.where(new, total[inside] / np.maximum(weights[inside], 1e-6)[..., None], shown[inside])
            left[inside] = False
        break
    found = region & (weights > 0)
    return np.where(found[..., None], total / np.maximum(weights, 1e-6)[..., None], shown), found


def _middles(left: Region, known: Region, half: int) -> npt.NDArray[np.int64]:
    """Return the centres of patches that cover a region, in the order in which the patches should be filled.

    Args:
        left: (S, S), True for the pixels to fill.
        known: (S, S), True for the pixels that show hair.
        half: half the side of a patch in pixels; neighbouring centres are this far apart.

    Returns:
        (n, 2), row and column of each centre, ordered by distance from the known pixels, nearest first.
    """
    rows, columns = (np.arange(0, length, half) for length in left.shape)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    near = ndimage.maximum_filter(left, half + 1)[grid[:, 0], grid[:, 1]]
    away = ndimage.distance_transform_edt(~known)[grid[:, 0], grid[:, 1]]
    return np.asarray(grid[near][np.argsort(away[near], kind="stable")])


def _best(
    shown: Plane,
    known: Region,
    places: npt.NDArray[np.int64],
    middle: npt.NDArray[np.int64],
    half: int,
    rng: np.random.Generator,
) -> Plane | None:
    """Find the patch of hair that best matches the known pixels around a centre.

    Args:
        shown: (S, S, 3), the picture so far.
        known: (S, S), True for the pixels that show hair already.
        places: (n, 2), centres (row, column) of the patches to choose from.
        middle: (2,), the centre (row, column) of the patch to fill.
        half: half the side of a patch in pixels.
        rng: draws the patches that are compared, if there are more than `_TRIED`.

    Returns:
        The pixels of the best patch (2 * half + 1, 2 * half + 1, 3); None if all patches are too far away
        from ``middle``.
    """
    side = len(shown)
    away = np.hypot(*(places - middle).T)
    near = np.flatnonzero(away < _FAR * side)
    if not len(near):
        return None
    tried = near if len(near) <= _TRIED else rng.choice(near, _TRIED, replace=False)
    offsets = np.arange(-half, half + 1, 2)
    dy, dx = (one.ravel() for one in np.meshgrid(offsets, offsets, indexing="ij"))
    y, x = middle[0] + dy, middle[1] + dx
    inside = (y >= 0) & (y < side) & (x >= 0) & (x < side)
    inside[inside] &= known[y[inside], x[inside]]
    cost = 0.02 * away[tried] * 255 / side  # prefers near patches among equally good ones
    if inside.sum() >= 6:
        want = shown[y[inside], x[inside]]
        at = places[tried]
        have = shown[at[:, :1] + dy[inside], at[:, 1:] + dx[inside]]
        cost = cost + np.sqrt(((have - want) ** 2).mean((1, 2)))
    row, column = places[tried[int(cost.argmin())]]
    return np.asarray(shown[row - half : row + half + 1, column - half : column + half + 1].copy())


def _box(middle: npt.NDArray[np.int64], half: int, side: int) -> tuple[slice, slice]:
    """Return slices (rows, columns) of a patch with a given centre (row, column), clipped to a picture (side, side)."""
    row, column = (slice(max(int(c) - half, 0), min(int(c) + half + 1, side)) for c in middle)
    return row, column
