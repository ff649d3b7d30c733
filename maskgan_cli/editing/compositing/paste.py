"""Pastes an edited face crop back into the photo that the crop was cut out of."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from maskgan_cli.data.crop import cut, matrix_of, side_of, square_of
from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap

_EDGE: Final = 0.06  # share of the crop's side; an edit that touches the crop's edge fades out over this width
_RIM: Final = 0.012  # share of the crop's side; the photo's detail fades out over this width inside the edit
_FINER: Final = 1.2  # if the photo's resolution is more than this many times the crop's, the photo has finer detail
_LEAST: Final = 0.25  # levels; smaller changes are ignored
_ROUNDS: Final = 8  # largest number of iterations of `_refine`
_FEW: Final = 0.001  # `_refine` stops if at most this share of the changed pixels is wrong by more than one level
_MARGIN: Final = 8  # pixels of the crop; interpolation filters reach no farther than this
_GREY: Final = (0.299, 0.587, 0.114)

Square = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]


def paste_crop(picture: Picture, square: Square, result: Picture, *, tolerance: int = 0) -> Picture:
    """Paste an edited crop into the photo that the crop was cut out of.

    The difference between the edited and the original crop is added to the photo. Inside the edit, detail of the photo
    that is finer than the crop's resolution is replaced by grain like that around the edit. An edit that reaches the
    crop's edge fades out over 6 % of the crop's side. All other pixels are unchanged. A grey photo stays grey.

    Args:
        picture: (H, W, 3), the unedited photo.
        square: (4, 2), corners (x, y) of the crop in the photo: see `crop.cut`.
        result: (S, S, 3), the edited crop; S can be any size.
        tolerance: differences of up to this many levels (0 to 255) are ignored, e.g. JPEG artefacts.

    Returns:
        The edited photo (H, W, 3), a new array.
    """
    size = len(result)
    cropped = cut(picture, square, size)
    difference = result.astype(np.float32) - cropped
    if (picture == picture[..., :1]).all():
        difference = np.repeat((difference @ np.array(_GREY, np.float32))[..., None], 3, -1)
    changed = ndimage.binary_closing(np.abs(difference).max(-1) > max(tolerance, 0), iterations=2)
    changed |= np.abs(difference).max(-1) > tolerance  # closing removes changed pixels at the border
    changed = ndimage.binary_dilation(changed, iterations=2) if tolerance else changed
    if not changed.any():
        return picture.copy()
    window = _window(size)
    depth = np.ones_like(window) if changed.all() else (ndimage.distance_transform_edt(changed) - 1) / (_RIM * size)
    replaced = np.clip(depth, 0, 1).astype(np.float32) * window
    difference *= (changed * window)[..., None]
    _, part = _around(square, changed, round(_EDGE / 2 * size) + _MARGIN)
    box = _box(part, picture.shape)
    if not picture[box].size:  # the edit lies outside the photo
        return picture.copy()
    planes = _placed(np.dstack([difference, replaced, cropped.astype(np.float32)]), square, box)
    photo = picture[box].astype(np.float32)
    weight, painted = np.clip(planes[..., 3:4], 0, 1), planes[..., 4:]
    change = planes[..., :3] - weight * (photo - painted)
    if (side := side_of(square)) > _FINER * size:
        around = ndimage.binary_dilation(weight[..., 0] > 0.5, iterations=max(1, round(_EDGE / 2 * side)))
        band = around & (weight[..., 0] == 0)
        change += weight * missing_grain(photo.astype(np.float64), painted.astype(np.float64), band).astype(np.float32)
    # Interpolation rings slightly beyond the change, so pixels far from it are excluded.
    near = _placed(ndimage.binary_dilation(changed, iterations=2).astype(np.float32)[..., None], square, box)[..., 0]
    where = (near > 0.5) & (np.abs(change).max(-1) >= _LEAST)
    pasted = picture.copy()
    pasted[box][where] = np.clip(np.rint(photo + change), 0, 255).astype(np.uint8)[where]
    _refine(pasted, square, cropped + difference, changed)
    return pasted


def _refine(pasted: Picture, square: Square, target: Field, changed: npt.NDArray[np.bool_]) -> None:
    """Correct a photo in place until its crop is nearly equal to the edited crop.

    The correction is needed because interpolation has blurred the pasted edit. The difference between the edited crop
    and the photo's crop is repeatedly added to the photo (iterative back-projection; Irani and Peleg, 1991). If the
    photo is not finer than the crop, there is only one iteration, because more would cause ripples.

    Args:
        pasted: (H, W, 3), the photo with the pasted edit; changed in place.
        square: (4, 2), corners (x, y) of the crop in the photo.
        target: (S, S, 3), the edited crop.
        changed: (S, S), the edited region of the crop; the photo is corrected only there.
    """
    part, square = _around(square, changed, _MARGIN)
    target, changed = target[part], changed[part]
    size = len(target)
    box = _box(square, pasted.shape)
    near = _placed(ndimage.binary_dilation(changed, iterations=2).astype(np.float32)[..., None], square, box)
    here, photo = near[..., 0] > 0.5, pasted[box].astype(np.float32)
    for _ in range(_ROUNDS if np.hypot(*(square[3] - square[0])) > _FINER * size else 1):
        remaining = (target - cut(pasted, square, size)) * changed[..., None]
        if (np.abs(remaining).max(-1) > 1).sum() <= _FEW * changed.sum():
            return
        photo = np.clip(photo + _placed(remaining, square, box), 0, 255)
        pasted[box][here] = np.rint(photo).astype(np.uint8)[here]


def _around(
    square: Square, changed: npt.NDArray[np.bool_], margin: int
) -> tuple[tuple[slice, slice], npt.NDArray[np.float64]]:
    """Find the smallest square part of a crop that contains the changed pixels and a margin around them.

    Args:
        square: (4, 2), corners (x, y) of the crop in the photo.
        changed: (S, S), True for the changed pixels of the crop; at least one.
        margin: width of the margin in pixels of the crop.

    Returns:
        The slices (rows, columns) of the part in the crop, and the corners (4, 2) of the part in the photo as (x, y).
    """
    size, bounds = len(changed), [np.flatnonzero(changed.any(axis=axis))[[0, -1]] for axis in (0, 1)]
    side = min(size, max(int(high - low) for low, high in bounds) + 1 + 2 * margin)
    left, top = (int(np.clip((low + high + 1 - side) // 2, 0, size - side)) for low, high in bounds)
    matrix = matrix_of(square, size)
    corner = np.column_stack([matrix[:, :2], matrix @ [left, top, 1]])
    return (slice(top, top + side), slice(left, left + side)), square_of(corner, side)


def paste_labels(shape: tuple[int, int], square: Square, labels: LabelMap) -> LabelMap:
    """Place the label map of a crop in a label map of the whole photo; outside the crop, all pixels are background.

    Args:
        shape: (H, W), size of the photo.
        square: (4, 2), corners (x, y) of the crop in the photo.
        labels: (S, S), label map of the crop.

    Returns:
        The label map (H, W) of the photo, sampled by nearest neighbour.
    """
    box = _box(square, shape)
    whole: LabelMap = np.zeros(shape, np.uint8)
    rows, columns = box
    to_crop = _affine(square, len(labels), (rows.start, columns.start))
    sides = (columns.stop - columns.start, rows.stop - rows.start)
    placed = Image.fromarray(labels).transform(sides, Image.Transform.AFFINE, to_crop, Image.Resampling.NEAREST)
    whole[box] = np.asarray(placed)
    return whole


def cut_labels(labels: LabelMap, square: Square, size: int) -> LabelMap:
    """Cut the label map of a crop out of the label map of a photo, and resize the crop by nearest neighbour.

    Args:
        labels: (H, W), label map of the photo.
        square: (4, 2), corners (x, y) of the crop in the photo.
        size: side of the crop in pixels.

    Returns:
        The label map (size, size) of the crop. Parts of the square outside the photo are background.
    """
    (a, b, c), (d, e, f) = matrix_of(square, size)
    image = Image.fromarray(labels)
    return np.asarray(image.transform((size, size), Image.Transform.AFFINE, (a, b, c, d, e, f)))


def _window(size: int) -> Field:
    """Return weights (size, size) that are 1 in the middle of a crop and fall smoothly to 0 at its edges."""
    away = np.minimum(np.arange(size) + 0.5, size - 0.5 - np.arange(size)) / (_EDGE * size)
    ramp = np.clip(away, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(np.minimum(ramp[:, None], ramp[None, :]), np.float32)


def _box(square: Square, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return slices (rows, columns) of the bounding box of a square in a photo, clipped to the photo.

    Args:
        square: (4, 2), corners (x, y) in the photo.
        shape: (H, W, ...), shape of the photo.
    """
    low, high = np.floor(square.min(0)).astype(int), np.ceil(square.max(0)).astype(int)
    sides = (shape[1], shape[0])
    left, top = (int(np.clip(low[i], 0, sides[i])) for i in (0, 1))
    right, bottom = (int(np.clip(high[i], 0, sides[i])) for i in (0, 1))
    return slice(top, bottom), slice(left, right)


def _placed(planes: Field, square: Square, box: tuple[slice, slice]) -> Field:
    """Resample values at a crop's pixels to the pixels of the photo that contains the crop.

    Args:
        planes: (S, S, C), values at the crop's pixels.
        square: (4, 2), corners (x, y) of the crop in the photo.
        box: slices (rows, columns) of the photo to compute, h x w pixels.

    Returns:
        (h, w, C), the values at the photo's pixels; 0 outside the crop.
    """
    size, side = len(planes), float(np.hypot(*(square[3] - square[0])))
    if side < size:  # the photo is coarser than the crop: downscale with antialiasing first
        size = max(1, round(side))
    rows, columns = box
    sides = (columns.stop - columns.start, rows.stop - rows.start)
    to_crop = _affine(square, size, (rows.start, columns.start))
    placed = []
    for plane in np.moveaxis(planes, -1, 0):
        image = Image.fromarray(np.ascontiguousarray(plane), mode="F")
        if size != len(planes):
            image = image.resize((size, size), Image.Resampling.BOX if side < 2 else Image.Resampling.LANCZOS)
        placed.append(np.asarray(image.transform(sides, Image.Transform.AFFINE, to_crop, Image.Resampling.BICUBIC)))
    return np.stack(placed, -1)


def _affine(square: Square, size: int, corner: tuple[int, int]) -> tuple[float, ...]:
    """Return the affine transform that maps positions in a box of the photo to positions in the crop.

    Args:
        square: (4, 2), corners (x, y) of the crop in the photo.
        size: side of the crop in pixels.
        corner: (top, left), first row and column of the box.

    Returns:
        The six coefficients (a, b, c, d, e, f) in Pillow's order: (x, y) is mapped to (ax + by + c, dx + ey + f).
    """
    matrix = matrix_of(square, size)
    back = np.linalg.inv(matrix[:, :2])
    top, left = corner
    offset = back @ (np.array([left, top]) - matrix[:, 2])
    return (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
