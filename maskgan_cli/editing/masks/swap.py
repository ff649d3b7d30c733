"""Mask edits: replace parts by those of another face (paper, Sec. 5.4 and 5.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from scipy import ndimage
from skimage.morphology import convex_hull_image

from maskgan_cli.labels import CLASSES, GROUPS, ID, LabelMap, Region

# Classes behind a part: a removed pixel gets the class of the nearest pixel of these classes. Features of the face are
# replaced by skin, as in the paper.
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
# The same for pixels of hair and hats inside the head.
ON_THE_HEAD: Final[dict[str, tuple[str, ...]]] = {"hair": ("skin",), "hat": ("hair", "skin")}

_FACE: Final = [ID[name] for name in ("skin", "eye_g", *GROUPS["face"])]
_PAIRS: Final = ((ID["l_eye"], ID["r_eye"]), (ID["l_brow"], ID["r_brow"]))
_HIDDEN: Final = 0.3  # share of the other one's area; a smaller eye or brow is mostly hidden
_EYES: Final = [ID["l_eye"], ID["r_eye"], ID["eye_g"]]


def swap_parts(source: LabelMap, target: LabelMap, parts: Iterable[int]) -> LabelMap:
    """Replace parts of the source's label map by the target's.

    The parts are removed from the source (see `remove_parts`), then the target's parts are painted over it.

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


def hidden_eyes(*faces: LabelMap) -> frozenset[int]:
    """Class ids of the eyes and brows that hair, hands or glasses hide in one of the faces' label maps.

    An eye or a brow is hidden if it is missing, or much smaller than the other one. In a turned head the far one is
    smaller too, but less so.
    """
    hidden = set()
    for labels in faces:
        for pair in _PAIRS:
            sizes = [int(np.count_nonzero(labels == part)) for part in pair]
            hidden |= {part for part, size in zip(pair, sizes, strict=True) if size <= _HIDDEN * max(sizes)}
    return frozenset(hidden)


def remove_parts(labels: LabelMap, parts: Iterable[int]) -> LabelMap:
    """Remove parts from a label map (H, W): each of their pixels gets the class behind it.

    See `BEHIND` and `ON_THE_HEAD`. If the picture has no pixels of these classes, features of the face become skin, and
    other parts become background.
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
    """The region (H, W) of the head without hair: the convex hull of the face, and a skull above it.

    The skull is half an ellipse over the line of the eyes, as wide as the face and as high as the distance from eyes to
    chin, because the eyes lie halfway between chin and crown.
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
    result: LabelMap, labels: LabelMap, region: Region, behind: tuple[str, ...], kept: Region, default: str
) -> None:
    """Give every pixel of a region the label of the nearest kept pixel of the classes behind, or the default."""
    anchors = np.isin(labels, [ID[name] for name in behind]) & kept
    if len(behind) == 1 or not anchors.any():
        result[region] = ID[behind[0] if len(behind) == 1 else default]
        return
    rows, columns = ndimage.distance_transform_edt(~anchors, return_distances=False, return_indices=True)
    result[region] = labels[rows[region], columns[region]]
