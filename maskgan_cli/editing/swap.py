"""Mask edits: take parts of another face's shape (paper, Sec. 4.2 and 4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.labels import CLASSES, ID, LabelMap

# What may come to light where a part is taken away. The features of the face leave skin, as in the
# paper. For the others the nearest pixel of one of these classes decides.
BEHIND: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("nose", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip"), ("skin",)),
    "skin": ("hair", "neck", "background", "cloth"),
    "eye_g": ("skin", "hair", "background"),
    "l_ear": ("hair", "skin", "neck", "background"),
    "r_ear": ("hair", "skin", "neck", "background"),
    "hair": ("skin", "neck", "cloth", "background", "hat", "l_ear", "r_ear"),
    "hat": ("hair", "skin", "background"),
    "ear_r": ("l_ear", "r_ear", "hair", "neck", "skin", "cloth", "background"),
    "neck_l": ("neck", "cloth", "skin"),
    "neck": ("cloth", "background", "hair"),
    "cloth": ("background", "neck"),
}


def swap_parts(source: LabelMap, target: LabelMap, parts: Iterable[int]) -> LabelMap:
    """The source's label map with the shape of some parts taken from the target's.

    First the source loses those parts (see `remove_parts`), then the target's are painted over it.

    Args:
        source, target: (H, W), same size.
        parts: class ids, from `maskgan_cli.labels.part_ids`.

    Returns:
        (H, W), a new array.
    """
    wanted = np.isin(target, list(parts))
    result = remove_parts(source, parts)
    result[wanted] = target[wanted]
    return result


def remove_parts(labels: LabelMap, parts: Iterable[int]) -> LabelMap:
    """A label map (H, W) without some parts: each lost pixel becomes what lies behind (`BEHIND`).

    Where nothing of that kind is left in the picture, features of the face become skin and all
    else becomes background.
    """
    parts = sorted(parts)
    result = labels.copy()
    lost = np.isin(labels, parts)
    for part in parts:
        region = labels == part
        if not region.any():
            continue
        behind = [ID[name] for name in BEHIND[CLASSES[part]] if ID[name] not in parts]
        if behind == [ID["skin"]]:
            result[region] = ID["skin"]
            continue
        anchors = np.isin(labels, behind) & ~lost
        if not anchors.any():
            result[region] = ID["background"]
            continue
        rows, columns = _nearest(anchors)
        result[region] = labels[rows[region], columns[region]]
    return result


def _nearest(anchors: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """For every pixel, row and column of the nearest anchor."""
    rows, columns = ndimage.distance_transform_edt(~anchors, return_distances=False, return_indices=True)
    return rows, columns
