"""Draws accessories over a picture, and finds their region in its mask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
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
from maskgan_cli.editing.compositing.accessories.head_fit import Floats, HeadFit, fit_head
from maskgan_cli.editing.compositing.accessories.jewellery import (
    JEWELLERY,
    Jewel,
    can_hang,
    down_direction,
    draw_jewels,
    jewels,
)
from maskgan_cli.editing.compositing.accessories.photo_light import PhotoLight, measure_light, to_levels, to_linear
from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.editing.masks.library import item_name
from maskgan_cli.editing.masks.shapes import above
from maskgan_cli.editing.masks.take_off import KINDS, kind_of, kinds_of, without
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region
from maskgan_cli.synth.geometry import f32
from maskgan_cli.synth.lighting import blur

DRAWABLE: Final = (*GLASSES, *HATS, *JEWELLERY)  # names in `library.ITEMS`
_THIN: Final = 0.25  # least opacity of jewellery that is added to the mask
_LIGHT: Final = 200  # pixels; approximate side at which the light is measured
_MARGIN: Final = 0.25  # decimetres; margin for shadows around an object
_SMALL: Final = 128  # side of the mask in which hair under a hat is found
_RIM: Final = 3  # pixels of that mask; hair within this distance of the lower rim is kept
_FIT: Final = 256  # side of the mask to which the head is fitted
_STILL: Final = ("l_eye", "r_eye", "l_brow", "r_brow", "hair")  # classes that remain in the mask behind clear lenses


@dataclass(frozen=True)
class Overlay:
    """An accessory that is rendered for a window of a picture.

    Attributes:
        name: its name in `library.ITEMS`.
        window: the part of the picture that it changes.
        drawn: the object and its shadow.
        labels: (h, h), the mask of the face in the window.
        grey: whether the picture is monochrome.
    """

    name: str
    window: Window
    drawn: Drawn
    labels: LabelMap
    grey: bool

    def over(self, picture: Picture) -> Picture:
        """Composite the object over a picture (H, W, 3): the one that it was rendered for, or another version of it."""
        shown = composite(_part(picture, self.window), self.drawn, grey=self.grey)
        outer, inner = self._boxes(picture.shape)
        result = picture.copy()
        result[outer] = shown[inner]
        return result

    def mark(self, classes: LabelMap) -> None:
        """Write the object's class into a label map (H, W) of the picture."""
        outer, inner = self._boxes(classes.shape)
        classes[outer][item_region(self.name, self.drawn, self.labels)[inner]] = ID[KINDS[kind_of(self.name)]]

    def _boxes(self, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Slices of the part of the window inside a picture, in the picture's and in the window's coordinates."""
        window = self.window
        rows, columns = (slice(max(s.start, 0), min(s.stop, n)) for s, n in zip(window.box, shape, strict=False))
        inner = (slice(rows.start - window.top, rows.stop - window.top),
                 slice(columns.start - window.left, columns.stop - window.left))  # fmt: skip
        return (rows, columns), inner


@dataclass(frozen=True)
class WithAccessories:
    """A picture with accessories.

    Attributes:
        picture: (H, W, 3).
        labels: (H, W), the classes of the accessories' pixels, 0 elsewhere.
        overlays: the accessories, which can be composited over other versions of the picture.
    """

    picture: Picture
    labels: LabelMap
    overlays: tuple[Overlay, ...]


def put_on(picture: Picture, labels: LabelMap, names: Sequence[str], matrix: Floats | None = None) -> WithAccessories:
    """Draw accessories over a picture, in the pose, light and scale of its face.

    Args:
        picture: (H, W, 3).
        labels: (S, S), the mask of the face, without the accessories.
        names: names in `library.ITEMS`.
        matrix: (2, 3), maps (x, y, 1) of the mask to pixels of the picture; None: the mask is scaled to the picture.

    Returns:
        The picture with the accessories. Pixels outside them and their shadows are unchanged bit for bit.
    """
    side = len(labels)
    if matrix is None:
        scale = len(picture) / side
        matrix = np.array([[scale, 0, 0], [0, scale, 0]])
    own = fitted(labels)
    fit = own.after(matrix)
    result, overlays = picture, []
    for name in names:
        if name in JEWELLERY:
            hanging = jewels(name, labels, own, down_direction(fit))
            if not hanging:
                continue
            overlay = _draw_jewellery(result, labels, name, hanging, fit, matrix)
        else:
            meshes = (
                glasses_meshes(name, fit) if name in GLASSES else hat_meshes(name, fit, hat_width(labels, own, name))
            )
            overlay = _draw_meshes(result, labels, name, meshes, fit, matrix)
        result = overlay.over(result)
        overlays.append(overlay)
    found = np.zeros(picture.shape[:2], np.uint8)
    for overlay in overlays:
        overlay.mark(found)
    return WithAccessories(result, found, tuple(overlays))


def to_draw(names: Iterable[str], labels: LabelMap) -> tuple[str, ...]:
    """Those of the named accessories that can be drawn on the face of a mask (S, S); see `library.item_name`.

    Raises:
        InputError: there is no accessory of a name.
    """
    return tuple(name for name in map(item_name, names) if drawable(name, labels))


def drawable(name: str, labels: LabelMap) -> bool:
    """Whether an accessory of `library.ITEMS` can be drawn on the face of a mask (S, S)."""
    return name in DRAWABLE and (name not in JEWELLERY or can_hang(name, labels))


def make_room(labels: LabelMap, names: Sequence[str]) -> LabelMap:
    """A copy of a mask (S, S) without accessories of the same kinds as new ones, and without hair under new hats.

    Args:
        labels: the mask.
        names: names in `library.ITEMS` of the accessories that are drawn over the picture.
    """
    return hair_under_hats(without(labels, kinds_of(names)), names)


def hair_under_hats(labels: LabelMap, names: Sequence[str]) -> LabelMap:
    """A copy of a mask (S, S) without the hair above and beside the hats among ``names``."""
    result = labels.copy()
    result[(labels == ID["hair"]) & under_hats(labels, names)] = ID["background"]
    return result


def under_hats(labels: LabelMap, names: Sequence[str]) -> Region:
    """The region (S, S) above and beside the hats among ``names``, in which hair must not be visible."""
    hats = [name for name in names if name in HATS]
    if not hats:
        return np.zeros(labels.shape, bool)
    small = np.asarray(Image.fromarray(labels).resize((_SMALL, _SMALL), Image.Resampling.NEAREST))
    hat = put_on(np.zeros((_SMALL, _SMALL, 3), np.uint8), small, hats).labels > 0
    if not hat.any():
        return np.zeros(labels.shape, bool)
    over = np.roll(above(hat), -_RIM, 0)
    over[-_RIM:] = False
    return np.asarray(Image.fromarray(over).resize(labels.shape[::-1], Image.Resampling.NEAREST))


def fitted(labels: LabelMap) -> HeadFit:
    """Fit the head to a mask (S, S), on a small copy of it."""
    side = len(labels)
    small = np.asarray(Image.fromarray(labels).resize((_FIT, _FIT), Image.Resampling.NEAREST))
    scale = side / _FIT
    return fit_head(small).after(np.array([[scale, 0, 0], [0, scale, 0]]))


def _draw_meshes(
    picture: Picture, labels: LabelMap, name: str, meshes: list[Mesh], fit: HeadFit, matrix: Floats
) -> Overlay:
    window = window_of(meshes, fit, _MARGIN, picture.shape[:2])
    seen, part = _part(picture, window), labels_in(labels, matrix, window)
    layer, faces = head_layer(fit, window)
    light = measure_light(seen, part, interpolated(layer, faces, fit.posed.normals))
    hair = blur((part == ID["hair"]).astype(np.float32), max(light.softness, 1.0))
    person = blur((part > 0).astype(np.float32), max(light.softness, 1.0))
    drawn = draw(meshes, fit, light, window, hair, person, (layer, faces))
    return Overlay(name, window, drawn, part, light.hue is not None)


def _draw_jewellery(
    picture: Picture, labels: LabelMap, name: str, hanging: list[Jewel], fit: HeadFit, matrix: Floats
) -> Overlay:
    window = window_of([jewel.mesh for jewel in hanging], fit, _MARGIN, picture.shape[:2])
    part = labels_in(labels, matrix, window)
    light = _light_of(picture, labels, fit, matrix)
    return Overlay(name, window, draw_jewels(hanging, fit, light, window, part), part, light.hue is not None)


def _light_of(picture: Picture, labels: LabelMap, fit: HeadFit, matrix: Floats) -> PhotoLight:
    """The light on a face, measured in a window around its head."""
    window = window_of([Mesh(fit.posed.vertices[::7], np.zeros((0, 3), np.int32), f32([0, 0, 0]))], fit, 0.0,
                       picture.shape[:2])  # fmt: skip
    step = max(1, window.side // _LIGHT)
    layer, faces = head_layer(fit, window, 1 / step)
    rows = np.minimum(np.arange(len(layer.depth)) * step, window.side - 1)
    seen, part = _part(picture, window), labels_in(labels, matrix, window)
    return measure_light(
        seen[rows][:, rows], part[rows][:, rows], interpolated(layer, faces, fit.posed.normals), whole=(seen, part > 0)
    )


def item_region(name: str, drawn: Drawn, labels: LabelMap) -> npt.NDArray[np.bool_]:
    """The region (h, h) of an object in a mask; clear lenses belong to glasses, except for eyes and brows behind."""
    region: npt.NDArray[np.bool_] = drawn.alpha > 0.5
    if name in JEWELLERY:  # wires are thinner than a pixel
        return np.asarray(drawn.alpha > _THIN)
    if name in GLASSES and not GLASSES[name].dark:
        clear = (drawn.alpha > 0.02) & ~np.isin(labels, [ID[one] for one in _STILL])
        region = region | clear
    return region


def composite(picture: Picture, drawn: Drawn, *, grey: bool = False) -> Picture:
    """Composite rendered objects and their shadows over a picture (h, h, 3); the objects get its grain."""
    behind = to_linear(picture)
    # Skin scatters red light into a shadow.
    shade = np.stack([drawn.shade**power for power in ((1, 1, 1) if grey else (0.85, 1.0, 1.05))], -1)
    light = behind * shade * (1 - drawn.alpha[..., None]) + drawn.colour
    levels = to_levels(light).astype(np.float64)
    photo = picture.astype(np.float64)
    smooth = blur(picture.astype(np.float32), 2.0).astype(np.float64)
    bare = (drawn.alpha == 0) & (drawn.shade > 0.999)
    grain = missing_grain(photo, smooth, bare) * np.clip(drawn.alpha, 0, 1)[..., None] * 0.8
    changed = (drawn.alpha > 1e-3) | (drawn.shade < 0.999)
    result = picture.copy()
    result[changed] = np.clip(np.rint(levels + grain), 0, 255).astype(np.uint8)[changed]
    return result


def labels_in(labels: LabelMap, matrix: Floats, window: Window) -> LabelMap:
    """The classes (h, h) of a mask (S, S) at the pixels of a window; background outside the mask."""
    back = np.linalg.inv(matrix[:, :2])
    x, y = np.arange(window.side) + 0.5 + window.left, np.arange(window.side) + 0.5 + window.top
    columns, rows = np.meshgrid(x, y)
    places = np.floor(np.stack([columns - matrix[0, 2], rows - matrix[1, 2]], -1) @ back.T).astype(int)
    inside = ((places >= 0) & (places < len(labels))).all(-1)
    places = np.where(inside[..., None], places, 0)
    found: LabelMap = np.where(inside, labels[places[..., 1], places[..., 0]], 0).astype(np.uint8)
    return found


def _part(picture: Picture, window: Window) -> Picture:
    """The pixels (h, h, 3) of a window; the picture's border is repeated outside."""
    rows, columns = (np.clip(np.arange(part.start, part.stop), 0, n - 1)
                     for part, n in zip(window.box, picture.shape, strict=False))  # fmt: skip
    part: Picture = picture[rows][:, columns]
    return part
