"""Mask edits: take parts of another face's shape (paper, Sec. 5.4 and 5.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.morphology import convex_hull_image

from maskgan_cli.labels import CLASSES, ID, LabelMap

Region = npt.NDArray[np.bool_]

# What may come to light where a part is taken away; the nearest pixel of one of these decides.
# The features of the face leave skin, as in the paper.
BEHIND: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("nose", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip"), ("skin",)),
    "skin": ("hair", "neck", "background", "cloth"),
    "eye_g": ("skin", "hair", "background"),
    "l_ear": ("hair", "skin", "neck", "background"),
    "r_ear": ("hair", "skin", "neck", "background"),
    "hair": ("background", "neck", "cloth", "hat"),
    "hat": ("background", "cloth"),
    "ear_r": ("l_ear", "r_ear", "hair", "neck", "skin", "cloth", "background"),
    "neck_l": ("neck", "cloth", "skin"),
    "neck": ("cloth", "background", "hair"),
    "cloth": ("background", "neck"),
}
# Hair and hats cover the head itself as well as what is beside it: inside the head, these instead.
ON_THE_HEAD: Final[dict[str, tuple[str, ...]]] = {"hair": ("skin",), "hat": ("hair", "skin")}

_FACE: Final = [ID[n] for n in ("skin", "nose", "eye_g", "l_eye", "r_eye", "l_brow", "r_brow", "mouth",
                                "u_lip", "l_lip")]  # fmt: skip
_EYES: Final = [ID["l_eye"], ID["r_eye"], ID["eye_g"]]


def swap_parts(source: LabelMap, target: LabelMap, parts: Iterable[int]) -> LabelMap:
    """The source's label map with the shape of some parts taken from the target's.

    First the source loses those parts (see `remove_parts`), then the target's are painted over it.

    Args:
        source, target: (H, W), same size.
        parts: class ids, from `maskgan_cli.labels.part_ids`.

    Returns:
        (H, W), a new array.
    """
    parts = list(parts)
    result = remove_parts(source, parts)
    wanted = np.isin(target, parts)
    result[wanted] = target[wanted]
    return result


def remove_parts(labels: LabelMap, parts: Iterable[int]) -> LabelMap:
    """A label map (H, W) without some parts: each lost pixel becomes what lies behind it.

    See `BEHIND` and `ON_THE_HEAD`. Where nothing of that kind is left in the picture, features of
    the face become skin and all else becomes background.
    """
    parts = sorted(parts)
    kept = ~np.isin(labels, parts)
    result = labels.copy()
    for part in parts:
        name, region = CLASSES[part], labels == part
        if not region.any():
            continue
        if name in ON_THE_HEAD:
            head = head_region(labels)
            _fill(result, labels, region & head, ON_THE_HEAD[name], kept, "skin")
            region = region & ~head
        _fill(result, labels, region, BEHIND[name], kept, "skin" if BEHIND[name] == ("skin",) else "background")
    return result


def head_region(labels: LabelMap) -> Region:
    """Where the head itself is, with or without hair: the face's hull, and a skull above it.

    The skull follows the draughtsman's rule that the eyes lie halfway between chin and crown: half
    an ellipse over the eye line, as high as the chin is below it and as wide as the face.
    """
    face = np.isin(labels, _FACE)
    if not face.any():
        return face
    head: Region = convex_hull_image(face)  # type: ignore[no-untyped-call]
    eyes = np.isin(labels, _EYES)
    if eyes.any():
        eye_line = np.nonzero(eyes)[0].mean()
        rows, columns = np.nonzero(head)
        height = max(rows.max() - eye_line, 1.0)
        left, right = columns.min(), columns.max()
        y, x = np.ogrid[: labels.shape[0], : labels.shape[1]]
        across = (x - (left + right) / 2) / max((right - left) / 2, 1.0)
        head |= (y <= eye_line) & (across**2 + ((y - eye_line) / height) ** 2 <= 1.0)
    return head


def _fill(
    result: LabelMap, labels: LabelMap, region: Region, behind: tuple[str, ...], kept: Region, otherwise: str
) -> None:
    """Give every pixel of a region the label of the nearest kept pixel of one of the classes behind."""
    anchors = np.isin(labels, [ID[name] for name in behind]) & kept
    if len(behind) == 1 or not anchors.any():
        result[region] = ID[behind[0] if len(behind) == 1 else otherwise]
        return
    rows, columns = ndimage.distance_transform_edt(~anchors, return_distances=False, return_indices=True)
    result[region] = labels[rows[region], columns[region]]
