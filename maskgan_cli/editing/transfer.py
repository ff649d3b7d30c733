"""Attribute transfer (``maskgan transfer``): by parts of the mask, by a label, or by an exemplar."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from maskgan_cli.data.prepared import PreparedData, in_prepared
from maskgan_cli.editing.edit import Edit
from maskgan_cli.editing.faces.face import ReadFace, read_face, read_square_picture
from maskgan_cli.editing.file_edits import Row, swap_edits
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.options import Blend
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import part_ids

# CelebA's attributes that a mask shows, and their parts (see `labels.part_ids`). Attributes of colour or texture
# (Blond_Hair, Wearing_Lipstick, Goatee, Young) are not visible in masks.
PARTS_OF: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Smiling", "Mouth_Slightly_Open"), "mouth"),
    "Big_Lips": "lips",
    "Eyeglasses": "glasses",
    "Wearing_Hat": "hat",
    "Wearing_Earrings": "earring",
    "Wearing_Necklace": "necklace",
    **dict.fromkeys(("Bangs", "Bald", "Receding_Hairline", "Straight_Hair", "Wavy_Hair"), "hair"),
    **dict.fromkeys(("Arched_Eyebrows", "Bushy_Eyebrows"), "brows"),
    "Narrow_Eyes": "eyes",
    **dict.fromkeys(("Big_Nose", "Pointy_Nose"), "nose"),
}


@dataclass(frozen=True)
class AttributeRequest:
    """One face to change.

    Attributes:
        name: the picture's file, for messages.
        picture: (S, S, 3).
        exemplar: (T, T, 3), a face from which the attribute is transferred, or None.
        attribute: in CelebA's spelling.
        value: whether the result has the attribute.
        known: the face's present attributes that its data set has.
        strength: 0 for no change, 1 for the full change.
    """

    name: str
    picture: Picture
    exemplar: Picture | None
    attribute: str
    value: bool
    known: Mapping[str, bool]
    strength: float

    def needed_exemplar(self) -> Picture:
        """The exemplar.

        Raises:
            InputError: there is none.
        """
        if self.exemplar is None:
            raise InputError("missing TARGET", hint=f"name a face whose {self.attribute} is transferred to {self.name}")
        return self.exemplar


def parts_of(attribute: str) -> tuple[int, ...]:
    """The classes of the mask that show an attribute.

    Raises:
        InputError: masks do not show the attribute.
    """
    if attribute not in PARTS_OF:
        raise InputError(
            "--attribute",
            expected=f"one that a mask can show: {', '.join(sorted(PARTS_OF))}",
            found=attribute,
            hint="StarGAN and ELEGANT change what they were trained on (--method)",
        )
    return part_ids(PARTS_OF[attribute])


def shape_edits(
    row: Row, *, attribute: str, blend: Blend, fit: bool | None = None, read: ReadFace = read_face
) -> Edit[Request]:
    """The edit of ``maskgan transfer`` by a method with masks: a swap of the parts that show the attribute."""
    edit = swap_edits(row, parts_of(attribute), blend=blend, fit=fit, read=read)
    return replace(edit, settings={**edit.settings, "edit": "transfer", "attribute": attribute})


def attribute_edits(
    row: Row, *, attribute: str, value: bool = True, strength: float = 1.0, exemplar: bool, read: ReadFace = read_face
) -> Edit[AttributeRequest]:
    """The edit of ``maskgan transfer`` by a method without masks, from ``source`` and optionally ``target``.

    Args:
        row: the files.
        attribute, value, strength: see `AttributeRequest`.
        exemplar: whether the target is the exemplar; if not, ``value`` is used.
        read: not used, because no mask is needed.
    """
    source = read_square_picture(row["source"])
    target = read_square_picture(row["target"]) if exemplar else None
    inputs = {"source": row["source"]} | ({"target": row["target"]} if exemplar else {})
    chosen = {"strength": strength} if exemplar else {"value": value}
    settings = {"edit": "transfer", "attribute": attribute, **chosen}
    request = AttributeRequest(
        str(row["source"]), source, target, attribute, value, known_attributes(row["source"]), strength
    )
    return Edit(request, None, None, inputs, settings, [source] if target is None else [source, target])


def known_attributes(image: Path) -> dict[str, bool]:
    """Attributes of a picture from the manifest of its prepared data set; empty for other pictures."""
    if not in_prepared(image):
        return {}
    return _manifest(image.resolve().parent.parent).get(image.stem, {})


@functools.lru_cache(maxsize=4)
def _manifest(root: Path) -> dict[str, dict[str, bool]]:
    return {
        sample.image.stem: {name: value == "1" for name, value in sample.fields.items() if value in ("1", "-1")}
        for sample in PreparedData.load(root).samples
    }
