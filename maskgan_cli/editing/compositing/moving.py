"""Warps a photo so that it fits an edited mask: the photo's pixels are sampled once, through a displacement field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.data.crop import matrix_of
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.compositing.registration import Displacement, displacement, stretch
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

Coordinates = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Square = npt.NDArray[np.float64]

_STILL: Final = 0.02  # pixels of the crop; where the field moves less than this, pixels are unchanged
_STRETCHED: Final = 2.0  # pixels that are stretched by more than this factor are painted
# "Differences" are pixels in which the warped label map differs from the edited one.
_THIN: Final = 0.006  # share of the side; differences that are thinner than twice this are not painted
_THIN_BEHIND: Final = 0.016  # the same for background and clothes, whose borders in masks are less certain
_SPECK: Final = 0.025  # share of the side; differences with a smaller area than a square of this side are not painted
_BEHIND: Final = tuple(ID[name] for name in ("background", "cloth"))
# Groups of classes with the same appearance: a difference within a group is not painted.
_ALIKE: Final = (
    ("skin", "nose", "neck", "l_ear", "r_ear"),
    ("u_lip", "l_lip"),
    ("l_brow", "r_brow"),
    ("l_eye", "r_eye"),
)


@dataclass(frozen=True)
class PhotoMotion:
    """A displacement field that moves the pixels of a face crop (S, S), so that the crop fits an edited label map.

    Attributes:
        field: (2, S + 2 * beyond, S + 2 * beyond), displacement of rows and columns in pixels: see `displacement`.
        beyond: number of pixels by which the field extends beyond the crop's borders.
        labels: (S, S), the label map of the crop, warped by the field.
        missing: (S, S), True for the pixels that must be painted, because the warped crop does not show the edited
            label map there.
    """

    field: Displacement
    beyond: int
    labels: LabelMap
    missing: Region

    @property
    def still(self) -> bool:
        """Whether the displacement field is zero everywhere, so that no pixel moves."""
        return not self.field.any()

    @property
    def inner(self) -> Displacement:
        """The field (2, S, S) within the crop's borders."""
        end = self.field.shape[-1] - self.beyond
        return self.field[:, self.beyond : end, self.beyond : end]

    def resized(self, size: int) -> PhotoMotion:
        """Return a copy of this motion for a crop of (size, size) pixels, without the field beyond the crop's borders.

        If the crop already has this size and the field ends at the crop's borders, this motion itself is returned.
        """
        scale = size / len(self.labels)
        if scale == 1 and not self.beyond:
            return self
        import torch
        from torch.nn import functional as F

        inner = torch.from_numpy(np.ascontiguousarray(self.inner))[None]
        field = F.interpolate(scale * inner, (size, size), mode="bilinear", align_corners=False)[0].numpy()
        missing = resize_labels(self.missing.astype(np.uint8), size) > 0
        return PhotoMotion(field, 0, resize_labels(self.labels, size), missing)

    def towards(self, after: LabelMap) -> PhotoMotion:
        """Return a copy of this motion, in which ``missing`` (the pixels to paint) is computed for another edited mask.

        Args:
            after: (S, S), the other edited label map.
        """
        return replace(self, missing=_missing(self.labels, after, stretch(self.inner)))


def photo_motion(before: LabelMap, after: LabelMap, *, beyond: int = 0, coarse: bool = False) -> PhotoMotion:
    """Compute the displacement field that warps a face crop to fit an edited label map, and the pixels to paint.

    Args:
        before, after: (S, S), the label maps of the crop and of the edit.
        beyond: number of pixels by which the field extends beyond the crop's borders, e.g. into the surrounding photo.
        coarse: compute the field at half the resolution, see `displacement`.
    """
    field = displacement(before, after, beyond=beyond, coarse=coarse)
    size = len(before)
    inner = field[:, beyond : beyond + size, beyond : beyond + size]
    labels = moved_labels(before, inner)
    return PhotoMotion(field, beyond, labels, _missing(labels, after, stretch(inner)))


def moved_labels(labels: LabelMap, field: Displacement) -> LabelMap:
    """Warp a label map by a displacement field, by nearest neighbour.

    Args:
        labels: (H, W).
        field: (2, H, W), displacement u of rows and columns in pixels; pixel x of the result is pixel x + u(x) of
            ``labels``.

    Returns:
        (H, W), the warped label map.
    """
    height, width = labels.shape
    rows = np.clip(np.rint(np.arange(height)[:, None] + field[0]), 0, height - 1).astype(np.intp)
    columns = np.clip(np.rint(np.arange(width)[None] + field[1]), 0, width - 1).astype(np.intp)
    return np.asarray(labels[rows, columns])


def moved_picture(picture: Picture, field: Displacement) -> Picture:
    """Warp a picture by a displacement field, with bicubic interpolation.

    Args:
        picture: (H, W, 3).
        field: (2, H, W), displacement u of rows and columns in pixels; pixel x of the result is sampled at x + u(x).

    Returns:
        The warped picture (H, W, 3), a new array; where the field is zero, pixels are unchanged.
    """
    moving = np.abs(field).max(0) > _STILL
    if not moving.any():
        return picture.copy()
    box = _box_of(moving)
    rows, columns = (np.arange(part.start, part.stop, dtype=np.float32) for part in box)
    here = field[(slice(None), *box)]
    return _placed(picture, box, rows[:, None] + here[0], columns[None] + here[1], moving[box])


def moved_photo(picture: Picture, square: Square, size: int, field: Displacement, beyond: int) -> Picture:
    """Warp the face in a photo by a displacement field, sampling the photo only once and at full resolution.

    Args:
        picture: (H, W, 3), the photo.
        square: (4, 2), corners (x, y) of the face's crop in the photo: see `data.crop`.
        size: S, the crop's side in pixels.
        field: (2, S + 2 * beyond, S + 2 * beyond), displacement of rows and columns in pixels of the crop.
        beyond: number of pixels by which the field extends beyond the crop.

    Returns:
        The warped photo (H, W, 3); where the field is zero, pixels are unchanged.
    """
    matrix = matrix_of(square, size)
    back = np.linalg.inv(matrix[:, :2])
    low, high = -beyond, size + beyond
    corners = np.array([[low, low, 1], [low, high, 1], [high, high, 1], [high, low, 1]]) @ matrix.T
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int), [picture.shape[1], picture.shape[0]])
    if left >= right or top >= bottom:
        return picture.copy()
    box = (slice(top, bottom), slice(left, right))
    y, x = (np.arange(part.start, part.stop) + 0.5 for part in box)
    u, v = x[None] - matrix[0, 2], y[:, None] - matrix[1, 2]
    in_crop = [(row[0] * u + row[1] * v).astype(np.float32) for row in back]
    at = [in_crop[1] - 0.5 + beyond, in_crop[0] - 0.5 + beyond]
    down, along = sampled(np.moveaxis(field, 0, -1), at[0], at[1], "bilinear", "zeros").transpose(2, 0, 1)
    moving = np.maximum(np.abs(down), np.abs(along)) > _STILL
    if not moving.any():
        return picture.copy()
    inner = _box_of(moving)
    down, along, moving = down[inner], along[inner], moving[inner]
    offset = [matrix[i, 0] * along + matrix[i, 1] * down for i in (0, 1)]
    rows, columns = y[inner[0], None] - 0.5 + offset[1], x[None, inner[1]] - 0.5 + offset[0]
    whole = tuple(
        slice(outer.start + part.start, outer.start + part.stop) for outer, part in zip(box, inner, strict=True)
    )
    return _placed(picture, (whole[0], whole[1]), rows.astype(np.float32), columns.astype(np.float32), moving)


def _placed(
    picture: Picture, box: tuple[slice, slice], rows: Coordinates, columns: Coordinates, where: Region
) -> Picture:
    """Return a copy of a picture in which some pixels of a box are sampled from other positions of the picture.

    Args:
        picture: (H, W, 3).
        box: slices (rows, columns) of the picture, h x w pixels.
        rows, columns: (h, w), for each pixel of the box, the position to sample, in pixels of the picture (bicubic).
        where: (h, w), True for the pixels of the box to replace; the others are unchanged.
    """
    low, high = (np.array([rows.min(), columns.min()]) - 3, np.array([rows.max(), columns.max()]) + 4)
    top, left = np.clip(np.floor(low).astype(int), 0, np.array(picture.shape[:2]) - 1)
    bottom, right = np.clip(np.ceil(high).astype(int), [top + 1, left + 1], picture.shape[:2])
    shown = sampled(picture[top:bottom, left:right], rows - np.float32(top), columns - np.float32(left), "bicubic")
    result = picture.copy()
    result[box][where] = np.clip(np.rint(shown), 0, 255).astype(np.uint8)[where]
    return result


def sampled(
    planes: npt.NDArray[np.generic], rows: Coordinates, columns: Coordinates, mode: str, outside: str = "border"
) -> npt.NDArray[np.float32]:
    """Sample an array at given positions with torch's ``grid_sample``.

    Args:
        planes: (H, W, C), the array.
        rows, columns: (h, w), positions in pixels; (0, 0) is the centre of the first pixel.
        mode: interpolation, ``bilinear`` or ``bicubic``.
        outside: padding mode for positions outside the array, ``border`` or ``zeros``.

    Returns:
        (h, w, C) float32, the sampled values.
    """
    import torch
    from torch.nn import functional as F

    height, width = planes.shape[:2]
    with torch.inference_mode():
        source = torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1))).float()[None]
        x = torch.from_numpy(np.ascontiguousarray(columns)) * (2 / max(width - 1, 1)) - 1
        y = torch.from_numpy(np.ascontiguousarray(rows)) * (2 / max(height - 1, 1)) - 1
        found = F.grid_sample(source, torch.stack([x, y], -1).float()[None], mode, outside, align_corners=True)[0]
        return np.asarray(found.permute(1, 2, 0).numpy())


def _missing(moved: LabelMap, after: LabelMap, stretched: npt.NDArray[np.float32]) -> Region:
    """Find the pixels to paint, where the warped label map is wrong or the warped photo is stretched too much.

    The warped label map is wrong where it differs from the edited label map. Thin and small differences are left out,
    and so are differences between classes of the same appearance.

    Args:
        moved: (S, S), the warped label map.
        after: (S, S), the edited label map.
        stretched: (S, S), the magnification of each pixel, as returned by `stretch`.

    Returns:
        (S, S), True for the pixels to paint.
    """
    size = len(after)
    group = np.arange(256)
    for names in _ALIKE:
        group[[ID[name] for name in names]] = ID[names[0]]
    wrong = group[moved] != group[after]
    behind = np.isin(after, _BEHIND)
    still = behind & ~wrong  # a stretched background looks like a background
    missing = np.zeros(after.shape, bool)
    for part, thin in (
        (wrong & ~behind, _THIN),
        (wrong & behind, _THIN_BEHIND),
        ((stretched > _STRETCHED) & ~still, _THIN),
    ):
        if part.any():
            missing |= _thick(part, thin * size)
    pieces, count = ndimage.label(missing)
    small = np.bincount(pieces.ravel(), minlength=count + 1) < (_SPECK * size) ** 2
    return np.asarray(missing & ~small[pieces])


def _thick(region: Region, radius: float) -> Region:
    """Remove the thin parts of a region by morphological opening with a disc, and return the new region (H, W).

    Args:
        region: (H, W), not empty.
        radius: radius of the disc in pixels; parts that are thinner than its diameter are removed.
    """
    box = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in _box_of(region))
    result, near = np.zeros(region.shape, bool), region[box]
    inner = ndimage.distance_transform_edt(np.pad(near, 1, mode="edge"))[1:-1, 1:-1] > radius
    if inner.any():
        result[box] = (ndimage.distance_transform_edt(~inner) <= radius + 0.5) & near
    return result


def _box_of(region: Region) -> tuple[slice, slice]:
    """Return slices (rows, columns) of the bounding box of a region (H, W), which must not be empty."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
