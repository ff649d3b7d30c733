"""Objects laid over a picture, and where they are in its mask."""

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
from maskgan_cli.editing.compositing.accessories.hats import HATS, hat_meshes, hat_width
from maskgan_cli.editing.compositing.accessories.head_fit import Floats, HeadFit, fit_head
from maskgan_cli.editing.compositing.accessories.jewellery import (
    JEWELLERY,
    Jewel,
    can_hang,
    down_in,
    draw_jewels,
    jewels,
)
from maskgan_cli.editing.compositing.accessories.objects import GLASSES, glasses_meshes
from maskgan_cli.editing.compositing.accessories.photo_light import PhotoLight, measure_light, to_levels, to_linear
from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.editing.masks.library import item_name
from maskgan_cli.editing.masks.shapes import above
from maskgan_cli.editing.masks.take_off import KINDS, kind_of, kinds_of, without
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region
from maskgan_cli.synth.geometry import f32
from maskgan_cli.synth.lighting import blur

DRAWABLE: Final = (*GLASSES, *HATS, *JEWELLERY)  # names of `library.ITEMS`
_THIN: Final = 0.25  # opacity of a wire that counts as part of the mask
_LIGHT: Final = 200  # side of the window in which the light is measured
_MARGIN: Final = 0.25  # decimetres around an object that its shadow may reach
_SMALL: Final = 128  # side of the mask in which the hair under a hat is found
_RIM: Final = 3  # pixels of that mask: hair this near to the lower rim stays
_FIT: Final = 256  # side of the mask that the head is fitted to
_STILL: Final = ("l_eye", "r_eye", "l_brow", "r_brow", "hair")  # classes that are seen through clear lenses


@dataclass(frozen=True)
class Overlay:
    """An accessory, drawn for a window of a picture.

    Attributes:
        name: of `library.ITEMS`.
        window: where it is seen.
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
        """A picture (H, W, 3) with the object, which may have been drawn for another version of it."""
        shown = composed(_part(picture, self.window), self.drawn, grey=self.grey)
        outer, inner = self._boxes(picture.shape)
        result = picture.copy()
        result[outer] = shown[inner]
        return result

    def mark(self, classes: LabelMap) -> None:
        """Write the object's class into a label map (H, W) of the picture."""
        outer, inner = self._boxes(classes.shape)
        classes[outer][item_region(self.name, self.drawn, self.labels)[inner]] = ID[KINDS[kind_of(self.name)]]

    def _boxes(self, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Rows and columns of the window that lie in a picture, in the picture and in the window."""
        window = self.window
        rows, columns = (slice(max(s.start, 0), min(s.stop, n)) for s, n in zip(window.box, shape, strict=False))
        inner = (slice(rows.start - window.top, rows.stop - window.top),
                 slice(columns.start - window.left, columns.stop - window.left))  # fmt: skip
        return (rows, columns), inner


@dataclass(frozen=True)
class Worn:
    """A picture (H, W, 3) with accessories drawn on it, and their classes (H, W), 0 elsewhere.

    Attributes:
        picture, labels: see above.
        overlays: the accessories, to be laid over other versions of the picture.
    """

    picture: Picture
    labels: LabelMap
    overlays: tuple[Overlay, ...]


def put_on(picture: Picture, labels: LabelMap, names: Sequence[str], matrix: Floats | None = None) -> Worn:
    """Draw objects over a picture, in the pose, light and scale of its face.

    Args:
        picture: (H, W, 3).
        labels: (S, S), the mask of the face, without the objects.
        names: of `library.ITEMS`.
        matrix: (2, 3), takes (x, y, 1) of the mask to the picture's pixels; a plain enlargement if None.

    Returns:
        The picture with the objects; pixels that they and their shadows do not touch are the same bit for bit.
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
            hung = jewels(name, labels, own, down_in(fit))
            if not hung:
                continue
            overlay = _hung(result, labels, name, hung, fit, matrix)
        else:
            meshes = (
                glasses_meshes(name, fit) if name in GLASSES else hat_meshes(name, fit, hat_width(labels, own, name))
            )
            overlay = _one(result, labels, name, meshes, fit, matrix)
        result = overlay.over(result)
        overlays.append(overlay)
    found = np.zeros(picture.shape[:2], np.uint8)
    for overlay in overlays:
        overlay.mark(found)
    return Worn(result, found, tuple(overlays))


def to_draw(names: Iterable[str], labels: LabelMap) -> tuple[str, ...]:
    """Those accessories that can be drawn on the face of a mask (S, S); see `library.item_name` for their names.

    Raises:
        InputError: there is no accessory of a name.
    """
    return tuple(name for name in map(item_name, names) if drawable(name, labels))


def drawable(name: str, labels: LabelMap) -> bool:
    """Whether something in `library.ITEMS` can be drawn on the face of a mask (S, S)."""
    return name in DRAWABLE and (name not in JEWELLERY or can_hang(name, labels))


def make_room(labels: LabelMap, names: Sequence[str]) -> LabelMap:
    """A mask (S, S) for accessories that are drawn over the picture: without those of their kinds, and hair under hats.

    Args:
        labels: the mask.
        names: of `library.ITEMS`.

    Returns:
        A new array.
    """
    return hair_under_hats(without(labels, kinds_of(names)), names)


def hair_under_hats(labels: LabelMap, names: Sequence[str]) -> LabelMap:
    """A mask (S, S) without the hair that would stand above and beside the hats among some names; a new array."""
    result = labels.copy()
    result[(labels == ID["hair"]) & under_hats(labels, names)] = ID["background"]
    return result


def under_hats(labels: LabelMap, names: Sequence[str]) -> Region:
    """Where the hats among some names let no hair be seen on the face of a mask (S, S), above and beside them."""
    hats = [name for name in names if name in HATS]
    if not hats:
        return np.zeros(labels.shape, bool)
    small = np.asarray(Image.fromarray(labels).resize((_SMALL, _SMALL), Image.Resampling.NEAREST))
    worn = put_on(np.zeros((_SMALL, _SMALL, 3), np.uint8), small, hats).labels > 0
    if not worn.any():
        return np.zeros(labels.shape, bool)
    over = np.roll(above(worn), -_RIM, 0)
    over[-_RIM:] = False
    return np.asarray(Image.fromarray(over).resize(labels.shape[::-1], Image.Resampling.NEAREST))


def fitted(labels: LabelMap) -> HeadFit:
    """The head fitted to a mask (S, S), found on a small copy of it."""
    side = len(labels)
    small = np.asarray(Image.fromarray(labels).resize((_FIT, _FIT), Image.Resampling.NEAREST))
    scale = side / _FIT
    return fit_head(small).after(np.array([[scale, 0, 0], [0, scale, 0]]))


def _one(picture: Picture, labels: LabelMap, name: str, meshes: list[Mesh], fit: HeadFit, matrix: Floats) -> Overlay:
    window = window_of(meshes, fit, _MARGIN, picture.shape[:2])
    seen, part = _part(picture, window), labels_in(labels, matrix, window)
    layer, faces = head_layer(fit, window)
    light = measure_light(seen, part, interpolated(layer, faces, fit.posed.normals))
    hair = blur((part == ID["hair"]).astype(np.float32), max(light.softness, 1.0))
    person = blur((part > 0).astype(np.float32), max(light.softness, 1.0))
    drawn = draw(meshes, fit, light, window, hair, person, (layer, faces))
    return Overlay(name, window, drawn, part, light.hue is not None)


def _hung(picture: Picture, labels: LabelMap, name: str, hung: list[Jewel], fit: HeadFit, matrix: Floats) -> Overlay:
    window = window_of([jewel.mesh for jewel in hung], fit, _MARGIN, picture.shape[:2])
    part = labels_in(labels, matrix, window)
    light = _light_of(picture, labels, fit, matrix)
    return Overlay(name, window, draw_jewels(hung, fit, light, window, part), part, light.hue is not None)


def _light_of(picture: Picture, labels: LabelMap, fit: HeadFit, matrix: Floats) -> PhotoLight:
    """The light on a face, found in a window around its head."""
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
    """Where a mask (h, h) shows an object: of glasses also behind clear lenses, except for eyes and brows."""
    region: npt.NDArray[np.bool_] = drawn.alpha > 0.5
    if name in JEWELLERY:  # its parts are thinner than pixels
        return np.asarray(drawn.alpha > _THIN)
    if name in GLASSES and not GLASSES[name].dark:
        clear = (drawn.alpha > 0.02) & ~np.isin(labels, [ID[one] for one in _STILL])
        region = region | clear
    return region


def composed(picture: Picture, drawn: Drawn, *, grey: bool = False) -> Picture:
    """A picture (h, h, 3) with drawn objects over it and their shadows on it, in its own grain."""
    behind = to_linear(picture)
    # Light that passes through skin at the rim of a shadow is red.
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
    """What a mask (S, S) says of the pixels of a window; background beyond it."""
    back = np.linalg.inv(matrix[:, :2])
    x, y = np.arange(window.side) + 0.5 + window.left, np.arange(window.side) + 0.5 + window.top
    columns, rows = np.meshgrid(x, y)
    places = np.floor(np.stack([columns - matrix[0, 2], rows - matrix[1, 2]], -1) @ back.T).astype(int)
    inside = ((places >= 0) & (places < len(labels))).all(-1)
    places = np.where(inside[..., None], places, 0)
    found: LabelMap = np.where(inside, labels[places[..., 1], places[..., 0]], 0).astype(np.uint8)
    return found


def _part(picture: Picture, window: Window) -> Picture:
    """The pixels of a window; the outermost go on beyond the picture."""
    rows, columns = (np.clip(np.arange(part.start, part.stop), 0, n - 1)
                     for part, n in zip(window.box, picture.shape, strict=False))  # fmt: skip
    part: Picture = picture[rows][:, columns]
    return part
