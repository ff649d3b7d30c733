"""Make the `Edit` of a command (render, swap, reshape or style-copy) from the files of one row.

A row is a dict from the role of an input file (e.g. ``source`` or ``target``) to the file's path. The row is made from
the command's arguments or from one line of a list of files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskgan_cli.data.given_masks import read_given_mask
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.bare_face import with_hair_of, without_glasses
from maskgan_cli.editing.compositing.accessories.put_on import make_room, to_draw
from maskgan_cli.editing.compositing.compose import effective_edge
from maskgan_cli.editing.compositing.hair_fit import HairFit, fitted_hair
from maskgan_cli.editing.compositing.hair_swap import hair_to_take
from maskgan_cli.editing.compositing.mouths import ReferenceFace, source_of_inside
from maskgan_cli.editing.edit import Edit, R
from maskgan_cli.editing.faces.face import Face, ReadFace, read_face, read_square_mask
from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.fit import fit_parts
from maskgan_cli.editing.masks.reshape import Reshaping, reshape
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editing.masks.swap import hidden_eyes, swap_parts
from maskgan_cli.editing.masks.take_off import kinds_of
from maskgan_cli.editing.methods import Mixed, Request
from maskgan_cli.editing.options import Accessories, Blend, Edge, Hair
from maskgan_cli.errors import InputError
from maskgan_cli.labels import CLASSES, ID, LabelMap, colourise, part_ids

if TYPE_CHECKING:
    from maskgan_cli.editing.faces.reader import PhotoReader
    from maskgan_cli.editing.masks.directions import Directions, Step

Row = Mapping[str, Path]


def every_face(make: Callable[..., Edit[R]], row: Row, role: str, read: PhotoReader) -> list[Edit[R]]:
    """Make one edit for each face of a photo, and return the edits from left to right.

    The other files of the row are read only once.

    Args:
        make: function that makes one edit; called as ``make(row, read=...)``, e.g. `swap_edits` with its options.
        row: dict from role to file.
        role: role, e.g. ``source``, of the photo whose faces are all edited.
        read: reads faces from files.

    Raises:
        InputError: no face can be edited, or there are several faces and the paintings are not pasted into the photo.
    """
    others: dict[str, Face] = {}

    def reader(face: Face) -> ReadFace:
        """Return a replacement for ``read`` that returns ``face`` for ``role``, and reads the other faces only once."""

        def read_once(image: Path, mask: Path | None, wanted: str) -> Face:
            """Return ``face`` if ``wanted`` equals ``role``; else read the face of role ``wanted``, and cache it."""
            if wanted == role:
                return face
            if wanted not in others:
                others[wanted] = read(image, mask, wanted)
            return others[wanted]

        return read_once

    mask = row.get("style_mask" if role == "style_image" else f"{role}_mask")
    edits = [make(row, read=reader(face)) for face in read.every(row[role], mask, role)]
    if len(edits) > 1 and edits[0].photo is None:
        raise InputError("--face", expected="one face, where the painting stays bare", found="all")
    return edits


def render_edits(
    row: Row, *, blend: Blend, add: Sequence[str] = (), bare: bool = False, read: ReadFace = read_face
) -> Edit[Request]:
    """Make the edit of ``maskgan render``: paint a given mask in the style of a face.

    Args:
        row: dict from role to file: ``mask``, the mask to paint; ``style_image``, the face whose style is used.
            Optional: ``reference``, a face that provides the inside of an opened mouth; ``hair_reference``, a face
            whose hair is used; and masks of these faces: ``style_mask``, ``reference_mask`` and
            ``hair_reference_mask``.
        blend: whether and how the network's painting is pasted back into the picture of the face.
        add: names of accessories to put on: see `library.item_name`.
        bare: remove the glasses that the face wears.
        read: reads a face from a file.

    Raises:
        InputError: ``hair_reference`` is given, but its hair cannot be used, or the painting is not pasted back with
            ``Edge.MOVE``.
    """
    face = given = read(row["style_image"], row.get("style_mask"), "style_image")
    # The mask may belong to another face, so by default nothing is pasted into a face crop.
    chosen = blend.or_bare(bare=face.cutout is None)
    drawn = _to_draw(add, face, chosen)
    if chosen is not None and (bare or "glasses" in kinds_of(drawn)):
        face = without_glasses(face)
    labels = _shape_for(face, row["mask"])
    for name in add:
        labels = labels if library.item_name(name) in drawn else wear(labels, library.item(name))
    labels = make_room(labels, drawn, given.labels)
    request = Request(labels, face.labels, face.picture)
    inputs = _named(mask=row["mask"], style_image=face.image, style_mask=face.mask)
    reference = read(row["reference"], row.get("reference_mask"), "reference") if "reference" in row else None
    if reference is not None:
        inputs |= _named(reference=reference.image, reference_mask=reference.mask)
    more: dict[str, Any] = {}
    if "hair_reference" in row:
        hair = read(row["hair_reference"], row.get("hair_reference_mask"), "hair_reference")
        face = with_hair_of(face, ReferenceFace(hair.picture, hair.labels, _hair_of(hair, given, chosen)))
        inputs |= _named(hair_reference=hair.image, hair_reference_mask=hair.mask)
        more["hair"] = Hair.REFERENCE.value
    panels = [given.picture, colourise(given.labels), colourise(labels)]
    settings = {"edit": "render"} | _blend_record(face, labels, chosen, reference) | _parser(given) | more
    settings |= {"add": list(add)} | _accessories_record(drawn) if add else {}
    settings |= {"remove_glasses": True} if bare else {}
    original = None if face is given else given.photo
    return Edit(
        request, face, labels, inputs, settings, panels, chosen, reference=reference, drawn=drawn, original=original
    )


def swap_edits(
    row: Row, parts: Collection[int], *, blend: Blend, fit: bool | None = None, read: ReadFace = read_face
) -> Edit[Request]:
    """Make the edit of ``maskgan swap``: replace parts of the source's mask by the same parts of the target's mask.

    Args:
        row: dict from role to file: ``source``, ``target``, and optionally ``source_mask`` and ``target_mask``.
        parts: class ids of the parts.
        blend: whether and how the network's painting is pasted back into the picture of the face.
        fit: True: the target's parts are aligned with the source's face (see `fit_parts`), and an eye or brow that is
            hidden in one of the faces is not replaced. False: parts keep their position, as in the paper. None: True if
            the painting is pasted back, else False, as the paper's protocols require.
        read: reads a face from a file.

    Raises:
        InputError: all parts are hidden, or the target's hair is requested and cannot be used.
    """
    source, target, inputs = _two_faces(row, read)
    chosen = blend.or_bare(bare=not source.is_photo)
    fitted = chosen is not None if fit is None else fit
    kept = hidden_eyes(source.labels, target.labels) & set(parts) if fitted else frozenset()
    parts = set(parts) - kept
    if not parts:
        raise InputError(
            target.image, expected="eyes that are visible in both faces", found="eyes hidden by glasses, hair or a hand"
        )
    hair = _hair_to_take(source, target, parts, chosen, fitted=fitted)
    if fitted:
        shape = fit_parts(target.labels, source.labels, parts)
    else:
        shape = resize_labels(target.labels, len(source.labels))
    own = source.labels if hair is None else fitted_hair(target.labels, source.labels, hair)
    labels = swap_parts(own, shape, parts if hair is None else set(parts) - {ID["hair"]})
    settings: dict[str, Any] = {"edit": "swap", "parts": [CLASSES[i] for i in sorted(parts)]}
    reference = target if hair is not None or set(parts) & set(part_ids("mouth")) else None
    settings |= _blend_record(source, labels, chosen, reference, own) | _parser(source, target)
    if ID["hair"] in parts and chosen is not None:
        settings["hair"] = (Hair.PAINTED if hair is None else Hair.REFERENCE).value
    if fitted:
        settings["fit"] = True
    if kept:
        settings["kept"] = [CLASSES[i] for i in sorted(kept)]
    panels = [source.picture, target.picture, colourise(labels)]
    request = Request(labels, source.labels, source.picture)
    painted = hair is None or not np.array_equal(labels, own)
    return Edit(
        request, source, labels, inputs, settings, panels, chosen, reference=reference, hair=hair, painted=painted
    )


def reshape_edits(
    row: Row, how: Reshaping, *, blend: Blend, directions: Directions | None = None, read: ReadFace = read_face
) -> Edit[Request]:
    """Make the edit of ``maskgan reshape``: change the shape of one face.

    Args:
        row: dict from role to file: ``source``, and optionally ``source_mask``.
        how: the changes of the mask.
        blend: whether and how the network's painting is pasted back into the picture of the face.
        directions: directions of the MaskVAE in use; needed if ``how.along`` is not empty.
        read: reads a face from a file.

    Raises:
        InputError: the mask does not change.
    """
    source = given = read(row["source"], row.get("source_mask"), "source")
    steps: list[Step] = []
    chosen = blend.or_bare(bare=not source.is_photo)
    drawn = _to_draw(how.add, source, chosen)
    if chosen is not None and "glasses" in (*how.remove, *kinds_of(drawn)):
        source = without_glasses(source)
    painted = tuple(name for name in how.add if library.item_name(name) not in drawn)
    labels = make_room(reshape(source.labels, replace(how, add=painted), directions, steps), drawn, given.labels)
    # A small step in a direction may change no pixel, which is not an error.
    if not (how.along or drawn or source is not given) and np.array_equal(labels, source.labels):
        raise InputError(
            source.image,
            expected="a face whose mask has the parts that are reshaped",
            found="none of them, or nothing left to change",
            hint="look at its mask with `maskgan parse`, or draw it with `maskgan edit`",
        )
    settings = {"edit": "reshape"} | _blend_record(source, labels, chosen) | how.note | _parser(source)
    settings |= _accessories_record(drawn) if how.add else {}
    settings |= {} if directions is None else directions.note
    settings |= {"steps": [step.note for step in steps]} if steps else {}
    request = Request(labels, source.labels, source.picture)
    panels = [source.picture, colourise(source.labels), colourise(labels)]
    inputs = _named(source=source.image, source_mask=source.mask)
    return Edit(request, source, labels, inputs, settings, panels, chosen, drawn=drawn, original=given.photo)


def style_edits(row: Row, *, parts: Collection[int] | None = None, read: ReadFace = read_face) -> Edit[Request]:
    """Make the edit of ``maskgan style-copy``: paint the source's mask in the target's style.

    Args:
        row: dict from role to file: ``source``, ``target``, and optionally ``source_mask`` and ``target_mask``.
        parts: class ids that get the target's style; all other parts keep the source's style. Only for methods with a
            style for each part (`Entry.by_part`). None: the whole picture gets the target's style.
        read: reads a face from a file.
    """
    source, target, inputs = _two_faces(row, read)
    panels = [source.picture, target.picture, colourise(source.labels)]
    mixed = None if parts is None else Mixed(source.labels, source.picture, tuple(sorted(parts)))
    request = Request(source.labels, target.labels, target.picture, mixed, fit_style=True)
    settings: dict[str, Any] = {"edit": "style-copy"} | _parser(source, target)
    if mixed is not None:
        settings["parts"] = [CLASSES[i] for i in mixed.parts]
    place = source if source.cutout is not None else None
    return Edit(request, target, source.labels, inputs, settings, panels, place=place)


def _shape_for(face: Face, mask: Path) -> LabelMap:
    """Read the label map to paint from a file, and return a square label map (S, S).

    If the label map in the file has the size of the whole photo, only the part inside the face's crop is returned.

    Args:
        face: the face whose style is painted.
        mask: the file of the label map.
    """
    if face.cutout is not None and face.photo is not None:
        labels = read_given_mask(mask)
        if labels.shape == face.photo.picture.shape[:2]:
            return face.cutout.cut_labels(labels)
    return read_square_mask(mask)


def _two_faces(row: Row, read: ReadFace) -> tuple[Face, Face, dict[str, Path]]:
    """Read the faces ``source`` and ``target`` of a row; return both faces, and a dict from role to file for `Edit`."""
    source = read(row["source"], row.get("source_mask"), "source")
    target = read(row["target"], row.get("target_mask"), "target")
    inputs = _named(source=source.image, target=target.image, source_mask=source.mask, target_mask=target.mask)
    return source, target, inputs


def _named(**files: Path | None) -> dict[str, Path]:
    """Return a dict from the role of each file to its path, without the files that are None."""
    return {role: path for role, path in files.items() if path is not None}


def _to_draw(names: Sequence[str], face: Face, blend: Blend | None) -> tuple[str, ...]:
    """Return the names of the accessories that are drawn over the finished picture; the network paints the others.

    Args:
        names: names of all accessories that are put on.
        face: the face that gets them.
        blend: how the painting is pasted back. None: the painting is not pasted back; then the network paints all
            accessories.
    """
    if blend is None or blend.accessories is not Accessories.DRAWN:
        return ()
    return to_draw(names, face.labels)


def _accessories_record(drawn: Sequence[str]) -> dict[str, str]:
    """Return ``{"accessories": "drawn"}`` for a result's record, or ``{"accessories": "painted"}`` if none is drawn.

    Args:
        drawn: names of the accessories that are drawn over the finished picture.
    """
    return {"accessories": (Accessories.DRAWN if drawn else Accessories.PAINTED).value}


def _hair_of(reference: Face, face: Face, blend: Blend | None) -> HairFit:
    """Align the hair of a reference with the head of the edited face, and return the alignment.

    Args:
        reference: the face given by ``--hair-reference``, whose hair is copied.
        face: the edited face.
        blend: how the painting is pasted back; None: the painting is not pasted back.

    Raises:
        InputError: the hair cannot be used, or the painting is not pasted back with ``Edge.MOVE``.
    """
    if blend is None or blend.edge is not Edge.MOVE:
        found = "the bare painting" if blend is None else f"--edge {blend.edge.value}"
        raise InputError("--hair-reference", expected="an edit with --blend and --edge move", found=found)
    fit = _hair_to_take(face, reference, [ID["hair"]], replace(blend, hair=Hair.REFERENCE), fitted=True)
    assert fit is not None
    return fit


def _hair_to_take(
    source: Face, target: Face, parts: Collection[int], blend: Blend | None, *, fitted: bool
) -> HairFit | None:
    """Align the target's hair with the source's head, and return the alignment.

    Args:
        source: the edited face.
        target: the face whose hair is used.
        parts: class ids of the parts that are swapped.
        blend: how the painting is pasted back; None: the painting is not pasted back.
        fitted: whether the target's parts are aligned with the source's face.

    Returns:
        The alignment. None if hair is not swapped, if the painting is not pasted back with ``Edge.MOVE``, if the
        network should paint the hair, or if the target's hair cannot be used.

    Raises:
        InputError: the hair is requested with ``Hair.REFERENCE`` and cannot be used.
    """
    if ID["hair"] not in parts or blend is None or blend.edge is not Edge.MOVE or blend.hair is Hair.PAINTED:
        return None
    found = hair_to_take(target.labels, source.labels) if fitted else None
    if found is None and blend.hair is Hair.REFERENCE:
        raise InputError(
            target.image,
            expected="two bare heads and hair to take" if fitted else "parts that are fitted, without --as-is",
            found="a hat, hardly any hair, or no face" if fitted else "--as-is",
            hint="let the network paint it with --hair painted",
        )
    return found


def _blend_record(
    face: Face, labels: LabelMap, blend: Blend | None, reference: Face | None = None, own: LabelMap | None = None
) -> dict[str, Any]:
    """Return a dict with the keys ``blend`` and ``inside`` for a result's record.

    ``blend`` says how the painting is pasted back; ``inside`` says where the inside of a changed mouth comes from.

    Args:
        face: the edited face.
        labels: the edited mask.
        blend: how the painting is pasted back; None: the painting is not pasted back.
        reference: the face that may provide the inside of the mouth, or None.
        own: (S, S), the face's mask before the edit but with another person's hair; None: the face's own mask.
    """
    if blend is None or blend.edge is not Edge.MOVE:
        return {"blend": blend and blend.note}
    after, before = resize_labels(labels, len(face.labels)), face.labels if own is None else own
    edge = effective_edge(before, after, blend.edge, in_photo=face.cutout is not None)
    if edge is not Edge.MOVE:
        return {"blend": edge.value}
    source = source_of_inside(before, after, None if reference is None else reference.labels, blend.inside)
    return {"blend": edge.value} | ({} if source is None else {"inside": source.value})


def _parser(*faces: Face) -> dict[str, Any]:
    """Return a dict for a result's record that says how the faces of the edit were read.

    Keys: ``parser``, the SHA-256 of the face parser's weights, if the parser made a mask; ``face`` and ``target_face``,
    the numbers of the two faces in their photos, if the faces were cut out of photos.

    Args:
        *faces: one face, or source and target.
    """
    made = [face.parser for face in faces if face.parser]
    numbers = [face.cutout and face.cutout.number for face in faces]
    found: dict[str, Any] = {"parser": made[0]} if made else {}
    return found | {name: number for name, number in zip(("face", "target_face"), numbers, strict=False) if number}
