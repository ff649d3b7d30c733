"""The edits: a row of files -> what a method is asked to paint, and what becomes of its painting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.blend import paste_back
from maskgan_cli.editing.faces import Face, ReadFace, load_face, read_square_mask
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.options import Blend
from maskgan_cli.editing.swap import swap_parts
from maskgan_cli.files import Picture
from maskgan_cli.labels import CLASSES, LabelMap, colourise

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
    """

    request: R
    face: Face | None
    labels: LabelMap | None
    inputs: dict[str, Path]
    settings: dict[str, Any]
    panels: list[Picture]
    blend: Blend | None = None

    def side(self, painted: int) -> int:
        """Side of the finished picture, where the method paints at ``painted`` pixels."""
        return painted if self.blend is None or self.face is None else len(self.face.picture)

    def finish(self, painted: Picture) -> Picture:
        """The method's picture -> the picture to write."""
        if self.blend is None or self.face is None or self.labels is None:
            return painted
        side = len(self.face.picture)
        after = resize_labels(self.labels, side)
        return paste_back(self.face.picture, resize_image(painted, side), self.face.labels, after, self.blend)


def render_edits(row: Row, *, blend: Blend, read: ReadFace = load_face) -> Edit[Request]:
    """``mask``, ``style_image`` and maybe ``style_mask`` -> the edit of ``maskgan render``."""
    face = read(row["style_image"], row.get("style_mask"))
    labels = read_square_mask(row["mask"])
    inputs = _named(mask=row["mask"], style_image=face.image, style_mask=face.mask)
    panels = [face.picture, colourise(face.labels), colourise(labels)]
    asked = blend if blend.wanted else None  # the mask may be anybody's: nothing is pasted unasked
    settings = {"edit": "render", "blend": asked and asked.note} | _parser(face)
    return Edit(Request(labels, face.labels, face.picture), face, labels, inputs, settings, panels, asked)


def swap_edits(row: Row, parts: Collection[int], *, blend: Blend, read: ReadFace = load_face) -> Edit[Request]:
    """``source``, ``target`` and maybe their masks -> the edit of ``maskgan swap``."""
    source, target, inputs = _two_faces(row, read)
    labels = swap_parts(source.labels, resize_labels(target.labels, len(source.labels)), parts)
    asked = blend if (source.is_photo if blend.wanted is None else blend.wanted) else None
    settings = {"edit": "swap", "parts": [CLASSES[i] for i in sorted(parts)], "blend": asked and asked.note}
    settings |= _parser(source, target)
    panels = [source.picture, target.picture, colourise(labels)]
    request = Request(labels, source.labels, source.picture)
    return Edit(request, source, labels, inputs, settings, panels, asked)


def style_edits(row: Row, *, read: ReadFace = load_face) -> Edit[Request]:
    """``source``, ``target`` and maybe their masks -> the edit of ``maskgan style-copy``."""
    source, target, inputs = _two_faces(row, read)
    panels = [source.picture, target.picture, colourise(source.labels)]
    request = Request(source.labels, target.labels, target.picture)
    settings = {"edit": "style-copy"} | _parser(source, target)
    return Edit(request, target, source.labels, inputs, settings, panels)


def _two_faces(row: Row, read: ReadFace) -> tuple[Face, Face, dict[str, Path]]:
    source = read(row["source"], row.get("source_mask"))
    target = read(row["target"], row.get("target_mask"))
    inputs = _named(source=source.image, target=target.image, source_mask=source.mask, target_mask=target.mask)
    return source, target, inputs


def _named(**files: Path | None) -> dict[str, Path]:
    """The files that are there, by role."""
    return {role: path for role, path in files.items() if path is not None}


def _parser(*faces: Face) -> dict[str, str]:
    """Which parser made a mask, for the record, if one did."""
    made = [face.parser for face in faces if face.parser]
    return {"parser": made[0]} if made else {}
