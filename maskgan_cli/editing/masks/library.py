"""Load the masks that are included in the package: accessories, and pairs of masks that differ in one property.

The file ``assets/library.npz`` contains these masks and the browser editor's example faces. The script
``recipes/make_library.py`` renders them.
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
    """An accessory to put on faces, such as a pair of glasses.

    Attributes:
        labels: (T, T), label map of a face that wears the accessory.
        points: (5, 2), landmarks of that face: see `data.alignment`.
        kind: class id of the accessory in the label map.
    """

    labels: LabelMap
    points: Points
    kind: int


@functools.cache
def read_library() -> dict[str, Any]:
    """Read ``assets/library.npz`` once, and return a dict from the name of each array to the array."""
    with np.load(_FILE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def example_photo() -> Picture:
    """Return a portrait of the astronaut Eileen Collins (512, 512, 3), from scikit-image; by NASA, public domain."""
    from skimage.data import astronaut

    picture: Picture = astronaut()  # type: ignore[no-untyped-call]
    return picture


def example_faces() -> dict[str, Picture]:
    """Return a dict from file name to picture: a photo and a rendered face, which the documentation's commands edit."""
    return {"photo.png": example_photo(), "other.png": read_library()["example-2-picture"]}


def item(name: str) -> Accessory:
    """Return the accessory ``name`` of `ITEMS`; if ``name`` is a kind, e.g. ``glasses``, the first of this kind.

    Raises:
        InputError: there is no accessory of that name.
    """
    file, found = read_library(), item_name(name)
    return Accessory(file[f"item-{found}"], file["items-points"], ID[_CLASS[found.split("-")[0]]])


def item_name(name: str) -> str:
    """Return the name of an accessory, a key of `ITEMS`.

    Args:
        name: a key of `ITEMS`, which is returned unchanged; or a kind, e.g. ``glasses``: then the name of the first
            accessory of this kind is returned.

    Raises:
        InputError: there is no accessory of that name.
    """
    found = next((known for known in ITEMS if name in (known, known.split("-")[0])), "")
    if not found:
        kinds = dict.fromkeys(known.split("-")[0] for known in ITEMS)
        raise InputError("accessory", expected=" or ".join([*kinds, *ITEMS]), found=repr(name))
    return found


def pairs(direction: str) -> npt.NDArray[np.uint8]:
    """Return N pairs of masks (N, 2, S, S) of rendered faces. The masks of a pair differ only in one property.

    Args:
        direction: name of the property, a key of `DIRECTIONS`, e.g. ``smile``. The second mask of a pair has more of
            this property.

    Raises:
        InputError: there is no direction of that name.
    """
    known("the direction", direction, DIRECTIONS)
    found: npt.NDArray[np.uint8] = read_library()[f"direction-{direction}"]
    return found


def known(what: str, name: str, names: Iterable[str]) -> str:
    """Check that ``name`` is one of the allowed ``names``, and return it.

    Args:
        what: what the name stands for, for the error message.
        name: the name.
        names: the allowed names.

    Raises:
        InputError: ``name`` is not one of ``names``.
    """
    if name not in names:
        raise InputError(what, expected=" or ".join(names), found=repr(name))
    return name
