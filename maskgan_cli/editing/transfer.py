"""Give a face an attribute such as Smiling or Eyeglasses (``maskgan transfer``).

Methods with masks copy the parts that show the attribute, e.g. the mouth, from a second face. StarGAN sets the
attribute's label, and ELEGANT transfers the attribute from a second face (the exemplar).
"""

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
    """One face whose attribute is changed by a method without masks (StarGAN or ELEGANT).

    Attributes:
        name: the picture's file name, for messages.
        picture: (S, S, 3), the face to edit.
        exemplar: (T, T, 3), a face from which the attribute is transferred; None for methods without an exemplar.
        attribute: name of the attribute in CelebA's spelling, e.g. ``Smiling``.
        value: whether the result should have the attribute; used by methods without an exemplar.
        known: dict from attribute to whether the unedited face has this attribute, from the data set's manifest; empty
            for pictures that belong to no data set.
        strength: from 0 (no change) to 1 (full change); used by methods with an exemplar.
    """

    name: str
    picture: Picture
    exemplar: Picture | None
    attribute: str
    value: bool
    known: Mapping[str, bool]
    strength: float

    def needed_exemplar(self) -> Picture:
        """Return the exemplar.

        Raises:
            InputError: the request has no exemplar.
        """
        if self.exemplar is None:
            raise InputError("missing TARGET", hint=f"name a face whose {self.attribute} is transferred to {self.name}")
        return self.exemplar


def parts_of(attribute: str) -> tuple[int, ...]:
    """Return the ids of the classes that show an attribute in a mask, e.g. mouth and lips for ``Smiling``.

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
    """Make the edit of ``maskgan transfer`` for methods with masks: swap the parts that show the attribute.

    ``attribute`` is the name of the attribute, a key of `PARTS_OF`. For ``row``, ``blend``, ``fit`` and ``read`` see
    `swap_edits`.
    """
    edit = swap_edits(row, parts_of(attribute), blend=blend, fit=fit, read=read)
    return replace(edit, settings={**edit.settings, "edit": "transfer", "attribute": attribute})


def attribute_edits(
    row: Row, *, attribute: str, value: bool = True, strength: float = 1.0, exemplar: bool, read: ReadFace = read_face
) -> Edit[AttributeRequest]:
    """Make the edit of ``maskgan transfer`` for methods without masks (StarGAN, ELEGANT).

    Args:
        row: dict from role to file: ``source``, and ``target`` if there is an exemplar.
        attribute, value, strength: see `AttributeRequest`.
        exemplar: True: the method transfers the attribute from the file ``target``, with ``strength``. False: the
            method sets the attribute to ``value``.
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
    """Return a dict from attribute name to whether a picture has this attribute, from its prepared data set's manifest.

    The dict is empty if the picture is not part of a prepared data set.
    """
    if not in_prepared(image):
        return {}
    return _manifest(image.resolve().parent.parent).get(image.stem, {})


@functools.lru_cache(maxsize=4)
def _manifest(root: Path) -> dict[str, dict[str, bool]]:
    """Return a dict from the name of each picture (without suffix) to its attributes: see `known_attributes`.

    Args:
        root: folder of the prepared data set.
    """
    return {
        sample.image.stem: {name: value == "1" for name, value in sample.fields.items() if value in ("1", "-1")}
        for sample in PreparedData.load(root).samples
    }
