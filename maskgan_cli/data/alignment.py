"""Five points of a face, and the similarity that puts them where face networks expect them.

The points are, as the picture shows them: eye on the left, eye on the right, tip of the nose, corner of
the mouth on the left, on the right. Places are in pixels, x right and y down, (0.5, 0.5) being the middle
of the first pixel. A point that cannot be seen is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import GROUPS, ID, LabelMap

if TYPE_CHECKING:
    from torch import Tensor

Points = npt.NDArray[np.float64]

# Where the five points lie in ArcFace's aligned faces of 112 x 112 pixels. Published with (0, 0) as the middle of
# the first pixel, hence the half.
TEMPLATE: Final[Points] = 0.5 + np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
TEMPLATE_SIZE: Final = 112
# Where MTCNN finds them in CelebA-HQ's crops, as shares of the side: means over 170 faces of CelebAMask-HQ.
# The crops are aligned themselves: eyes vary by 1 % of the side, nose and mouth by 2 to 3 %.
CROP: Final[Points] = np.array(
    [[0.3785, 0.4763], [0.6274, 0.4769], [0.4998, 0.6326], [0.3908, 0.7367], [0.6140, 0.7370]]
)
_NOSE_TIP = 0.82  # of the way down the nose's region, likewise measured
_EYE_BELOW_BROW = 0.19  # of the way from brow to mouth, likewise
_MIN_PIXELS = 4  # smaller regions are specks


def similarity(points: Points, targets: Points) -> Points:
    """The turn, scale and shift that bring points nearest to their targets (Umeyama 1991, no mirroring).

    In the plane, turn and scale are one complex number, and least squares has a closed form. Points
    that are NaN do not count.

    Args:
        points: (..., 5, 2); at least two different ones are not NaN.
        targets: the same shape, or one that broadcasts.

    Returns:
        Matrices (..., 2, 3) that take (x, y, 1) to the target's place.
    """
    known = np.isfinite(points).all(-1)
    source = np.where(known, points[..., 0] + 1j * points[..., 1], 0)
    target = np.where(known, targets[..., 0] + 1j * targets[..., 1], 0)
    count = known.sum(-1)
    from_middle, to_middle = source.sum(-1) / count, target.sum(-1) / count
    source = np.where(known, source - from_middle[..., None], 0)
    factor = (source.conj() * target).sum(-1) / (abs(source) ** 2).sum(-1)
    offset = to_middle - factor * from_middle
    rows = [[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]]
    return np.asarray(np.stack([np.stack(row, -1) for row in rows], -2), np.float64)


def crop_points(size: int) -> Points:
    """The five points (5, 2) of a crop framed like CelebA-HQ, where nothing better is known."""
    return CROP * size


def points_of_mask(labels: LabelMap) -> Points:
    """The five points (5, 2) of a face from its mask (H, W).

    Eyes are the middles of their regions and the mouth's corners the ends of its region along the line
    of the eyes; the nose's tip is found by height. An eye that is hidden (closed, behind dark glasses
    or hair) is guessed from its brow, a fifth of the way to the mouth; without a brow it stays NaN.
    With fewer than three points, or no mouth, the face is taken to be framed like CelebA-HQ.
    """
    mouth = _places(labels, *GROUPS["mouth"])
    points = np.full((5, 2), np.nan)
    if len(mouth):
        middle = mouth.mean(0)
        # The person's right eye is on the left of the picture.
        for row, (eye, brow) in enumerate((("r_eye", "r_brow"), ("l_eye", "l_brow"))):
            found, above = _places(labels, eye), _places(labels, brow)
            if len(found):
                points[row] = found.mean(0)
            elif len(above):
                points[row] = above.mean(0) + _EYE_BELOW_BROW * (middle - above.mean(0))
        axis = points[1] - points[0]
        axis = axis / np.hypot(*axis) if np.isfinite(axis).all() and axis.any() else np.array([1.0, 0.0])
        along = mouth @ axis
        low, high = np.quantile(along, [0.01, 0.99])
        points[3], points[4] = mouth[along <= low].mean(0), mouth[along >= high].mean(0)
        nose = _places(labels, "nose")
        if len(nose):
            down = np.array([-axis[1], axis[0]])
            depth = nose @ down
            tip = depth.min() + _NOSE_TIP * (depth.max() - depth.min())
            points[2] = nose.mean(0) + (tip - depth.mean()) * down
    seen = np.isfinite(points).all(1)
    if not seen[:3].any() or seen.sum() < 3:
        return crop_points(labels.shape[-1])
    return points


def batch_points(labels: Tensor, size: int) -> Points:
    """The five points (N, 5, 2) of each label map (N, S, S), or those of all crops where there are no masks."""
    if not labels.numel():
        return np.broadcast_to(crop_points(size), (len(labels), 5, 2))
    return np.stack([points_of_mask(one) for one in labels.cpu().numpy()])


def _places(labels: LabelMap, *names: str) -> Points:
    """The middles (N, 2) of the pixels of some classes; none if they are but a speck."""
    rows, columns = np.nonzero(np.isin(labels, [ID[name] for name in names]))
    places = np.stack([columns, rows], 1).astype(np.float64) + 0.5
    return places if len(places) >= _MIN_PIXELS else places[:0]


def align(images: Tensor, points: Points, size: int = TEMPLATE_SIZE) -> Tensor:
    """Turn, scale and shift faces so that their points lie as in ArcFace's template.

    Args:
        images: (N, 3, H, W) ``uint8``, on any device.
        points: (N, 5, 2), or (5, 2) for all alike.
        size: side of the result; the template is scaled with it.

    Returns:
        (N, 3, size, size) ``uint8`` on the same device; black outside the picture.
    """
    import torch  # here: whoever needs points alone does without it

    return aligned(images.float(), points, size).round_().clamp_(0, 255).to(torch.uint8)


def aligned(images: Tensor, points: Points, size: int = TEMPLATE_SIZE) -> Tensor:
    """`align` for floating-point pictures of any range; 0 outside the picture. Gradients flow through it."""
    import torch
    from torch.nn import functional as F

    pictures, points = images, np.broadcast_to(points, (len(images), 5, 2))
    targets = TEMPLATE * (size / TEMPLATE_SIZE)
    # Where faces shrink, shrink the whole picture first, with antialiasing.
    matrices = similarity(points, targets)
    shrink = float(np.sqrt(np.abs(np.linalg.det(matrices[..., :2]))).mean()) if len(images) else 1.0
    height, width = pictures.shape[-2:]
    if shrink < 1:
        small = (max(1, round(height * shrink)), max(1, round(width * shrink)))
        pictures = F.interpolate(pictures, small, mode="bilinear", antialias=True)
        matrices = similarity(points * [small[1] / width, small[0] / height], targets)
        height, width = small
    # `grid_sample` asks for every pixel of the result where it lies in the picture, in [-1, 1].
    middles = np.arange(size) + 0.5
    wanted = np.stack(np.broadcast_arrays(middles[None, :], middles[:, None]), -1).reshape(1, -1, 2)
    turned = np.linalg.inv(matrices[..., :2])
    found = (wanted - matrices[:, None, :, 2]) @ turned.transpose(0, 2, 1)
    grid = torch.from_numpy(found.reshape(-1, size, size, 2) * [2 / width, 2 / height] - 1)
    return F.grid_sample(pictures, grid.to(pictures), mode="bilinear", align_corners=False)
