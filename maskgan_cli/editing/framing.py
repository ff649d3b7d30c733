"""Is this a face crop? What the mask of a picture says about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from maskgan_cli.data.alignment import Points, crop_points, points_of_mask
from maskgan_cli.labels import ID, LabelMap

# Of 142 real CelebA-HQ faces parsed by the bundled parser, and 850 masks drawn by people, none is outside these
# limits (least skin 0.13 and 0.12, eyes to mouth 0.16 to 0.38 and 0.17 to 0.65), but 7 drawn masks without eyes.
LEAST_SKIN: Final = 0.1  # share of the picture
LEAST_EYES: Final = 0.0003
EYES_TO_MOUTH: Final = (0.15, 0.7)  # share of the side
FARTHEST: Final = 0.12  # of the side: any point from where CelebA-HQ's crops have it; of 121 real ones at most 0.084

_SKIN: Final = [ID["skin"], ID["nose"]]
_EYES: Final = [ID["l_eye"], ID["r_eye"], ID["eye_g"]]
_MOUTH: Final = [ID["mouth"], ID["u_lip"], ID["l_lip"]]

FACE_CROP: Final = "a face that fills the picture, as in CelebA-HQ"


def oddity(labels: LabelMap) -> str:
    """What in a label map (H, W) is not as in a face crop, in a few words; empty if nothing is."""
    skin, eyes, mouth = (np.isin(labels, ids) for ids in (_SKIN, _EYES, _MOUTH))
    if skin.mean() < LEAST_SKIN:
        return f"skin on {skin.mean():.1%} of it"
    if eyes.mean() < LEAST_EYES:
        return "no eyes"
    if mouth.any():
        apart = (np.nonzero(mouth)[0].mean() - np.nonzero(eyes)[0].mean()) / len(labels)
        if not EYES_TO_MOUTH[0] <= apart <= EYES_TO_MOUTH[1]:
            return f"the mouth {apart:.0%} of its height below the eyes"
    return ""


def framed(labels: LabelMap, find: Callable[[], Points | None]) -> bool:
    """Whether a picture is a face whose points lie about where CelebA-HQ's crops have them.

    Args:
        labels: its mask (S, S), as the parser sees it.
        find: looks for the face in the picture: its points (5, 2), or None; asked where the mask shows too few. At a
            size that it did not learn at, the parser makes a large face of hair and walls.
    """
    if oddity(labels):
        return False
    points, where = points_of_mask(labels), crop_points(len(labels))
    if np.array_equal(points, where):  # guessed
        found = find()
        points = where if found is None else found
    return _away(points, where, labels) <= FARTHEST


def misplaced(labels: LabelMap) -> str:
    """Where the points of a label map (S, S) are not where a face crop has them, how far; empty if they are."""
    away = _away(points_of_mask(labels), crop_points(len(labels)), labels)
    return f"eyes, nose or mouth {away:.0%} of its side from their places" if away > FARTHEST else ""


def _away(points: Points, where: Points, labels: LabelMap) -> float:
    return float(np.nanmax(np.abs(points - where))) / len(labels)
