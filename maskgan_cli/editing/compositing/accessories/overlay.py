"""Stores rendered accessories as layers, which can be composited over a picture and over edits of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.editing.compositing.accessories.draw import Box, Drawn
from maskgan_cli.editing.compositing.accessories.glasses import GLASSES
from maskgan_cli.editing.compositing.accessories.jewellery import JEWELLERY
from maskgan_cli.editing.compositing.accessories.photo_light import to_levels, to_linear
from maskgan_cli.editing.masks.head_fit import Floats
from maskgan_cli.editing.masks.take_off import KINDS, kind_of
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.geometry import F32

_THIN: Final = 0.25  # least opacity of jewellery that is added to the mask
_STILL: Final = ("l_eye", "r_eye", "l_brow", "r_brow", "hair")  # classes that remain in the mask behind clear lenses
_LINEAR: Final = to_linear(np.arange(256))


@dataclass(frozen=True)
class Overlay:
    """An accessory that has been rendered for a picture, and can be composited over this picture and its edits.

    Attributes:
        name: name of the accessory in `library.ITEMS`.
        box: slices (rows, columns) of the picture, h x w pixels, which the accessory changes.
        drawn: the rendered accessory and its shadow, in the box.
        grain: (h, w, 3), noise added to the accessory's levels (0 to 255), which gives the accessory the photo's grain.
        grey: whether the picture is monochrome.
    """

    name: str
    box: Box
    drawn: Drawn
    grain: F32
    grey: bool

    def over(self, picture: Picture) -> Picture:
        """Composite the accessory over a picture (H, W, 3), and return a new picture (H, W, 3).

        ``picture`` may be the picture for which the accessory was rendered, or an edit of that picture.
        """
        result = picture.copy()
        result[self.box] = composite(picture[self.box], self.drawn, self.grain, grey=self.grey)
        return result

    def mark(self, classes: LabelMap, labels: LabelMap, matrix: Floats) -> None:
        """Set the pixels of a label map that the accessory covers to the class of the accessory.

        Args:
            classes: (H, W), label map of the picture; changed in place.
            labels: (S, S), mask of the face, without the accessory.
            matrix: (2, 3), maps (x, y, 1) of the mask to pixels of the picture.
        """
        region = item_region(self.name, self.drawn, labels_in(labels, matrix, self.box))
        classes[self.box][region] = ID[KINDS[kind_of(self.name)]]


@dataclass(frozen=True)
class WithAccessories:
    """A picture on which accessories have been drawn.

    Attributes:
        picture: (H, W, 3), the picture with the accessories.
        labels: (H, W), the classes of the accessories' pixels, 0 elsewhere.
        overlays: the rendered accessories, which can be composited over other edits of the picture.
    """

    picture: Picture
    labels: LabelMap
    overlays: tuple[Overlay, ...]


def item_region(name: str, drawn: Drawn, labels: LabelMap) -> npt.NDArray[np.bool_]:
    """Return the pixels that get the class of a rendered accessory in the mask.

    Clear lenses count as glasses, except where eyes, brows or hair are visible behind the lenses.

    Args:
        name: name of the accessory in `library.ITEMS`.
        drawn: the rendered accessory, in a box of h x w pixels.
        labels: (h, w), the mask in this box, without the accessory.

    Returns:
        (h, w), True for the accessory's pixels.
    """
    region: npt.NDArray[np.bool_] = drawn.alpha > 0.5
    if name in JEWELLERY:  # wires are thinner than a pixel
        return np.asarray(drawn.alpha > _THIN)
    if name in GLASSES and not GLASSES[name].dark:
        clear = (drawn.alpha > 0.02) & ~np.isin(labels, [ID[one] for one in _STILL])
        region = region | clear
    return region


def composite(picture: Picture, drawn: Drawn, grain: F32, *, grey: bool = False) -> Picture:
    """Composite a rendered accessory and its shadow over a picture, and add grain to the accessory.

    Args:
        picture: (h, w, 3).
        drawn: the rendered accessory, in h x w pixels.
        grain: (h, w, 3), the noise to add, on the scale of 0 to 255.
        grey: whether the picture is monochrome; otherwise, shadows get a reddish tint, as on skin.

    Returns:
        (h, w, 3), a new array; pixels outside the accessory and its shadow are unchanged.
    """
    changed = drawn.changed
    # Skin scatters red light into a shadow.
    powers = (1, 1, 1) if grey else (0.85, 1.0, 1.05)
    shade = np.stack([drawn.shade[changed] ** power for power in powers], -1)
    light = _LINEAR[picture[changed]] * shade * (1 - drawn.alpha[changed][:, None]) + drawn.colour[changed]
    result = picture.copy()
    result[changed] = np.clip(np.rint(to_levels(light) + grain[changed]), 0, 255).astype(np.uint8)
    return result


def labels_in(labels: LabelMap, matrix: Floats, box: Box) -> LabelMap:
    """Return the class of each pixel in a box of the picture, sampled from the mask of the face (nearest neighbour).

    Args:
        labels: (S, S), the mask.
        matrix: (2, 3), maps (x, y, 1) of the mask to pixels of the picture.
        box: slices (rows, columns) of the picture, h x w pixels.

    Returns:
        The classes (h, w); background outside the mask.
    """
    back = np.linalg.inv(matrix[:, :2])
    y, x = (np.arange(part.start, part.stop) + 0.5 for part in box)
    columns, rows = np.meshgrid(x, y)
    places = np.floor(np.stack([columns - matrix[0, 2], rows - matrix[1, 2]], -1) @ back.T).astype(int)
    inside = ((places >= 0) & (places < len(labels))).all(-1)
    places = np.where(inside[..., None], places, 0)
    found: LabelMap = np.where(inside, labels[places[..., 1], places[..., 0]], 0).astype(np.uint8)
    return found
