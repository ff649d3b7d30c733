"""The edits: a row of files -> what a method is asked to paint, and what becomes of its painting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from maskgan_cli.data.crop import matrix_of
from maskgan_cli.data.given_masks import read_given_mask
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing import library
from maskgan_cli.editing.accessories.bare_face import without_glasses
from maskgan_cli.editing.accessories.put_on import Worn, drawable, hair_under_hats, put_on
from maskgan_cli.editing.accessories.take_off import kinds_of, without
from maskgan_cli.editing.blend import paste_person
from maskgan_cli.editing.compose import Place, joined_by, paste_back
from maskgan_cli.editing.faces import Face, ReadFace, read_face, read_square_mask
from maskgan_cli.editing.fit import fit_parts
from maskgan_cli.editing.hair_fit import HairFit, fitted_hair
from maskgan_cli.editing.hair_swap import hair_to_take
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.mouths import Reference, source_of_inside
from maskgan_cli.editing.options import Accessories, Blend, Edge, Hair
from maskgan_cli.editing.reshape import Reshaping, reshape
from maskgan_cli.editing.swap import swap_parts
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture
from maskgan_cli.labels import CLASSES, ID, LabelMap, colourise, part_ids

if TYPE_CHECKING:
    from maskgan_cli.editing.cutouts import Cutout
    from maskgan_cli.editing.directions import Directions, Step
    from maskgan_cli.editing.reader import PhotoReader

R = TypeVar("R")
Row = Mapping[str, Path]


@dataclass(frozen=True)
class Edit(Generic[R]):
    """One picture to make.

    Attributes:
        request: what the method is asked to paint.
        face: the face that lends its look; with ``blend``, the picture that is pasted into. None if the method
            sees no masks, whose paintings stay bare.
        labels: (S, S), the mask that is painted; None if the method paints none.
        inputs: file by role, for the record.
        settings: what else decides the result, for the record.
        panels: pictures that explain it on a sheet, of any square size.
        blend: how the painting is pasted back into ``face``, or None for the bare painting.
        place: the face whose place in its photo a bare painting takes; None if it stays by itself.
        reference: the face of which the mouth or the hair is taken, if there is one.
        hair: how that face's hair is brought onto ``face``; None if it is not taken.
        drawn: names of the accessories that are drawn over the finished picture: see `library.ITEMS`.
        original: the photograph, if ``face`` is not its own face but one without the glasses that it wears.
    """

    request: R
    face: Face | None
    labels: LabelMap | None
    inputs: dict[str, Path]
    settings: dict[str, Any]
    panels: list[Picture]
    blend: Blend | None = None
    place: Face | None = None
    reference: Face | None = None
    hair: HairFit | None = None
    drawn: tuple[str, ...] = ()
    original: Photo | None = None
    _worn: list[LabelMap] = field(default_factory=list, repr=False, compare=False)  # by `finish`, for `mask`

    @property
    def photo(self) -> Photo | None:
        """The photograph that the finished picture is an edit of; None for a painting by itself."""
        place = self._place
        return self.original or (None if place is None else place.photo)

    @property
    def _place(self) -> Face | None:
        return self.place if self.blend is None else self.face

    @property
    def _cutout(self) -> Cutout | None:
        place = self._place
        return None if place is None else place.cutout

    def finish(self, painted: Picture) -> Picture:
        """The method's picture -> the picture to write."""
        if self.blend is not None and self.face is not None and self.labels is not None:
            cutout = self.face.cutout
            place = None if cutout is None else Place(cutout.photo.picture, cutout.square)
            other = (
                None if self.reference is None else Reference(self.reference.picture, self.reference.labels, self.hair)
            )
            edited = paste_back(self.face.picture, painted, self.face.labels, self.labels, self.blend, place, other)
            if not self.drawn:
                return edited
            worn = self._with_accessories(edited)
            self._worn.append(worn.labels)
            return worn.picture
        if self.place is not None:
            edited = paste_person(self.place.picture, resize_image(painted, len(self.place.picture)), self.place.labels)
            return edited if self._cutout is None else self._cutout.put_back(edited)
        return painted

    def mask(self, painted: int) -> LabelMap | None:
        """The mask that is painted, of the finished picture's size, where the method paints at ``painted`` pixels."""
        if self.labels is None:
            return None
        place = self._place
        labels = resize_labels(self.labels, painted if place is None else len(place.picture))
        labels = labels if self._cutout is None else self._cutout.put_labels_back(labels)
        if not self.drawn or place is None:
            return labels
        # Accessories may lie outside the crop: their classes are added in the picture that is written.
        there = place.picture if self._cutout is None else self._cutout.photo.picture
        worn = self._worn[-1] if self._worn else self._with_accessories(there).labels
        return np.where(worn > 0, worn, labels)

    def _with_accessories(self, picture: Picture) -> Worn:
        """The crop or the photo (H, W, 3) with the accessories drawn over it."""
        assert self.labels is not None
        cutout = self._cutout
        matrix = None if cutout is None else matrix_of(cutout.square, len(self.labels))
        return put_on(picture, self.labels, self.drawn, matrix)

    def shown(self, picture: Picture) -> Picture:
        """What of the finished picture a sheet shows: the face."""
        return picture if self._cutout is None else self._cutout.again(picture)


def every_face(make: Callable[..., Edit[R]], row: Row, role: str, read: PhotoReader) -> list[Edit[R]]:
    """The edit of every face of a photo; what else the row names is read once.

    Args:
        make: a row and ``read`` -> an edit.
        row: the files.
        role: of the photo, e.g. ``source``.
        read: reads faces.

    Raises:
        InputError: no face that can be edited.
    """
    others: dict[str, Face] = {}

    def reader(face: Face) -> ReadFace:
        def given(image: Path, mask: Path | None, asked: str) -> Face:
            if asked == role:
                return face
            if asked not in others:
                others[asked] = read(image, mask, asked)
            return others[asked]

        return given

    mask = row.get("style_mask" if role == "style_image" else f"{role}_mask")
    edits = [make(row, read=reader(face)) for face in read.every(row[role], mask, role)]
    if len(edits) > 1 and edits[0].photo is None:
        raise InputError("--face", expected="one face, where the painting stays bare", found="all")
    return edits


def joined(pictures: Sequence[Picture], photo: Photo | None) -> Picture:
    """Pictures of one photo, each with an edit of its own, as one with them all."""
    if photo is None or len(pictures) == 1:
        return pictures[0]
    result = photo.picture.copy()
    for picture in pictures:
        changed = (picture != photo.picture).any(-1)
        result[changed] = picture[changed]
    return result


def overlaid(masks: Sequence[LabelMap]) -> LabelMap:
    """Label maps (H, W) of one photo's faces as one; background hides nothing."""
    result = masks[0].copy()
    for labels in masks[1:]:
        result = np.where(labels > 0, labels, result)
    return result


def render_edits(row: Row, *, blend: Blend, read: ReadFace = read_face) -> Edit[Request]:
    """``mask``, ``style_image`` and maybe their masks and ``reference`` -> the edit of ``maskgan render``."""
    face = read(row["style_image"], row.get("style_mask"), "style_image")
    labels = _shape_for(face, row["mask"])
    inputs = _named(mask=row["mask"], style_image=face.image, style_mask=face.mask)
    reference = read(row["reference"], row.get("reference_mask"), "reference") if "reference" in row else None
    if reference is not None:
        inputs |= _named(reference=reference.image, reference_mask=reference.mask)
    panels = [face.picture, colourise(face.labels), colourise(labels)]
    # The mask may be anybody's: into a face crop nothing is pasted unasked.
    asked = blend.unless(bare=face.cutout is None)
    settings = {"edit": "render"} | _joined(face, labels, asked, reference) | _parser(face)
    request = Request(labels, face.labels, face.picture)
    return Edit(request, face, labels, inputs, settings, panels, asked, reference=reference)


def swap_edits(
    row: Row, parts: Collection[int], *, blend: Blend, fit: bool | None = None, read: ReadFace = read_face
) -> Edit[Request]:
    """``source``, ``target`` and maybe their masks -> the edit of ``maskgan swap``.

    Args:
        row: the files.
        parts: class ids.
        blend: how the painting is pasted back.
        fit: whether the target's parts are brought onto the source's face (see `fit_parts`) or replace the source's
            where they are, as in the paper; if None, those of an edit that is pasted back are. Bare paintings, and so
            the paper's protocols, keep to the paper.
        read: reads a face.
    """
    source, target, inputs = _two_faces(row, read)
    asked = blend.unless(bare=not source.is_photo)
    fitted = asked is not None if fit is None else fit
    hair = _hair_to_take(source, target, parts, asked, fitted=fitted)
    if fitted:
        shape = fit_parts(target.labels, source.labels, parts)
    else:
        shape = resize_labels(target.labels, len(source.labels))
    own = source.labels if hair is None else fitted_hair(target.labels, source.labels, hair)
    labels = swap_parts(own, shape, parts if hair is None else set(parts) - {ID["hair"]})
    settings: dict[str, Any] = {"edit": "swap", "parts": [CLASSES[i] for i in sorted(parts)]}
    reference = target if hair is not None or set(parts) & set(part_ids("mouth")) else None
    settings |= _joined(source, labels, asked, reference, own) | _parser(source, target)
    if ID["hair"] in parts and asked is not None:
        settings["hair"] = (Hair.PAINTED if hair is None else Hair.REFERENCE).value
    if fitted:
        settings["fit"] = True
    panels = [source.picture, target.picture, colourise(labels)]
    request = Request(labels, source.labels, source.picture)
    return Edit(request, source, labels, inputs, settings, panels, asked, reference=reference, hair=hair)


def reshape_edits(
    row: Row, how: Reshaping, *, blend: Blend, directions: Directions | None = None, read: ReadFace = read_face
) -> Edit[Request]:
    """``source`` and maybe its mask -> the edit of ``maskgan reshape``; see `reshape` for ``directions``.

    Raises:
        InputError: what is asked for of parts changes nothing in the mask.
    """
    source = given = read(row["source"], row.get("source_mask"), "source")
    steps: list[Step] = []
    asked = blend.unless(bare=not source.is_photo)
    drawn: tuple[str, ...] = ()
    if asked is not None and asked.accessories is Accessories.DRAWN:
        drawn = tuple(name for name in map(library.item_name, how.add) if drawable(name, source.labels))
    if asked is not None and "glasses" in (*how.remove, *kinds_of(drawn)):
        source = without_glasses(source)
    painted = tuple(name for name in how.add if library.item_name(name) not in drawn)
    labels = without(reshape(source.labels, replace(how, add=painted), directions, steps), kinds_of(drawn))
    labels = hair_under_hats(labels, drawn)
    # A small step along a direction may move no border.
    if not (how.along or drawn or source is not given) and np.array_equal(labels, source.labels):
        raise InputError(
            source.image,
            expected="a face whose mask has the parts that are reshaped",
            found="none of them, or nothing left to change",
            hint="look at its mask with `maskgan parse`, or draw it with `maskgan edit`",
        )
    settings = {"edit": "reshape"} | _joined(source, labels, asked) | how.note | _parser(source)
    settings |= {"accessories": (Accessories.DRAWN if drawn else Accessories.PAINTED).value} if how.add else {}
    settings |= {} if directions is None else directions.note
    settings |= {"steps": [step.note for step in steps]} if steps else {}
    request = Request(labels, source.labels, source.picture)
    panels = [source.picture, colourise(source.labels), colourise(labels)]
    inputs = _named(source=source.image, source_mask=source.mask)
    return Edit(request, source, labels, inputs, settings, panels, asked, drawn=drawn, original=given.photo)


def style_edits(row: Row, *, read: ReadFace = read_face) -> Edit[Request]:
    """``source``, ``target`` and maybe their masks -> the edit of ``maskgan style-copy``."""
    source, target, inputs = _two_faces(row, read)
    panels = [source.picture, target.picture, colourise(source.labels)]
    request = Request(source.labels, target.labels, target.picture)
    settings = {"edit": "style-copy"} | _parser(source, target)
    place = source if source.cutout is not None else None
    return Edit(request, target, source.labels, inputs, settings, panels, place=place)


def _shape_for(face: Face, mask: Path) -> LabelMap:
    """The label map to paint: a square one, or one of the whole photo that the face was cut out of."""
    if face.cutout is not None and face.photo is not None:
        labels = read_given_mask(mask)
        if labels.shape == face.photo.picture.shape[:2]:
            return face.cutout.cut_labels(labels)
    return read_square_mask(mask)


def _two_faces(row: Row, read: ReadFace) -> tuple[Face, Face, dict[str, Path]]:
    source = read(row["source"], row.get("source_mask"), "source")
    target = read(row["target"], row.get("target_mask"), "target")
    inputs = _named(source=source.image, target=target.image, source_mask=source.mask, target_mask=target.mask)
    return source, target, inputs


def _named(**files: Path | None) -> dict[str, Path]:
    """The files that are there, by role."""
    return {role: path for role, path in files.items() if path is not None}


def _hair_to_take(
    source: Face, target: Face, parts: Collection[int], asked: Blend | None, *, fitted: bool
) -> HairFit | None:
    """How the target's own hair is brought onto the source; None if it is not asked for or cannot be taken.

    Raises:
        InputError: it cannot be taken, and is asked for by name.
    """
    if ID["hair"] not in parts or asked is None or asked.edge is not Edge.MOVE or asked.hair is Hair.PAINTED:
        return None
    found = hair_to_take(target.labels, source.labels) if fitted else None
    if found is None and asked.hair is Hair.REFERENCE:
        raise InputError(
            target.image,
            expected="two bare heads and hair to take" if fitted else "parts that are fitted, without --as-is",
            found="a hat, hardly any hair, or no face" if fitted else "--as-is",
            hint="let the network paint it with --hair painted",
        )
    return found


def _joined(
    face: Face, labels: LabelMap, asked: Blend | None, reference: Face | None = None, own: LabelMap | None = None
) -> dict[str, Any]:
    """For the record: how the painting is joined to the photo, and where the inside of a mouth that changes comes from.

    An edit that asks for another face altogether is not moved, whatever is asked for: see `paste_moved`. ``own`` is
    the face's label map (S, S) once another's hair has been laid on it.
    """
    if asked is None or asked.edge is not Edge.MOVE:
        return {"blend": asked and asked.note}
    after, before = resize_labels(labels, len(face.labels)), face.labels if own is None else own
    edge = joined_by(before, after, asked.edge, in_photo=face.cutout is not None)
    if edge is not Edge.MOVE:
        return {"blend": edge.value}
    source = source_of_inside(before, after, None if reference is None else reference.labels, asked.inside)
    return {"blend": edge.value} | ({} if source is None else {"inside": source.value})


def _parser(*faces: Face) -> dict[str, Any]:
    """Which parser made a mask, and which faces were cut out of photos, for the record."""
    made = [face.parser for face in faces if face.parser]
    numbers = [face.cutout and face.cutout.number for face in faces]
    found: dict[str, Any] = {"parser": made[0]} if made else {}
    return found | {name: number for name, number in zip(("face", "target_face"), numbers, strict=False) if number}
