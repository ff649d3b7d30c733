"""Edits from Python: ``from maskgan_cli import Editor``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from maskgan_cli.editing.accessories.take_off import KINDS
from maskgan_cli.editing.directions import Directions
from maskgan_cli.editing.edits import Edit, reshape_edits, style_edits, swap_edits
from maskgan_cli.editing.faces import Face, ReadFace
from maskgan_cli.editing.interpolate import Interpolation, MaskManifold, paint_masks, positions
from maskgan_cli.editing.library import known
from maskgan_cli.editing.methods import Request, method_named
from maskgan_cli.editing.morph import masks_between
from maskgan_cli.editing.options import Accessories, Blend, Hair, Inside
from maskgan_cli.editing.reader import PhotoReader
from maskgan_cli.editing.reshape import Reshaping
from maskgan_cli.files import Photo, Picture, write_image, write_photo
from maskgan_cli.labels import LabelMap, part_ids
from maskgan_cli.weights.lookup import find_weights


@dataclass(frozen=True)
class Edited:
    """A finished edit.

    Attributes:
        picture: (H, W, 3): the whole photo where the face was cut out of one.
        labels: the mask that was painted, of the picture's size.
        note: what made it; `save` keeps it in the file.
        photo: the photograph that it is an edit of; None for a painting by itself.
    """

    picture: Picture
    labels: LabelMap | None
    note: Mapping[str, Any]
    photo: Photo | None

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the picture, with the photo's metadata.

        Raises:
            InputError: an existing file without ``overwrite``, or a name that is no picture's.
        """
        if self.photo is None:
            return write_image(path, self.picture, overwrite=overwrite, note=self.note)
        return write_photo(path, self.picture, self.photo, note=self.note, overwrite=overwrite)


class Editor:
    """Loaded weights, ready to edit.

        editor = Editor()
        me, friend = editor.open("me.jpg"), editor.open("friend.jpg")
        editor.swap(me, friend, "mouth").save("out.png")

    Args:
        weights: a run folder or file; those that the commands would find if None.
        parser_weights: of the face parser, likewise.
        vae_weights: of the MaskVAE, likewise; read when it is first needed.
        directions: a file of ``maskgan find-directions``, for `reshape`.
        device: auto, cpu, cuda, cuda:1 or mps.
        method: who paints masks: dmn, pix2pixhd-m or spade.
        force: go on with what is no face crop, and with small faces.

    Raises:
        InputError: no such weights, or no such device.
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
        entry = method_named(method, masks=True)
        self._method = entry.load(find_weights(_path(weights), entry.kind), device)
        self._parser, self._vae, self._file = _path(parser_weights), _path(vae_weights), _path(directions)
        self._device, self._force = device, force

    def open(self, image: str | Path, mask: str | Path | None = None, *, number: int | None = None) -> Face:
        """A face to edit: a crop as it is, or face ``number`` (the largest) of any photo; see `PhotoReader`.

        Raises:
            InputError: unreadable, no face, a small one, or a mask that is no face's.
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
            ValueError: no part of that name, another ``inside`` than auto, photo, reference or painted, or another
                ``hair`` than auto, reference or painted.
            InputError: ``hair="reference"`` where no hair can be taken.
        """
        row = {"source": source.image, "target": target.image}
        given = _given(source=source, target=target)
        blending = Blend(blend, inside=Inside(inside), hair=Hair(hair))
        return self._made(swap_edits(row, part_ids(parts), blend=blending, fit=fit, read=given))

    def style(self, source: Face, target: Face) -> Edited:
        """The source's shape in the target's look (paper, Sec. 5.5); see ``maskgan style-copy``."""
        row = {"source": source.image, "target": target.image}
        return self._made(style_edits(row, read=_given(source=source, target=target)))

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
            face: as opened.
            part: what grows, moves or is scaled, e.g. ``"hair"`` or ``"nose,brows"``.
            grow, move, scale, open_mouth, close_mouth: see `Reshaping`; pixels of a crop of 512 px.
            add: things to put on, e.g. ``"glasses"`` or ``["hat-fedora", "earrings"]``: see `library.ITEMS`.
            remove: kinds of things to take off, e.g. ``"glasses"``.
            accessories: ``drawn`` as objects over a photo, or ``painted`` by the network.
            along: how far to go in directions along MaskVAE's manifold, e.g. ``{"smile": 1.5}``.
            beyond: go farther along them than this face looks human.
            blend: whether the painting is pasted back; photos' are if it is None.

        Raises:
            ValueError: no part of that name, or another ``accessories`` than drawn or painted.
            InputError: no such thing or direction, or directions of another MaskVAE.
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
        """Masks on the way from one face's to another's (paper, Sec. 3.2); see ``maskgan interpolate``.

        Args:
            first, second: the ends; the masks are of the first one's size.
            steps: how many masks, ends included.
            beyond: go on beyond both ends by this share of the way.
            keep_ends: the first and last mask are the faces' own, not MaskVAE's picture of them. Between photos, the
                masks on the way are then smooth up to both ends: see `morph`.
            style: a face in whose look every mask is painted.

        Raises:
            ValueError: fewer than two steps, or ends that are kept though the way goes on beyond them.
            InputError: no MaskVAE's weights.
        """
        if steps < 2 or (keep_ends and beyond):
            raise ValueError("two steps or more, and none beyond ends that are kept")
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
        (painted,) = self._method.paint([edit.request])
        note = {**edit.settings, **self._method.note}
        return Edited(edit.finish(painted), edit.mask(self._method.size), note, edit.photo)


def _given(**faces: Face) -> ReadFace:
    """A reader of faces that are read already, by role."""
    return lambda _image, _mask, role: faces[role]


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)
