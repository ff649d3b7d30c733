"""Shapes in the package: accessories, and pairs of masks that differ in one property.

They are in ``assets/library.npz``, with the browser editor's example faces; ``recipes/make_library.py`` renders them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.data.alignment import Points
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

_FILE: Final = Path(__file__).parents[2] / "assets" / "library.npz"
_CLASS: Final = {"glasses": "eye_g", "hat": "hat", "earrings": "ear_r", "necklace": "neck_l"}
ITEMS: Final[dict[str, str]] = {
    "glasses-round": "Round glasses",
    "glasses-square": "Square glasses",
    "glasses-sun": "Sunglasses",
    "hat-beanie": "Beanie",
    "hat-fedora": "Fedora",
    "hat-sun": "Sun hat",
    "earrings-hoop": "Hoops",
    "earrings-drop": "Drops",
    "necklace-pearls": "Necklace",
}
DIRECTIONS: Final[dict[str, str]] = {
    "smile": "Smile",
    "open-mouth": "Open mouth",
    "raise-brows": "Raise brows",
    "hair-length": "Hair length",
    "face-width": "Face width",
    "nose-width": "Nose width",
}


@dataclass(frozen=True)
class Accessory:
    """An accessory.

    Attributes:
        labels: the label map (T, T) of a face that wears it.
        points: (5, 2), points of that face: see `data.alignment`.
        kind: class id of the accessory.
    """

    labels: LabelMap
    points: Points
    kind: int


@functools.cache
def read_library() -> dict[str, Any]:
    """All arrays of the file, by name."""
    with np.load(_FILE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def example_photo() -> Picture:
    """scikit-image's portrait of the astronaut Eileen Collins, by NASA, in the public domain (512, 512, 3)."""
    from skimage.data import astronaut

    picture: Picture = astronaut()  # type: ignore[no-untyped-call]
    return picture


def example_faces() -> dict[str, Picture]:
    """The two pictures that the documentation's commands edit, by file name: a photograph and a rendered face."""
    return {"photo.png": example_photo(), "other.png": read_library()["example-2-picture"]}


def item(name: str) -> Accessory:
    """An accessory by its name in `ITEMS`; a kind (``glasses``) means the first of its kind.

    Raises:
        InputError: there is no accessory of that name.
    """
    file, found = read_library(), item_name(name)
    return Accessory(file[f"item-{found}"], file["items-points"], ID[_CLASS[found.split("-")[0]]])


def item_name(name: str) -> str:
    """The name in `ITEMS` of an accessory, or of the first of a kind.

    Raises:
        InputError: there is no accessory of that name.
    """
    found = next((known for known in ITEMS if name in (known, known.split("-")[0])), "")
    if not found:
        kinds = dict.fromkeys(known.split("-")[0] for known in ITEMS)
        raise InputError("accessory", expected=" or ".join([*kinds, *ITEMS]), found=repr(name))
    return found


def pairs(direction: str) -> npt.NDArray[np.uint8]:
    """Pairs of masks (N, 2, S, S) of rendered faces that differ only in the property of a direction.

    Raises:
        InputError: there is no direction of that name.
    """
    known("the direction", direction, DIRECTIONS)
    found: npt.NDArray[np.uint8] = read_library()[f"direction-{direction}"]
    return found


def known(what: str, name: str, names: Iterable[str]) -> str:
    """Check that a name is one of ``names``, and return it.

    Raises:
        InputError: it is not.
    """
    if name not in names:
        raise InputError(what, expected=" or ".join(names), found=repr(name))
    return name
