"""Replace parts of a mask by those of another face (paper, Sec. 5.4 and 5.6), or remove parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from scipy import ndimage
from skimage.morphology import convex_hull_image

from maskgan_cli.labels import CLASSES, GROUPS, ID, LabelMap, Region

# The classes that can be behind a part. If the part is removed, each pixel of the part gets the class of the nearest
# pixel of these classes. Features of the face are replaced by skin, as in the paper.
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
# The same for pixels of hair and hats that lie inside the head: see `head_region`.
ON_THE_HEAD: Final[dict[str, tuple[str, ...]]] = {"hair": ("skin",), "hat": ("hair", "skin")}

_FACE: Final = [ID[name] for name in ("skin", "eye_g", *GROUPS["face"])]
_PAIRS: Final = ((ID["l_eye"], ID["r_eye"]), (ID["l_brow"], ID["r_brow"]))
_HIDDEN: Final = 0.3  # an eye or brow counts as hidden if its area is below this share of the other one's area
_EYES: Final = [ID["l_eye"], ID["r_eye"], ID["eye_g"]]


def swap_parts(source: LabelMap, target: LabelMap, parts: Iterable[int]) -> LabelMap:
    """Replace parts of the source's label map by the target's parts.

    The parts are removed from the source (see `remove_parts`), then the target's parts are drawn over the source.

    Args:
        source, target: (H, W), two label maps of the same size.
        parts: class ids of the parts, e.g. from `maskgan_cli.labels.part_ids`.

    Returns:
        (H, W), a new label map.
    """
    parts = list(parts)
    result = remove_parts(source, parts)
    wanted = np.isin(target, parts)
    result[wanted] = target[wanted]
    return result


def hidden_eyes(*faces: LabelMap) -> frozenset[int]:
    """Return the class ids of the eyes and brows that hair, a hand or glasses hide in at least one of the label maps.

    An eye or a brow counts as hidden if it is missing, or at most 0.3 times as large as the other eye or brow. In a
    turned head, the eye on the far side is also smaller, but not that much.

    Args:
        *faces: (H, W) each, label maps of faces.
    """
    hidden = set()
    for labels in faces:
        for pair in _PAIRS:
            sizes = [int(np.count_nonzero(labels == part)) for part in pair]
            hidden |= {part for part, size in zip(pair, sizes, strict=True) if size <= _HIDDEN * max(sizes)}
    return frozenset(hidden)


def remove_parts(labels: LabelMap, parts: Iterable[int]) -> LabelMap:
    """Remove parts from a label map (H, W), and return a new label map.

    Each pixel of a removed part gets the class that is probably behind it: the nearest of the classes in `BEHIND` or
    `ON_THE_HEAD`. If the label map has none of these classes, features of the face become skin, and other parts become
    background.

    Args:
        labels: the label map.
        parts: class ids of the parts.
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
    """Return the region (H, W) that the head would cover without hair: the convex hull of the face, and the skull.

    The skull is half an ellipse above the eyes. The ellipse is as wide as the face. Its height above the eyes is the
    distance from eyes to chin, because the eyes are halfway between the chin and the top of the head.

    Args:
        labels: (H, W), label map of a face.
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
    """Fill a region of ``result`` in place with the classes that are behind a removed part.

    Args:
        result: (H, W), the label map that is changed.
        labels: (H, W), the label map before the removal.
        region: (H, W), the pixels to fill.
        behind: names of the classes that can be behind the part. If there is only one class, it fills the whole
            region. Otherwise each pixel gets the class of the nearest pixel of these classes.
        kept: (H, W), pixels that do not belong to a removed part.
        default: name of the class that is used if there are no kept pixels of the classes ``behind``.
    """
    anchors = np.isin(labels, [ID[name] for name in behind]) & kept
    if len(behind) == 1 or not anchors.any():
        result[region] = ID[behind[0] if len(behind) == 1 else default]
        return
    rows, columns = ndimage.distance_transform_edt(~anchors, return_distances=False, return_indices=True)
    result[region] = labels[rows[region], columns[region]]
