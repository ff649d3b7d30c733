"""Remove accessories from a mask; the freed pixels get the classes that are probably behind the accessories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from maskgan_cli.data.alignment import points_of_mask, similarity
from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.swap import remove_parts
from maskgan_cli.labels import ID, LabelMap

KINDS: Final[dict[str, str]] = {"glasses": "eye_g", "hat": "hat", "earrings": "ear_r", "necklace": "neck_l"}


def kind_of(name: str) -> str:
    """Return the kind (a key of `KINDS`) of an accessory in `library.ITEMS`, e.g. ``hat`` for ``hat-fedora``."""
    return name.split("-", maxsplit=1)[0]


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds (keys of `KINDS`) of several accessories in `library.ITEMS`, each kind only once."""
    return tuple(dict.fromkeys(map(kind_of, names)))


def without(labels: LabelMap, kinds: Iterable[str]) -> LabelMap:
    """Remove accessories of some kinds from a label map (S, S), and return a new label map.

    If dark glasses hid the eyes, the eyes of an average face are drawn where the glasses were.

    Args:
        labels: the label map.
        kinds: keys of `KINDS`.
    """
    parts = [ID[KINDS[kind]] for kind in kinds]
    if not np.isin(labels, parts).any():
        return labels.copy()
    result = remove_parts(labels, parts)
    if ID["eye_g"] in parts:
        result = _with_eyes(result, labels == ID["eye_g"])
    return result


def _with_eyes(labels: LabelMap, hidden: np.ndarray) -> LabelMap:
    """Draw missing eyes into a label map (S, S), and return it: the eyes of an average face, aligned by landmarks.

    Args:
        labels: the label map without glasses; it is returned unchanged if both eyes are visible.
        hidden: (S, S), the region that the glasses covered; eyes are drawn only there.
    """
    missing = [ID[eye] for eye in ("l_eye", "r_eye") if not (labels == ID[eye]).any()]
    if not missing:
        return labels
    mean = library.item("glasses-round")
    turn = similarity(points_of_mask(labels), mean.points)  # hidden landmarks (NaN) are ignored
    rows, columns = np.mgrid[: len(labels), : len(labels)] + 0.5
    source = np.floor(np.stack([columns, rows], -1) @ turn[:, :2].T + turn[:, 2]).astype(int)
    source = np.clip(source, 0, len(mean.labels) - 1)
    found = mean.labels[source[..., 1], source[..., 0]]
    eyes = np.isin(found, missing) & hidden
    return np.where(eyes, found, labels)
