"""Accessories taken off: what a mask shows instead."""

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
    """The kind (`KINDS`) of a thing in `library.ITEMS`."""
    return name.split("-", maxsplit=1)[0]


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds (`KINDS`) of things in `library.ITEMS`, each once."""
    return tuple(dict.fromkeys(map(kind_of, names)))


def without(labels: LabelMap, kinds: Iterable[str]) -> LabelMap:
    """A label map (S, S) without accessories of some kinds; a new array.

    Where dark glasses hid the eyes, those of a mean face are put in their place.
    """
    parts = [ID[KINDS[kind]] for kind in kinds]
    if not np.isin(labels, parts).any():
        return labels.copy()
    result = remove_parts(labels, parts)
    if ID["eye_g"] in parts:
        result = _with_eyes(result, labels == ID["eye_g"])
    return result


def _with_eyes(labels: LabelMap, hidden: np.ndarray) -> LabelMap:
    """A label map (S, S) with the eyes that it lacks, where ``hidden`` (S, S) hid them."""
    missing = [ID[eye] for eye in ("l_eye", "r_eye") if not (labels == ID[eye]).any()]
    if not missing:
        return labels
    mean = library.item("glasses-round")
    turn = similarity(points_of_mask(labels), mean.points)  # points that are not seen do not count
    rows, columns = np.mgrid[: len(labels), : len(labels)] + 0.5
    source = np.floor(np.stack([columns, rows], -1) @ turn[:, :2].T + turn[:, 2]).astype(int)
    source = np.clip(source, 0, len(mean.labels) - 1)
    found = mean.labels[source[..., 1], source[..., 0]]
    eyes = np.isin(found, missing) & hidden
    return np.where(eyes, found, labels)
