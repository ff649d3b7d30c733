"""What comes with the package: faces to begin with, things to wear, directions in the space of masks.

They lie in ``assets/editor.npz``, rendered by `fill_library`. The photo is scikit-image's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from maskgan_cli.editing.interpolate import Codes, MaskManifold
from maskgan_cli.editor.face import Face, face_of
from maskgan_cli.editor.studio import Studio
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

_FILE: Final = Path(__file__).parents[1] / "assets" / "editor.npz"
PHOTO: Final = "astronaut"
EXAMPLES: Final[dict[str, str]] = {
    PHOTO: "Photo: Eileen Collins (NASA, public domain)",
    **{f"rendered-{i}": f"Rendered face {i + 1}" for i in range(4)},
}
DIRECTIONS: Final[dict[str, str]] = {
    "smile": "Smile", "mouth": "Open mouth", "brows": "Raise brows", "hair": "Hair length",
}  # fmt: skip
_WORN: Final = {"glasses": "eye_g", "hat": "hat", "earrings": "ear_r", "necklace": "neck_l"}
ITEMS: Final[dict[str, str]] = {
    "glasses-round": "Round glasses", "glasses-square": "Square glasses", "glasses-sun": "Sunglasses",
    "hat-beanie": "Beanie", "hat-fedora": "Fedora", "hat-sun": "Sun hat", "earrings-hoop": "Hoops",
    "earrings-drop": "Drops", "necklace-pearls": "Necklace",
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """Something to wear: the label map (T, T) of a face that wears it, and its class."""

    labels: LabelMap
    kind: int


@functools.cache
def _read() -> dict[str, Any]:
    with np.load(_FILE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def title(name: str) -> str:
    """An example's title.

    Raises:
        InputError: none of that name.
    """
    return EXAMPLES[_known("the example", name, EXAMPLES)]


def photo() -> Picture:
    """scikit-image's portrait of the astronaut Eileen Collins, by NASA, in the public domain (512, 512, 3)."""
    from skimage.data import astronaut

    picture: Picture = astronaut()  # type: ignore[no-untyped-call]
    return picture


def rendered(name: str) -> Face:
    """A rendered face with its exact label map."""
    number = _known("the example", name, EXAMPLES).removeprefix("rendered-")
    found = _read()
    return Face(found[f"example-{number}-picture"], found[f"example-{number}-labels"])


def thumbnail(name: str) -> Picture:
    """An example to look at: the face, not all of the photo."""
    if _known("the example", name, EXAMPLES) == PHOTO:
        return photo()[10:210, 124:324]
    return rendered(name).picture


def open_example(name: str, studio: Studio) -> tuple[Face, Picture | None]:
    """An example's face, and the photo that it was cut out of if it was.

    Raises:
        InputError: none of that name, or no way to find the face in the photo.
    """
    if _known("the example", name, EXAMPLES) == PHOTO:
        return face_of(photo(), studio, "the example"), photo()
    return rendered(name), None


def item(name: str) -> Item:
    """Something to wear.

    Raises:
        InputError: nothing of that name.
    """
    kind = ID[_WORN[_known("what to wear", name, ITEMS).split("-")[0]]]
    return Item(_read()[f"item-{name}"], kind)


def direction(name: str, manifold: MaskManifold) -> Codes:
    """The way (1, latent) along which masks get more of something.

    The mean difference of the codes of two masks of one rendered face that differ in nothing else.

    Raises:
        InputError: none of that name.
    """
    pairs = _read()[f"direction-{_known('the direction', name, DIRECTIONS)}"]
    steps = [manifold.encode(after) - manifold.encode(before) for before, after in pairs]
    return torch.cat(steps).mean(0, keepdim=True)


def _known(what: str, name: str, names: dict[str, str]) -> str:
    if name not in names:
        raise InputError(what, expected=" or ".join(names), found="another name")
    return name
