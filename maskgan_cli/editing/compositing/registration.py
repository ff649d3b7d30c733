"""Registration of two label maps: computes the smooth displacement field that warps one label map to the other.

The method is multi-resolution demons (Thirion, 1998) on blurred one-hot planes of the classes. Only a box around the
changed pixels is registered, reduced to `_SIDE` pixels or less, so the time does not depend on the picture's size.
SimpleITK's demons are not used because they register one scalar image, and cannot weight classes.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.editing.compositing.closing import closing
from maskgan_cli.labels import ID, NUM_CLASSES, LabelMap

if TYPE_CHECKING:
    from torch import Tensor

Displacement = npt.NDArray[np.float32]

_SIDE: Final = 128  # largest side, in pixels, at which the field is computed
_LEVELS: Final = ((4, 30), (2, 30), (1, 20))  # for each level: reduction factor, iterations
_SOFT: Final = 1.2  # blur of the class planes: standard deviation in pixels of a level
_SMOOTH: Final = (1.5, 1.7, 1.6)  # blur that regularises the field: standard deviation at each level
_STEP: Final = 1.5  # largest motion in one iteration, in pixels of a level
_NOISE: Final = 1e-3  # added to the denominator of the step, which would be 0 where the planes are constant
_BACKDROP: Final = (ID["background"], ID["cloth"])
_FAINT: Final = 0.4  # weight of the backdrop's planes; all others have weight 1
_HOLD: Final = 0.08  # in each iteration, the field is reduced by this share on the backdrop, which should stay
_NEAR: Final = 0.05  # share of the side; up to this distance from the change the field is unrestricted
FAR: Final = 0.24  # share of the side; from this distance on the field is zero
_COUNTERPART: Final = 0.12  # a class is not registered if its smaller area is less than this share of its larger one
_SPECK: Final = 1e-4  # share of the picture; classes with a smaller area are ignored
LEAST_JACOBIAN: Final = 0.15  # least Jacobian determinant of a field


def displacement(before: LabelMap, after: LabelMap, *, beyond: int = 0, coarse: bool = False) -> Displacement:
    """Compute a smooth displacement field ``u`` such that ``after(x)`` is approximately ``before(x + u(x))``.

    The field fades smoothly to zero with the distance from the changed pixels. Its Jacobian determinant is at least
    `LEAST_JACOBIAN`, so it has no folds. Background and clothes have a low weight and move little. A class that only
    one of the two maps shows (e.g. new glasses) has no effect. If the mouth opens, the field pushes the lips apart. If
    the mouth closes, the field is discontinuous along the line where the lips meet, because the inside is skipped.

    Args:
        before, after: label maps (S, S) of the same size.
        beyond: number of pixels by which the field extends beyond each border, e.g. into the photo around a crop.
        coarse: compute the field at half the resolution, which takes half the time, for previews.

    Returns:
        (2, S + 2 * beyond, S + 2 * beyond): displacement of rows and of columns, in pixels. All zero if the maps are
        equal.

    Raises:
        ValueError: the maps differ in size or are not square.
    """
    if before.shape != after.shape or before.ndim != 2 or before.shape[0] != before.shape[1]:
        raise ValueError(f"expected two square label maps of one size, found {before.shape} and {after.shape}")
    side = len(before)
    shut = closing(before, after)
    if shut is None:
        return _smooth(before, after, beyond, coarse=coarse)
    # A smooth field cannot remove the inside of the mouth, so it is removed first, and the result is registered.
    places = np.arange(side)
    down = shut.rows(places[:, None], places[None])
    without = np.asarray(before[np.clip(np.rint(places[:, None] + down), 0, side - 1).astype(np.intp), places])
    rest = _smooth(without, after, beyond, coarse=coarse)
    places = np.arange(-beyond, side + beyond)
    rest[0] += shut.rows(places[:, None] + rest[0], np.clip(places[None] + rest[1], 0, side - 1))
    return rest


def _smooth(before: LabelMap, after: LabelMap, beyond: int, *, coarse: bool) -> Displacement:
    """Compute the displacement field without the special case for a mouth that closes.

    The arguments and the returned array are those of `displacement`.
    """
    side = len(before)
    whole: Displacement = np.zeros((2, side + 2 * beyond, side + 2 * beyond), np.float32)
    changed = before != after
    if not changed.any():
        return whole
    if beyond:
        before, after = (np.pad(labels, beyond, mode="edge") for labels in (before, after))
        changed = np.pad(changed, beyond)
    box = _box(changed, math.ceil(FAR * side) + 2)
    window = _window(changed[box], side)
    field = _solved(before[box], after[box], coarse=coarse) * window
    if not beyond:
        _slide_along_borders(field, box, side)
    whole[(slice(None), *box)] = _unfolded(field, round(0.01 * side) + 1) * (window > 0)
    return whole


def jacobian(field: Displacement) -> npt.NDArray[np.float32]:
    """Return the Jacobian determinant of the map x -> x + u(x), by which a warped picture is sampled.

    The determinant is the ratio of an area before warping to the same area after warping: below 1 where the warped
    picture is enlarged, and negative in folds.

    Args:
        field: (2, H, W), the displacement u of rows and columns in pixels.

    Returns:
        (H, W), the determinant at each pixel.
    """
    (yy, yx), (xy, xx) = (np.gradient(plane) for plane in field)
    return np.asarray((1 + yy) * (1 + xx) - yx * xy)


def stretch(field: Displacement) -> npt.NDArray[np.float32]:
    """Compute how much a picture is stretched if pixel x of the warped picture is sampled at x + u(x).

    Args:
        field: (2, H, W), the displacement u of rows and columns in pixels.

    Returns:
        (H, W), the magnification in the direction in which it is largest; 1 where nothing moves.
    """
    (yy, yx), (xy, xx) = (np.gradient(plane) for plane in field)
    a, b, c, d = 1 + yy, yx, xy, 1 + xx
    half, determinant = (a * a + b * b + c * c + d * d) / 2, a * d - b * c
    # Square of the smaller singular value.
    least = half - np.sqrt(np.maximum(half * half - determinant * determinant, 0))
    return np.asarray(1 / np.sqrt(np.maximum(least, 1e-4)), np.float32)


def matched(before: LabelMap, after: LabelMap) -> list[int]:
    """Return the ids of the classes that cover comparable areas in two label maps (S, S); only these are registered."""
    sizes = [np.bincount(labels.ravel(), minlength=NUM_CLASSES)[:NUM_CLASSES] for labels in (before, after)]
    least = max(4.0, _SPECK * before.size)
    return [
        c
        for c in range(NUM_CLASSES)
        if min(sizes[0][c], sizes[1][c]) >= max(least, _COUNTERPART * max(sizes[0][c], sizes[1][c]))
    ]


def _box(changed: npt.NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Return slices (rows, columns) of the bounding box of changed pixels plus a margin, clipped to the picture."""
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )


def _window(changed: npt.NDArray[np.bool_], side: int) -> npt.NDArray[np.float32]:
    """Compute the weight by which the displacement field is multiplied: 1 near changed pixels, 0 far away from them.

    Args:
        changed: (h, w), True for the changed pixels.
        side: side of the whole picture in pixels; the weight is 0 from the distance `FAR` * side on.

    Returns:
        (h, w), the weights, 0 to 1.
    """
    step = max(1, side // 256)  # coarse distances are precise enough
    away = ndimage.distance_transform_edt(~_any_of(changed, step)) * (step / side)
    share = np.clip((FAR - away) / (FAR - _NEAR), 0, 1)
    window = _enlarged((share * share * (3 - 2 * share)).astype(np.float32)[None], changed.shape)[0]
    window[window < 1e-3] = 0
    return np.asarray(window, np.float32)


def _any_of(region: npt.NDArray[np.bool_], step: int) -> npt.NDArray[np.bool_]:
    """Reduce a region (h, w) by the factor ``step``: a new pixel is True if any pixel of its block is True."""
    if step == 1:
        return region
    height, width = (-(-length // step) * step for length in region.shape)
    padded = np.pad(region, ((0, height - region.shape[0]), (0, width - region.shape[1])))
    return np.asarray(padded.reshape(height // step, step, width // step, step).any(axis=(1, 3)))


def _slide_along_borders(field: Displacement, box: tuple[slice, slice], side: int) -> None:
    """Limit a displacement field in place, so that it points only to positions inside the picture.

    Pixels at a border can therefore move only along this border.

    Args:
        field: (2, h, w), displacement of rows and columns in the box, in pixels; changed in place.
        box: slices (rows, columns) of the picture, h x w pixels.
        side: side of the picture in pixels.
    """
    for axis, (part, plane) in enumerate(zip(box, field, strict=True)):
        at = np.arange(part.start, min(part.stop, side), dtype=np.float32)
        room = np.stack([-at, side - 1 - at])  # smallest and largest displacement
        low, high = (np.expand_dims(limit, 1 - axis) for limit in room)
        np.clip(plane, 0.85 * low, 0.85 * high, out=plane)


def _solved(before: LabelMap, after: LabelMap, *, coarse: bool) -> Displacement:
    """Compute the displacement field between two label maps with the demons algorithm, at reduced size.

    Args:
        before, after: (h, w), the label maps.
        coarse: leave out the finest level.

    Returns:
        (2, h, w), displacement of rows and columns, in pixels of the label maps.
    """
    height, width = before.shape
    pyramid, field = _coarsely_solved(before.tobytes(), after.tobytes(), (height, width))
    if pyramid is None:
        return np.zeros((2, height, width), np.float32)
    if not coarse:
        field = pyramid.refined(field, -1)
    found = field.numpy() * np.array([height / field.shape[1], width / field.shape[2]], np.float32)[:, None, None]
    return _enlarged(found, (height, width))


@functools.lru_cache(maxsize=2)
def _coarsely_solved(before: bytes, after: bytes, shape: tuple[int, int]) -> tuple[_Pyramid | None, Tensor]:
    """Solve the levels of the demons algorithm except the finest one; a preview and its full picture share the result.

    Args:
        before, after: the bytes of the label maps, ``uint8``.
        shape: (h, w), the shape of the label maps.

    Returns:
        What the finest level needs, or None if the label maps have no common classes to register; and the field
        (2, h', w'), in pixels of its own resolution.
    """
    import torch

    one, other = (np.frombuffer(labels, np.uint8).reshape(shape) for labels in (before, after))
    classes = matched(one, other)
    if not classes:
        return None, torch.zeros(2, 1, 1)
    scale = min(1.0, _SIDE / max(shape))
    sides = (max(8, round(shape[0] * scale / 4) * 4), max(8, round(shape[1] * scale / 4) * 4))
    with torch.inference_mode():
        moving, fixed = (_planes(labels, classes, sides) for labels in _without_unmatched(one, other, classes))
        weights = torch.tensor([_FAINT if c in _BACKDROP else 1.0 for c in classes]).sqrt()[:, None, None]
        backdrop = sum(plane for c, plane in zip(classes, fixed, strict=True) if c in _BACKDROP)
        hold = torch.as_tensor(backdrop, dtype=torch.float32).expand(sides)
        pyramid = _Pyramid(moving, fixed, weights, hold)
        field = torch.zeros(2, sides[0] // 4, sides[1] // 4)
        for level in range(len(_LEVELS) - 1):
            field = pyramid.refined(field, level)
    return pyramid, field


@dataclass(frozen=True)
class _Pyramid:
    """Two label maps that are registered, as planes of h x w pixels, at which the finest level of `_LEVELS` works.

    Attributes:
        moving, fixed: (C, h, w), the share of each class in each pixel, of the label map that is warped and of the
            label map that it should match.
        weights: (C, 1, 1), square roots of the classes' weights.
        hold: (h, w), the share of background and clothes.
    """

    moving: Tensor
    fixed: Tensor
    weights: Tensor
    hold: Tensor

    def refined(self, field: Tensor, level: int) -> Tensor:
        """Resize a field (2, h', w') to a level of `_LEVELS`, and refine it there.

        Args:
            field: the initial field, in pixels of its own resolution.
            level: index of the level.

        Returns:
            The refined field, in pixels of the level.
        """
        import torch

        (shrink, count), smooth = _LEVELS[level], _SMOOTH[level]
        size = tuple(side // shrink for side in self.hold.shape)
        with torch.inference_mode():
            a, b = (_blurred(_pooled(p, shrink), _SOFT) * self.weights for p in (self.moving, self.fixed))
            held = _pooled(self.hold[None], shrink)
            if field.shape[1:] != size:
                grown = torch.nn.functional.interpolate(field[None], size, mode="bilinear", align_corners=False)[0]
                field = grown * torch.tensor([size[i] / field.shape[i + 1] for i in (0, 1)])[:, None, None]
            return _demons(a, b, 1 - _HOLD * held, field, count, smooth)


def _demons(moving: Tensor, fixed: Tensor, keep: Tensor, field: Tensor, count: int, smooth: float) -> Tensor:
    """Refine a displacement field at one resolution with the demons algorithm.

    Args:
        moving: (C, h, w), blurred one-hot planes of the label map that is warped, one for each class.
        fixed: (C, h, w), the same planes of the label map that the warped label map should match.
        keep: (1, h, w), factor by which the field is multiplied after each iteration.
        field: (2, h, w), initial field, in pixels of this resolution.
        count: number of iterations.
        smooth: standard deviation of the Gaussian that regularises the field, in pixels.

    Returns:
        The refined field (2, h, w), in pixels of this resolution.
    """
    import torch
    from torch.nn import functional as F

    height, width = fixed.shape[1:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    rest = torch.stack([columns, rows], -1).float()
    unit = torch.tensor([2 / max(width - 1, 1), 2 / max(height - 1, 1)])
    for _ in range(count):
        grid = (rest + field.flip(0).permute(1, 2, 0)) * unit - 1
        carried = F.grid_sample(moving[None], grid[None], padding_mode="border", align_corners=True)[0]
        lacks = fixed - carried
        padded = F.pad(carried[None], (1, 1, 1, 1), mode="replicate")[0]
        down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
        right = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
        scale = (down.square() + right.square()).sum(0) + 0.5 * lacks.square().sum(0) + _NOISE
        force = torch.stack([(lacks * down).sum(0), (lacks * right).sum(0)]) / scale
        field = _blurred(field + force.clamp(-_STEP, _STEP), smooth) * keep
    return field


def _planes(labels: LabelMap, classes: list[int], sides: tuple[int, ...]) -> Tensor:
    """Resize a label map to ``sides``, and compute the share of each class in each new pixel.

    Args:
        labels: (H, W), the label map.
        classes: the C ids of the classes.
        sides: (h, w), the new size.

    Returns:
        (C, h, w), the shares, 0 to 1.
    """
    import torch

    fine = _nearest(labels, (2 * sides[0], 2 * sides[1]))
    planes = torch.from_numpy(np.stack([fine == c for c in classes])).float()
    return _pooled(planes, 2)


def _without_unmatched(before: LabelMap, after: LabelMap, classes: list[int]) -> tuple[LabelMap, LabelMap]:
    """Replace classes that only one of two label maps shows, so that they have no effect on the registration.

    Pixels of such a class, for example of new glasses, get the class of the same pixel in the other label map. The
    inside of a mouth is kept, because it pushes the lips apart.

    Args:
        before, after: (h, w), the label maps.
        classes: the ids of the classes that both label maps show, as returned by `matched`.

    Returns:
        Both label maps (h, w) with the replaced pixels.
    """
    known = np.zeros(256, bool)
    known[[*classes, ID["mouth"]]] = True
    return np.where(known[before], before, after), np.where(known[after], after, before)


def _nearest(labels: LabelMap, sides: tuple[int, ...]) -> LabelMap:
    """Resize a label map (H, W) to ``sides`` (h, w) by nearest neighbour."""
    rows, columns = (
        ((np.arange(side) + 0.5) * (length / side)).astype(np.intp)
        for side, length in zip(sides, labels.shape, strict=True)
    )
    return np.asarray(labels[rows[:, None], columns])


def _pooled(planes: Tensor, shrink: int) -> Tensor:
    """Reduce planes (C, h, w) by the factor ``shrink``: each value is the mean of a block of shrink x shrink pixels."""
    from torch.nn import functional as F

    return planes if shrink == 1 else F.avg_pool2d(planes[None], shrink)[0]


def _blurred(planes: Tensor, deviation: float) -> Tensor:
    """Blur planes (C, h, w) with a Gaussian, standard deviation in pixels; outside, the border pixels are repeated."""
    height, width = planes.shape[1:]
    return _gaussian(height, deviation) @ planes @ _gaussian(width, deviation).T


@functools.lru_cache(maxsize=64)
def _gaussian(length: int, deviation: float) -> Tensor:
    """Return the matrix (length, length) whose product with a signal blurs the signal with a 1D Gaussian.

    The standard deviation is in pixels. Matrix products are faster here than separable convolutions.
    """
    import torch

    reach = max(1, round(2.5 * deviation))
    offsets = torch.arange(-reach, reach + 1)
    line = torch.exp(-0.5 * (offsets / deviation).square())
    places = (torch.arange(length)[:, None] + offsets).clamp(0, length - 1)
    return torch.zeros(length, length).scatter_add_(1, places, (line / line.sum()).expand(length, -1))


def _enlarged(planes: npt.NDArray[np.float32], sides: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Resize planes (C, h, w) to ``sides`` (H, W) by bicubic interpolation, whose first derivative is continuous."""
    import torch
    from torch.nn import functional as F

    if planes.shape[1:] == sides:
        return planes
    with torch.inference_mode():
        sized = F.interpolate(torch.from_numpy(np.ascontiguousarray(planes))[None], sides, mode="bicubic")
    return np.asarray(sized[0].numpy())


def _unfolded(field: Displacement, reach: int) -> Displacement:
    """Smooth a field where it folds or nearly folds, until its Jacobian is at least `LEAST_JACOBIAN` everywhere.

    If 24 iterations are not enough, the whole field is multiplied by factors below 1.

    Args:
        field: (2, h, w), displacement of rows and columns in pixels.
        reach: radius of the smoothing in pixels.

    Returns:
        The smoothed field (2, h, w).
    """
    for _ in range(24):
        tight = jacobian(field) < LEAST_JACOBIAN
        if not tight.any():
            return field
        weight = np.clip(2 * ndimage.uniform_filter(tight.astype(np.float32), 6 * reach), 0, 1) + tight
        weight = ndimage.uniform_filter(np.clip(4 * weight, 0, 1), 2 * reach)
        smooth = np.stack([ndimage.uniform_filter(plane, 4 * reach + 1, mode="constant") for plane in field])
        field = np.asarray(field + weight * (smooth - field), np.float32)
    while (jacobian(field) < LEAST_JACOBIAN).any():
        field = field * np.float32(0.8)
    return field
