"""Entry point for accessories: draws accessories over a picture, and marks the accessories in a label map."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from PIL import Image

from maskgan_cli.editing.compositing.accessories.draw import (
    Drawn,
    Mesh,
    Window,
    draw,
    head_layer,
    interpolated,
    window_of,
)
from maskgan_cli.editing.compositing.accessories.glasses import GLASSES, glasses_meshes
from maskgan_cli.editing.compositing.accessories.hats import HATS, hat_meshes, hat_width
from maskgan_cli.editing.compositing.accessories.jewellery import (
    JEWELLERY,
    can_hang,
    down_direction,
    draw_jewels,
    jewels,
)
from maskgan_cli.editing.compositing.accessories.overlay import Overlay, WithAccessories, labels_in
from maskgan_cli.editing.compositing.accessories.photo_light import PhotoLight, measure_light
from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.editing.masks.head_fit import (
    FIT_SIDE,
    Floats,
    HeadFit,
    fitted,
    same_pose,
    small,
)
from maskgan_cli.editing.masks.library import item_name
from maskgan_cli.editing.masks.shapes import above
from maskgan_cli.editing.masks.take_off import kinds_of, without
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region
from maskgan_cli.synth.geometry import f32
from maskgan_cli.synth.lighting import blur

DRAWABLE: Final = (*GLASSES, *HATS, *JEWELLERY)  # names in `library.ITEMS`
_LIGHT: Final = 200  # pixels; approximate side at which the light is measured
_MARGIN: Final = 0.25  # decimetres; margin for shadows around an object
_SMALL: Final = 128  # side of the mask in which hair under a hat is found
_RIM: Final = 3  # pixels of that small mask; hair within this distance of a hat's lower rim is kept
_GRAIN: Final = 0.8  # share of the photo's grain that objects get
_INNER: Final = [ID[name] for name in ("skin", "nose", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip")]
_OUTLINE: Final = np.where(np.isin(np.arange(256), _INNER), ID["skin"], np.arange(256)).astype(np.uint8)


@dataclass
class AccessoryRenderer:
    """Draws accessories over edits of one picture, with the light and the grain of the picture before the edits.

    An accessory is rendered again only if an edit moves eyes, nose or outline of the face. Otherwise, the latest
    rendering is composited over the edit.

    Attributes:
        picture: (H, W, 3), the picture before the edits.
        labels: (S, S), mask of the face before the edits.
        matrix: (2, 3), maps (x, y, 1) of the mask to pixels of the picture; None: the mask is scaled to the picture.
        pose: the numbers of the fitted head (`HeadFit.values`) on which accessories were drawn last; empty before the
            first drawing.
    """

    picture: Picture
    labels: LabelMap
    matrix: Floats | None = None
    pose: tuple[float, ...] = ()
    _latest: dict[str, tuple[tuple[tuple[float, ...], bytes], Overlay | None]] = field(default_factory=dict, repr=False)

    def put_on(self, edited: Picture, labels: LabelMap, names: Sequence[str]) -> WithAccessories:
        """Draw accessories over an edit of the picture.

        Args:
            edited: (H, W, 3), the edited picture.
            labels: (S, S), mask of the edited face, without the accessories.
            names: names of the accessories in `library.ITEMS`.

        Returns:
            The edited picture with the accessories, and their label map. Invisible accessories are left out.
        """
        matrix = self._matrix
        own = self._head(labels)
        fit, outline = own.after(matrix), _OUTLINE[labels]
        self.pose = own.values
        key = self.pose, hashlib.sha256(outline.tobytes()).digest()
        result, overlays = edited, []
        for name in names:
            if name not in self._latest or self._latest[name][0] != key:
                self._latest[name] = key, self._drawn(name, outline, own, fit)
            overlay = self._latest[name][1]
            if overlay is not None:
                result = overlay.over(result)
                overlays.append(overlay)
        found = np.zeros(edited.shape[:2], np.uint8)
        for overlay in overlays:
            overlay.mark(found, labels, matrix)
        return WithAccessories(result, found, tuple(overlays))

    @cached_property
    def _matrix(self) -> Floats:
        """The matrix (2, 3) that maps (x, y, 1) of the mask to pixels of the picture."""
        scale = len(self.picture) / len(self.labels)
        return np.array([[scale, 0, 0], [0, scale, 0]]) if self.matrix is None else self.matrix

    @cached_property
    def _own(self) -> tuple[LabelMap, HeadFit]:
        """The mask before the edits, resized to `FIT_SIDE`, and the 3D head fitted to this face."""
        return small(self.labels, FIT_SIDE), fitted(self.labels)

    def _head(self, labels: LabelMap) -> HeadFit:
        """Fit the 3D head to the mask (S, S) of an edited face; if the edit keeps the pose, reuse the original fit."""
        return self._own[1] if same_pose(self._own[0], small(labels, FIT_SIDE)) else fitted(labels)

    def _drawn(self, name: str, outline: LabelMap, own: HeadFit, fit: HeadFit) -> Overlay | None:
        """Render one accessory.

        Args:
            name: name of the accessory in `library.ITEMS`.
            outline: (S, S), mask of the edited face, in which the inner parts of the face are replaced by skin.
            own: the fitted head, in pixels of the mask.
            fit: the same head, in pixels of the picture.

        Returns:
            The rendered accessory; None if no part of the accessory is visible.
        """
        if name in JEWELLERY:
            return self._jewellery(name, outline, own, fit)
        meshes = glasses_meshes(name, fit) if name in GLASSES else hat_meshes(name, fit, hat_width(outline, own, name))
        window = window_of(meshes, fit, _MARGIN, self.picture.shape[:2])
        layer, faces = head_layer(fit, window)
        seen, part = _part(self.picture, window), labels_in(self.labels, self._matrix, window.box)
        light = measure_light(seen, part, interpolated(layer, faces, fit.posed.normals))
        part = labels_in(outline, self._matrix, window.box)
        hair = blur((part == ID["hair"]).astype(np.float32), max(light.softness, 1.0))
        person = blur((part > 0).astype(np.float32), max(light.softness, 1.0))
        drawn = draw(meshes, fit, light, window, hair, person, (layer, faces))
        return self._overlay(name, window, drawn, seen, grey=light.hue is not None)

    def _jewellery(self, name: str, outline: LabelMap, own: HeadFit, fit: HeadFit) -> Overlay | None:
        """Render earrings or a necklace; the arguments and the returned value are those of `_drawn`."""
        hanging = jewels(name, outline, own, down_direction(fit))
        if not hanging:
            return None
        window = window_of([jewel.mesh for jewel in hanging], fit, _MARGIN, self.picture.shape[:2])
        light = _light_of(self.picture, self.labels, fit, self._matrix)
        drawn = draw_jewels(hanging, fit, light, window, labels_in(outline, self._matrix, window.box))
        return self._overlay(name, window, drawn, _part(self.picture, window), grey=light.hue is not None)

    def _overlay(self, name: str, window: Window, drawn: Drawn, seen: Picture, *, grey: bool) -> Overlay | None:
        """Crop a rendered accessory to the pixels that the accessory changes, and add the picture's grain.

        Args:
            name: name of the accessory in `library.ITEMS`.
            window: the window in which the accessory was rendered, h x h pixels.
            drawn: the rendered accessory in this window.
            seen: (h, h, 3), the picture in this window.
            grey: whether the picture is monochrome.

        Returns:
            The cropped accessory; None if the accessory changes no pixel of the picture.
        """
        rows, columns = (
            slice(max(-at.start, 0), size - at.start) for at, size in zip(window.box, self.picture.shape, strict=False)
        )
        inside = np.zeros(drawn.alpha.shape, bool)
        inside[rows, columns] = drawn.changed[rows, columns]
        if not inside.any():
            return None
        lines = [np.flatnonzero(inside.any(axis)) for axis in (1, 0)]
        rows, columns = (slice(int(found[0]), int(found[-1]) + 1) for found in lines)
        part = Drawn(*(values[rows, columns].copy() for values in (drawn.colour, drawn.alpha, drawn.shade)))
        smooth = blur(seen.astype(np.float32), 2.0).astype(np.float64)
        noise = missing_grain(seen.astype(np.float64), smooth, drawn.clear)[rows, columns]
        grain = f32(noise * np.clip(part.alpha, 0, 1)[..., None] * _GRAIN)
        box = (
            slice(rows.start + window.top, rows.stop + window.top),
            slice(columns.start + window.left, columns.stop + window.left),
        )
        return Overlay(name, box, part, grain, grey)


def put_on(picture: Picture, labels: LabelMap, names: Sequence[str], matrix: Floats | None = None) -> WithAccessories:
    """Draw accessories over a picture, so that they match the pose, the scale and the light of the face.

    Args:
        picture: (H, W, 3).
        labels: (S, S), the mask of the face, without the accessories.
        names: names of the accessories in `library.ITEMS`.
        matrix: (2, 3), maps (x, y, 1) of the mask to pixels of the picture; None: the mask is scaled to the picture.

    Returns:
        The picture with the accessories, and their label map. Pixels outside the accessories and their shadows are
        unchanged bit for bit.
    """
    return AccessoryRenderer(picture, labels, matrix).put_on(picture, labels, names)


def to_draw(names: Iterable[str], labels: LabelMap) -> tuple[str, ...]:
    """Return the accessories among ``names`` that can be drawn on the face of a mask.

    Args:
        names: names of accessories in `library.ITEMS`, or of kinds of accessories, e.g. ``glasses``: see
            `library.item_name`.
        labels: (S, S), the mask of the face.

    Returns:
        The full names of these accessories, in the given order.

    Raises:
        InputError: a name is unknown.
    """
    return tuple(name for name in map(item_name, names) if drawable(name, labels))


def drawable(name: str, labels: LabelMap) -> bool:
    """Return whether an accessory of `library.ITEMS` can be drawn on the face of a mask (S, S).

    The accessory must be in `DRAWABLE`; jewellery also needs a place at the ears or the neck: see `can_hang`.
    """
    return name in DRAWABLE and (name not in JEWELLERY or can_hang(name, labels))


def make_room(labels: LabelMap, names: Sequence[str], own: LabelMap) -> LabelMap:
    """Prepare a mask for new accessories: remove old accessories of the same kinds, and hair around new hats.

    Args:
        labels: (S, S), the mask; not changed.
        names: names in `library.ITEMS` of the accessories that will be drawn over the picture.
        own: (T, T), the mask before the edit.

    Returns:
        The new mask (S, S).
    """
    return hair_under_hats(without(labels, kinds_of(names)), names, HatCover(own))


def hair_under_hats(labels: LabelMap, names: Sequence[str], cover: HatCover) -> LabelMap:
    """Replace the hair above and beside hats in a mask by background.

    Args:
        labels: (S, S), the mask; not changed.
        names: names of accessories in `library.ITEMS`; only hats have an effect.
        cover: computes the region above and beside the hats, for the same face.

    Returns:
        The new mask (S, S).
    """
    result = labels.copy()
    result[(labels == ID["hair"]) & cover.region(labels, names)] = ID["background"]
    return result


class HatCover:
    """Computes the region above and beside hats, in which hair must not be visible.

    Args:
        own: (S, S), the mask of the face before the edit.
    """

    def __init__(self, own: LabelMap) -> None:
        self._empty = np.zeros((_SMALL, _SMALL, 3), np.uint8)
        self._renderer = AccessoryRenderer(self._empty, small(own, _SMALL))

    def region(self, labels: LabelMap, names: Sequence[str]) -> Region:
        """Return the region above and beside hats on a face, in which hair must not be visible.

        Args:
            labels: (S, S), the mask of the face.
            names: names of accessories in `library.ITEMS`; only hats have an effect.

        Returns:
            (S, S), True in the region; all False without a hat.
        """
        hats = [name for name in names if name in HATS]
        if not hats:
            return np.zeros(labels.shape, bool)
        hat = self._renderer.put_on(self._empty, small(labels, _SMALL), hats).labels > 0
        if not hat.any():
            return np.zeros(labels.shape, bool)
        over = np.roll(above(hat), -_RIM, 0)
        over[-_RIM:] = False
        return np.asarray(Image.fromarray(over).resize(labels.shape[::-1], Image.Resampling.NEAREST))


def _light_of(picture: Picture, labels: LabelMap, fit: HeadFit, matrix: Floats) -> PhotoLight:
    """Estimate the light on a face, from the pixels in a window around the head.

    Args:
        picture: (H, W, 3).
        labels: (S, S), mask of the face.
        fit: the 3D head fitted to the face, in the picture's pixels.
        matrix: (2, 3), maps (x, y, 1) of the mask to pixels of the picture.
    """
    window = window_of(
        [Mesh(fit.posed.vertices[::7], np.zeros((0, 3), np.int32), f32([0, 0, 0]))], fit, 0.0, picture.shape[:2]
    )
    step = max(1, window.side // _LIGHT)
    layer, faces = head_layer(fit, window, 1 / step)
    rows = np.minimum(np.arange(len(layer.depth)) * step, window.side - 1)
    seen, part = _part(picture, window), labels_in(labels, matrix, window.box)
    return measure_light(
        seen[rows][:, rows], part[rows][:, rows], interpolated(layer, faces, fit.posed.normals), whole=(seen, part > 0)
    )


def _part(picture: Picture, window: Window) -> Picture:
    """Cut a window (h, h, 3) out of a picture (H, W, 3); outside the picture, the border pixels are repeated."""
    rows, columns = (
        np.clip(np.arange(part.start, part.stop), 0, n - 1) for part, n in zip(window.box, picture.shape, strict=False)
    )
    part: Picture = picture[rows][:, columns]
    return part
