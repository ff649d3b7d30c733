"""Five facial landmarks ("points"), and the alignment of faces to the template of face recognition networks.

The points are, from the viewer's perspective: left eye, right eye, tip of the nose, left and right corner of the mouth.
Coordinates are in pixels, x to the right and y down; (0.5, 0.5) is the centre of the first pixel. Points that are not
visible are NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import GROUPS, ID, LabelMap

if TYPE_CHECKING:
    from torch import Tensor

Points = npt.NDArray[np.float64]

# The five points in ArcFace's aligned faces of 112 x 112 pixels. 0.5 is added, because the published coordinates have
# (0, 0) at the centre of the first pixel.
TEMPLATE: Final[Points] = 0.5 + np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
TEMPLATE_SIZE: Final = 112
# Mean coordinates of MTCNN's points in 170 crops of CelebAMask-HQ, as shares of the crop's side. The crops are aligned,
# so the eyes vary by 1 % of the side, nose and mouth by 2 to 3 %.
CROP: Final[Points] = np.array(
    [[0.3785, 0.4763], [0.6274, 0.4769], [0.4998, 0.6326], [0.3908, 0.7367], [0.6140, 0.7370]]
)
# Distance of the nose's tip from the top of the nose's region, as a share of the region's height; and distance from
# brow to eye, as a share of the distance from brow to mouth. Both are measured on the same faces.
_NOSE_TIP = 0.82
_EYE_BELOW_BROW = 0.19
_MIN_PIXELS = 4  # regions with fewer pixels are ignored


def similarity(points: Points, targets: Points) -> Points:
    """Fit the similarity transform (rotation, scale, shift) that maps points to targets (least squares, Umeyama 1991).

    Points that are NaN are ignored. With complex numbers as coordinates, rotation and scale are one complex factor, and
    the solution has a closed form.

    Args:
        points: one or more sets of five points (..., 5, 2); in each set, at least two different points must not be NaN.
        targets: the positions to which the points should be mapped; the same or a broadcastable shape.

    Returns:
        For each set of points, the matrix (..., 2, 3) that maps (x, y, 1) to the target coordinates.
    """
    known = np.isfinite(points).all(-1)
    source = np.where(known, points[..., 0] + 1j * points[..., 1], 0)
    target = np.where(known, targets[..., 0] + 1j * targets[..., 1], 0)
    count = known.sum(-1)
    source_centre, target_centre = source.sum(-1) / count, target.sum(-1) / count
    source = np.where(known, source - source_centre[..., None], 0)
    factor = (source.conj() * target).sum(-1) / (abs(source) ** 2).sum(-1)
    offset = target_centre - factor * source_centre
    rows = [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    return np.asarray(np.stack([np.stack(row, -1) for row in rows], -2), np.float64)


def crop_points(size: int) -> Points:
    """Return the mean positions (5, 2) of the five points in CelebA-HQ's face crops, for crops of ``size`` pixels.

    These positions are used for faces whose own points are unknown.
    """
    return CROP * size


def points_of_mask(labels: LabelMap) -> Points:
    """Estimate the five points (5, 2) of a face from its mask (H, W).

    Each eye is the centre of its region. The corners of the mouth are the two ends of the mouth's region in the
    direction from eye to eye. The tip of the nose is computed from the height of the nose's region. A hidden eye
    (closed, behind dark glasses or hair) is estimated from the brow above it; if the brow is hidden too, the eye is
    NaN. If the mask has no mouth, or fewer than three points can be estimated, return the mean points of face crops
    (`crop_points`).
    """
    mouth = _pixels(labels, *GROUPS["mouth"])
    points = np.full((5, 2), np.nan)
    if len(mouth):
        centre = mouth.mean(0)
        # The person's right eye is on the left of the picture.
        for row, (eye, brow) in enumerate((("r_eye", "r_brow"), ("l_eye", "l_brow"))):
            found, above = _pixels(labels, eye), _pixels(labels, brow)
            if len(found):
                points[row] = found.mean(0)
            elif len(above):
                points[row] = above.mean(0) + _EYE_BELOW_BROW * (centre - above.mean(0))
        axis = points[1] - points[0]
        axis = axis / np.hypot(*axis) if np.isfinite(axis).all() and axis.any() else np.array([1.0, 0.0])
        along = mouth @ axis
        low, high = np.quantile(along, [0.01, 0.99])
        points[3], points[4] = mouth[along <= low].mean(0), mouth[along >= high].mean(0)
        nose = _pixels(labels, "nose")
        if len(nose):
            down = np.array([-axis[1], axis[0]])
            depth = nose @ down
            tip = depth.min() + _NOSE_TIP * (depth.max() - depth.min())
            points[2] = nose.mean(0) + (tip - depth.mean()) * down
    known = np.isfinite(points).all(1)
    if not known[:3].any() or known.sum() < 3:
        return crop_points(labels.shape[-1])
    return points


def batch_points(labels: Tensor, size: int) -> Points:
    """Estimate the five points of each face in a batch from the face's mask, see `points_of_mask`.

    Args:
        labels: label maps (N, S, S); or (N, 0, 0) if there are no masks.
        size: side of the face crops in pixels, used only if there are no masks.

    Returns:
        The points (N, 5, 2) in pixels. If there are no masks, every face gets the mean points of face crops.
    """
    if not labels.numel():
        return np.broadcast_to(crop_points(size), (len(labels), 5, 2))
    return np.stack([points_of_mask(one) for one in labels.cpu().numpy()])


def _pixels(labels: LabelMap, *names: str) -> Points:
    """Return the centres (x, y) of all pixels of the named classes as an array (N, 2).

    The array is empty (0, 2) if there are fewer than `_MIN_PIXELS` such pixels.
    """
    rows, columns = np.nonzero(np.isin(labels, [ID[name] for name in names]))
    pixels = np.stack([columns, rows], 1).astype(np.float64) + 0.5
    return pixels if len(pixels) >= _MIN_PIXELS else pixels[:0]


def align(images: Tensor, points: Points, size: int = TEMPLATE_SIZE) -> Tensor:
    """Align faces to ArcFace's template by rotation, scaling and shift.

    Args:
        images: (N, 3, H, W) ``uint8``, on any device.
        points: the five points of each face in pixels (N, 5, 2), or (5, 2) if all faces have the same points.
        size: side of the aligned pictures; the template is scaled to this size.

    Returns:
        Aligned faces (N, 3, size, size) ``uint8`` on the same device; black outside of the picture.
    """
    import torch  # imported late, because the other functions do not need it

    return aligned(images.float(), points, size).round_().clamp_(0, 255).to(torch.uint8)


def aligned(images: Tensor, points: Points, size: int = TEMPLATE_SIZE) -> Tensor:
    """Align faces to ArcFace's template like `align`, but with floating-point pictures and differentiably.

    Args:
        images: (N, 3, H, W), floating-point values of any range.
        points: the five points of each face in pixels (N, 5, 2), or (5, 2) if all faces have the same points.
        size: side of the aligned pictures; the template is scaled to this size.

    Returns:
        Aligned faces (N, 3, size, size), not rounded; 0 outside of the picture.
    """
    import torch
    from torch.nn import functional as F

    pictures, points = images, np.broadcast_to(points, (len(images), 5, 2))
    targets = TEMPLATE * (size / TEMPLATE_SIZE)
    # If faces become smaller, resize the whole picture first, with antialiasing.
    matrices = similarity(points, targets)
    shrink = float(np.sqrt(np.abs(np.linalg.det(matrices[..., :2]))).mean()) if len(images) else 1.0
    height, width = pictures.shape[-2:]
    if shrink < 1:
        small = (max(1, round(height * shrink)), max(1, round(width * shrink)))
        pictures = F.interpolate(pictures, small, mode="bilinear", antialias=True)
        matrices = similarity(points * [small[1] / width, small[0] / height], targets)
        height, width = small
    # `grid_sample` needs the source coordinates of every pixel of the result, in [-1, 1].
    centres = np.arange(size) + 0.5
    target = np.stack(np.broadcast_arrays(centres[None, :], centres[:, None]), -1).reshape(1, -1, 2)
    inverse = np.linalg.inv(matrices[..., :2])
    source = (target - matrices[:, None, :, 2]) @ inverse.transpose(0, 2, 1)
    grid = torch.from_numpy(source.reshape(-1, size, size, 2) * [2 / width, 2 / height] - 1)
    return F.grid_sample(pictures, grid.to(pictures), mode="bilinear", align_corners=False)
