"""Check, by means of a picture's mask, whether the picture is a face crop framed as in CelebA-HQ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from maskgan_cli.data.alignment import Points, crop_points, points_of_mask
from maskgan_cli.labels import ID, LabelMap

# All of 142 parsed CelebA-HQ faces and 843 of 850 annotated masks are within these limits; seven masks have no eyes.
LEAST_SKIN: Final = 0.1  # smallest area of skin, as a share of the picture
LEAST_EYES: Final = 0.0003  # smallest area of the eyes, as a share of the picture
EYES_TO_MOUTH: Final = (0.15, 0.7)  # vertical distance from eyes to mouth, as a share of the side
# Largest distance of a landmark from its mean position in CelebA-HQ, as a share of the side. In 121 real faces it is at
# most 0.084.
FARTHEST: Final = 0.12

_SKIN: Final = [ID["skin"], ID["nose"]]
_EYES: Final = [ID["l_eye"], ID["r_eye"], ID["eye_g"]]
_MOUTH: Final = [ID["mouth"], ID["u_lip"], ID["l_lip"]]

FACE_CROP: Final = "a face that fills the picture, as in CelebA-HQ"


def crop_problem(labels: LabelMap) -> str:
    """Return why a label map (H, W) cannot belong to a face crop; an empty string if it can belong to one."""
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
    """Return whether a picture is framed as in CelebA-HQ: its landmarks are near the mean positions of CelebA-HQ.

    Args:
        labels: (S, S), the picture's mask by the face parser.
        find: function that detects the picture's face and returns its landmarks (5, 2), or None if there is no face.
            It is called only if the mask shows too few landmarks. Such a mask may be wrong, because the parser can
            mistake hair and walls for a large face.
    """
    if crop_problem(labels):
        return False
    points, where = points_of_mask(labels), crop_points(len(labels))
    if np.array_equal(points, where):  # the mask shows too few points
        found = find()
        points = where if found is None else found
    return _away(points, where, labels) <= FARTHEST


def misplaced(labels: LabelMap) -> str:
    """Return an error message if landmarks of a label map (S, S) are far from their mean positions in face crops.

    Return an empty string otherwise.
    """
    away = _away(points_of_mask(labels), crop_points(len(labels)), labels)
    return f"eyes, nose or mouth {away:.0%} of its side from their places" if away > FARTHEST else ""


def _away(points: Points, where: Points, labels: LabelMap) -> float:
    """Return the largest coordinate difference between two sets of landmarks, as a share of the picture's side.

    Args:
        points, where: (5, 2) each, the two sets of landmarks in pixels; NaN is ignored.
        labels: (S, S), any label map of the picture; only its size is used.
    """
    return float(np.nanmax(np.abs(points - where))) / len(labels)
