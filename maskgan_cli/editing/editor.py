"""Editing from Python: ``from maskgan_cli import Editor``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from maskgan_cli.editing.edit import Edit
from maskgan_cli.editing.faces.face import Face, ReadFace
from maskgan_cli.editing.faces.reader import PhotoReader
from maskgan_cli.editing.file_edits import reshape_edits, style_edits, swap_edits
from maskgan_cli.editing.masks.directions import Directions
from maskgan_cli.editing.masks.interpolate import Interpolation, MaskManifold, paint_masks, positions
from maskgan_cli.editing.masks.library import known
from maskgan_cli.editing.masks.morph import masks_between
from maskgan_cli.editing.masks.reshape import Reshaping
from maskgan_cli.editing.masks.take_off import KINDS
from maskgan_cli.editing.methods import Request, method_named
from maskgan_cli.editing.options import Accessories, Blend, Hair, Inside
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, write_image, write_photo
from maskgan_cli.labels import LabelMap, part_ids
from maskgan_cli.weights.lookup import find_weights


@dataclass(frozen=True)
class Edited:
    """A finished edit.

    Attributes:
        picture: (H, W, 3); the whole photo if the face was cut out of one.
        labels: the painted mask, of the picture's size.
        note: record of weights and settings; `save` writes it into the file.
        photo: the edited photograph; None for a painting that is not pasted back.
    """

    picture: Picture
    labels: LabelMap | None
    note: Mapping[str, Any]
    photo: Photo | None

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the picture, with the photo's metadata.

        Raises:
            InputError: the file exists and ``overwrite`` is false, or its suffix is not that of a picture.
        """
        if self.photo is None:
            return write_image(path, self.picture, overwrite=overwrite, note=self.note)
        return write_photo(path, self.picture, self.photo, note=self.note, overwrite=overwrite)


class Editor:
    """Edits faces with loaded weights.

        editor = Editor()
        me, friend = editor.open("me.jpg"), editor.open("friend.jpg")
        editor.swap(me, friend, "mouth").save("out.png")

    Args:
        weights: a run folder or file; None: those that `find_weights` finds.
        parser_weights: of the face parser; None: as above.
        vae_weights: of the MaskVAE; None: as above. They are loaded when they are first needed.
        directions: a file of ``maskgan find-directions``, for `reshape`.
        device: auto, cpu, cuda, cuda:1 or mps.
        method: that paints masks: dmn, pix2pixhd-m, spade or sean.
        force: accept pictures that are not face crops, and small faces.

    Raises:
        InputError: the weights or the device do not exist.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        parser_weights: str | Path | None = None,
        vae_weights: str | Path | None = None,
        directions: str | Path | None = None,
        device: str = "auto",
        method: str = "dmn",
        force: bool = False,
    ) -> None:
        self._entry = entry = method_named(method, masks=True)
        self._method = entry.load(find_weights(_path(weights), entry.kind), device)
        self._parser, self._vae, self._file = _path(parser_weights), _path(vae_weights), _path(directions)
        self._device, self._force = device, force

    def open(self, image: str | Path, mask: str | Path | None = None, *, number: int | None = None) -> Face:
        """Open a face crop, or face ``number`` of a photo (None: the largest); see `PhotoReader`.

        Raises:
            InputError: the picture cannot be read, has no face or a small one, or the mask is not that of a face.
        """
        numbers = {} if number is None else {"source": number}
        read = PhotoReader(self._parser, self._device, lambda _: None, force=self._force, numbers=numbers)
        return read(Path(image), None if mask is None else Path(mask), "source")

    def swap(
        self,
        source: Face,
        target: Face,
        parts: str = "mouth",
        *,
        blend: bool | None = None,
        fit: bool | None = None,
        inside: str = "auto",
        hair: str = "auto",
    ) -> Edited:
        """The source with the shape of some of the target's parts (paper, Sec. 5.4); see ``maskgan swap``.

        Raises:
            ValueError: there is no part of that name, ``inside`` is not auto, photo, reference or painted, or ``hair``
                is not auto, reference or painted.
            InputError: ``hair="reference"``, and the target's hair cannot be used.
        """
        row = {"source": source.image, "target": target.image}
        given = _given(source=source, target=target)
        blending = Blend(blend, inside=Inside(inside), hair=Hair(hair))
        return self._made(swap_edits(row, part_ids(parts), blend=blending, fit=fit, read=given))

    def style(self, source: Face, target: Face, parts: str = "") -> Edited:
        """The source's shape in the target's style (paper, Sec. 5.5); see ``maskgan style-copy``.

        Args:
            source, target: from `open`.
            parts: parts that take the target's style, with ``method="sean"``, e.g. ``"hair"``; all parts if empty.

        Raises:
            ValueError: there is no part of that name.
            InputError: parts are given, and the method has no style for each part.
        """
        if parts and not self._entry.by_part:
            raise InputError("parts", expected="method sean, which has a style for each part", found=self._entry.kind)
        row, given = {"source": source.image, "target": target.image}, _given(source=source, target=target)
        return self._made(style_edits(row, parts=part_ids(parts) if parts else None, read=given))

    def reshape(
        self,
        face: Face,
        part: str = "",
        *,
        grow: float = 0.0,
        move: tuple[float, float] = (0.0, 0.0),
        scale: float = 1.0,
        open_mouth: float = 0.0,
        close_mouth: bool = False,
        add: str | Sequence[str] = (),
        remove: str | Sequence[str] = (),
        accessories: str = "drawn",
        along: Mapping[str, float] | None = None,
        beyond: bool = False,
        blend: bool | None = None,
    ) -> Edited:
        """The face in another shape, without a second face; see ``maskgan reshape``.

        Args:
            face: from `open`.
            part: parts to grow, move or scale, e.g. ``"hair"`` or ``"nose,brows"``.
            grow, move, scale, open_mouth, close_mouth: see `Reshaping`; pixels of a crop of 512 px.
            add: accessories to put on, e.g. ``"glasses"`` or ``["hat-fedora", "earrings"]``: see `library.ITEMS`.
            remove: kinds of accessories to take off, e.g. ``"glasses"``.
            accessories: ``drawn`` as objects over a photo, or ``painted`` by the network.
            along: steps in directions of MaskVAE's latent space, e.g. ``{"smile": 1.5}``.
            beyond: allow steps beyond the range in which this face looks human.
            blend: whether the painting is pasted back; None: for photos only.

        Raises:
            ValueError: there is no part of that name, or ``accessories`` is not drawn or painted.
            InputError: there is no such accessory or direction, or the directions belong to another MaskVAE.
        """
        things = (add,) if isinstance(add, str) else tuple(add)
        off = (remove,) if isinstance(remove, str) else tuple(remove)
        for name in off:
            known("what to take off", name, KINDS)
        blending = Blend(blend, accessories=Accessories(accessories))
        ways = tuple((along or {}).items())
        parts = part_ids(part) if part else ()
        how = Reshaping(parts, grow, move, scale, -1.0 if close_mouth else open_mouth, ways, things, beyond, off)
        row, directions = {"source": face.image}, self._directions if ways else None
        given = _given(source=face)
        return self._made(reshape_edits(row, how, blend=blending, directions=directions, read=given))

    def interpolate(
        self,
        first: Face,
        second: Face,
        steps: int = 8,
        *,
        beyond: float = 0.0,
        keep_ends: bool = False,
        style: Face | None = None,
    ) -> Interpolation:
        """Interpolate between the masks of two faces (paper, Sec. 3.2); see ``maskgan interpolate``.

        Args:
            first, second: the two faces; the masks have the size of the first one's.
            steps: number of masks, including both ends.
            beyond: extrapolate beyond both ends by this share of the distance.
            keep_ends: use the faces' own masks at the ends instead of MaskVAE's reconstructions. Between photos, the
                masks then approach both ends smoothly: see `morph`.
            style: a face in whose style every mask is painted.

        Raises:
            ValueError: there are fewer than two steps, or ``keep_ends`` and ``beyond`` are combined.
            InputError: there are no MaskVAE weights.
        """
        if steps < 2 or (keep_ends and beyond):
            raise ValueError("steps must be 2 or more, and keep_ends does not go with beyond")
        manifold, where = self._manifold, positions(steps, beyond=beyond)
        photos = first.is_photo and second.is_photo
        masks = masks_between(first.labels, second.labels, where.tolist(), manifold, keep_ends=keep_ends, photos=photos)
        note: dict[str, Any] = {"weights": manifold.weights.sha256, "positions": where.tolist(), "keep_ends": keep_ends}
        if style is None:
            return Interpolation(masks, [], note)
        parts = paint_masks(self._method, masks, style.labels, style.picture)
        faces = [picture for part in parts for picture in part]
        return Interpolation(masks, faces, {**note, **self._method.note})

    @cached_property
    def _manifold(self) -> MaskManifold:
        return MaskManifold(find_weights(self._vae, "vae"), self._device)

    @cached_property
    def _directions(self) -> Directions:
        return Directions(self._manifold, self._file)

    def _made(self, edit: Edit[Request]) -> Edited:
        painted = self._method.paint([edit.request])[0] if edit.painted else None
        note = {**edit.settings, **self._method.note}
        return Edited(edit.finish(painted), edit.mask(self._method.size), note, edit.photo)


def _given(**faces: Face) -> ReadFace:
    """A `ReadFace` that returns faces that have been read already, by role."""
    return lambda _image, _mask, role: faces[role]


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
