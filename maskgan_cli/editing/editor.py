"""Edit faces from Python with the class `Editor`: ``from maskgan_cli import Editor``."""

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
    """The result of an edit: the picture, its mask, and a dict that says how the picture was made.

    Attributes:
        picture: (H, W, 3), the finished picture; the whole photo if the face was cut out of one.
        labels: (H, W), the edited mask; None if the method uses no masks.
        note: dict of the weights and settings that made the picture; `save` writes this dict into the file.
        photo: the photo before the edit, whose metadata `save` copies; None if the painting is not pasted into a photo.
    """

    picture: Picture
    labels: LabelMap | None
    note: Mapping[str, Any]
    photo: Photo | None

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the picture to a file, with the metadata of the original photo, and return the path.

        Raises:
            InputError: the file exists and ``overwrite`` is false, or the suffix of ``path`` is not that of a picture
                format.
        """
        if self.photo is None:
            return write_image(path, self.picture, overwrite=overwrite, note=self.note)
        return write_photo(path, self.picture, self.photo, note=self.note, overwrite=overwrite)


class Editor:
    """Edit faces from Python. The networks are loaded once and used for all edits.

        editor = Editor()
        me, friend = editor.open("me.jpg"), editor.open("friend.jpg")
        editor.swap(me, friend, "mouth").save("out.png")

    Args:
        weights: weights file or run folder of the network that paints; None: those that `find_weights` finds.
        parser_weights: weights of the face parser; None: those that `find_weights` finds.
        vae_weights: weights of the MaskVAE, which is loaded when it is first needed; None: those that `find_weights`
            finds.
        directions: file written by ``maskgan find-directions``, whose directions `reshape` can use; None: only the
            package's own directions.
        device: auto, cpu, cuda, cuda:1 or mps.
        method: name of the network that paints: dmn, pix2pixhd-m, spade or sean.
        force: accept pictures that are not face crops, and faces smaller than 64 pixels.

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
        """Read a face crop, or detect a face in a photo and cut this face out; see `PhotoReader`.

        Args:
            image: the picture's file.
            mask: file of the picture's mask. None: use ``NAME.mask.png`` beside the picture if this file exists, and
                otherwise make the mask with the face parser.
            number: number of the face in a photo, counted from the left from 1; None: the largest face.

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
        """Give parts of the source, e.g. the mouth, the shape of the target's parts (paper, Sec. 5.4).

        See ``maskgan swap``.

        Args:
            source: the face to edit, from `open`.
            target: the face whose parts are copied into the source's mask.
            parts: names of parts, separated by commas.
            blend: whether the painting is pasted back into the source; None: for photos only.
            fit: whether the target's parts are aligned with the source's face; None: only if the painting is pasted
                back.
            inside: where the inside of a newly opened mouth is taken from: see `Inside`.
            hair: where the pixels of swapped hair are taken from: see `Hair`.

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
        """Paint the source's mask in the style (colours and texture) of the target (paper, Sec. 5.5).

        See ``maskgan style-copy``.

        Args:
            source, target: faces from `open`.
            parts: parts that get the target's style, e.g. ``"hair"``; only with ``method="sean"``. Empty: all parts.

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
        """Change the shape of a face without a second face; see ``maskgan reshape``.

        Args:
            face: the face to edit, from `open`.
            part: parts to grow, move or scale, e.g. ``"hair"`` or ``"nose,brows"``.
            grow, move, scale, open_mouth: see `Reshaping`; lengths are pixels of a crop of 512 px.
            close_mouth: close the mouth; ``open_mouth`` is then ignored.
            add: accessories to put on, e.g. ``"glasses"`` or ``["hat-fedora", "earrings"]``: see `library.ITEMS`.
            remove: kinds of accessories to take off, e.g. ``"glasses"``.
            accessories: ``drawn``: accessories are drawn over the photo as objects; ``painted``: the network paints
                them.
            along: dict from the name of an edit direction in MaskVAE's latent space to the number of steps to move in
                this direction, e.g. ``{"smile": 1.5}``.
            beyond: allow steps beyond the range in which this face looks human.
            blend: whether the painting is pasted back into the face's picture; None: for photos only.

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
            first, second: the two faces. All masks of the result have the size of the first face's mask.
            steps: number of masks, including the first and the last.
            beyond: extrapolate at both ends by this share of the distance between the latent codes of the two masks.
            keep_ends: use the faces' own masks as the first and last mask, instead of MaskVAE's reconstructions. If
                both faces are photos, the other masks are corrected too, so that there is no jump after the first or
                before the last mask: see `morph`.
            style: the face whose style is used to paint every mask; None: the masks are not painted.

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
        """The MaskVAE, loaded at the first use."""
        return MaskManifold(find_weights(self._vae, "vae"), self._device)

    @cached_property
    def _directions(self) -> Directions:
        """The edit directions (e.g. smile) in the MaskVAE's latent space, loaded at the first use."""
        return Directions(self._manifold, self._file)

    def _made(self, edit: Edit[Request]) -> Edited:
        """Paint the mask of an edit with the network, finish the picture (see `Edit.finish`), and return the result."""
        painted = self._method.paint([edit.request])[0] if edit.painted else None
        note = {**edit.settings, **self._method.note}
        return Edited(edit.finish(painted), edit.mask(self._method.size), note, edit.photo)


def _given(**faces: Face) -> ReadFace:
    """Return a function that replaces `read_face`: it reads no files, but returns the given face of the requested role.

    Args:
        **faces: faces that have been read already; the keywords are the roles, e.g. ``source``.
    """
    return lambda _image, _mask, role: faces[role]


def _path(given: str | Path | None) -> Path | None:
    """Convert a path to a `Path`; None is returned unchanged."""
    return None if given is None else Path(given)
