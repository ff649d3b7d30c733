"""An attribute changed in a face, as ``maskgan transfer`` asks for it: by its parts of the mask, by a label, or by an
exemplar."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from maskgan_cli.data.prepared import PreparedData, in_prepared
from maskgan_cli.editing.edits import Edit, Row, swap_edits
from maskgan_cli.editing.faces import ReadFace, read_face, read_square_picture
from maskgan_cli.editing.methods import Request
from maskgan_cli.editing.options import Blend
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import part_ids

# CelebA's attributes that a mask can show, and the parts (see `labels.part_ids`) that show them. What is colour or
# texture alone (Blond_Hair, Wearing_Lipstick, Goatee, Young) is in no mask.
PARTS_OF: Final[Mapping[str, str]] = {
    "Smiling": "mouth", "Mouth_Slightly_Open": "mouth", "Big_Lips": "lips",
    "Eyeglasses": "glasses", "Wearing_Hat": "hat", "Wearing_Earrings": "earring", "Wearing_Necklace": "necklace",
    "Bangs": "hair", "Bald": "hair", "Receding_Hairline": "hair", "Straight_Hair": "hair", "Wavy_Hair": "hair",
    "Arched_Eyebrows": "brows", "Bushy_Eyebrows": "brows", "Narrow_Eyes": "eyes",
    "Big_Nose": "nose", "Pointy_Nose": "nose",
}  # fmt: skip


@dataclass(frozen=True)
class AttributeRequest:
    """One face to change.

    Attributes:
        name: the picture's file, for messages.
        picture: (S, S, 3).
        exemplar: (T, T, 3), a face whose state of the attribute is to be taken; None if there is none.
        attribute: CelebA's name of it.
        value: whether the face shall have it.
        known: which attributes the face has now, as far as its data set says.
        strength: how far to go, 1 is all the way.
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
            raise InputError("missing TARGET", hint=f"name a face whose {self.attribute} {self.name} shall take over")
        return self.exemplar


def parts_of(attribute: str) -> tuple[int, ...]:
    """The classes of the mask that show an attribute.

    Raises:
        InputError: no mask shows it.
    """
    if attribute not in PARTS_OF:
        raise InputError(
            "--attribute", expected=f"one that a mask can show: {', '.join(sorted(PARTS_OF))}", found=attribute,
            hint="StarGAN and ELEGANT change what they were trained on (--method)",
        )  # fmt: skip
    return part_ids(PARTS_OF[attribute])


def shape_edits(
    row: Row, *, attribute: str, blend: Blend, fit: bool | None = None, read: ReadFace = read_face
) -> Edit[Request]:
    """``source``, ``target`` and maybe their masks -> the source with the target's parts that show the attribute."""
    edit = swap_edits(row, parts_of(attribute), blend=blend, fit=fit, read=read)
    return replace(edit, settings={**edit.settings, "edit": "transfer", "attribute": attribute})


def attribute_edits(
    row: Row, *, attribute: str, value: bool = True, strength: float = 1.0, exemplar: bool, read: ReadFace = read_face
) -> Edit[AttributeRequest]:
    """``source`` and maybe ``target`` -> the edit of ``maskgan transfer`` by a method without masks.

    Args:
        row: the files.
        attribute, value, strength: see `AttributeRequest`.
        exemplar: whether the target is looked at; if not, ``value`` decides.
        read: not called: no mask is needed.
    """
    source = read_square_picture(row["source"])
    target = read_square_picture(row["target"]) if exemplar else None
    inputs = {"source": row["source"]} | ({"target": row["target"]} if exemplar else {})
    asked = {"strength": strength} if exemplar else {"value": value}
    settings = {"edit": "transfer", "attribute": attribute, **asked}
    request = AttributeRequest(
        str(row["source"]), source, target, attribute, value, known_attributes(row["source"]), strength
    )
    return Edit(request, None, None, inputs, settings, [source] if target is None else [source, target])


def known_attributes(image: Path) -> dict[str, bool]:
    """What the manifest of a prepared data set says of a picture in it; nothing of any other picture."""
    if not in_prepared(image):
        return {}
    return _manifest(image.resolve().parent.parent).get(image.stem, {})


@functools.lru_cache(maxsize=4)
def _manifest(root: Path) -> dict[str, dict[str, bool]]:
    return {
        sample.image.stem: {name: value == "1" for name, value in sample.fields.items() if value in ("1", "-1")}
        for sample in PreparedData.load(root).samples
    }
