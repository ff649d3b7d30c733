"""A mask composed from one base: parts taken off, sliders along MaskVAE, things put on; in this order always.

Sliders come in the order of the page, the one that moves last: then nothing before it has to be made again.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from maskgan_cli.data.alignment import points_of_mask
from maskgan_cli.editing.library import DIRECTIONS, ITEMS, known
from maskgan_cli.editing.library import item as library_item
from maskgan_cli.editing.shapes import along, wear
from maskgan_cli.editing.swap import remove_parts
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.studio import Studio
from maskgan_cli.errors import InputError
from maskgan_cli.labels import ID, LabelMap

REMOVABLE: Final[dict[str, str]] = {"glasses": "Remove glasses"}  # what can be taken off, and the button's text
PARTS: Final = {"glasses": (ID["eye_g"],)}
_KEPT: Final = 24  # intermediate masks that are kept: while one slider moves, the steps before it are not repeated
_FARTHEST: Final = 3.0
_OFFERED: Final = 1.0  # the farthest that a slider goes, even where the face could go farther
STEP: Final = 0.05  # of the sliders


@dataclass(frozen=True)
class Composition:
    """What is done to the base mask.

    Attributes:
        sliders: names and amounts: a direction of `DIRECTIONS`, or ``other-K`` for the way to another face's shape.
        items: names of `ITEMS`, put on in this order.
        removed: names of `REMOVABLE`, taken off first.
    """

    sliders: tuple[tuple[str, float], ...] = ()
    items: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, sliders: str, items: str, removed: str) -> Composition:
        """From the page's text: ``smile:0.5,open-mouth:0.3``, ``glasses-round,hat-sun``, ``glasses``.

        Raises:
            InputError: an unknown name, or an amount that is no number or too large.
        """
        pairs = [pair.partition(":") for pair in sliders.split(",") if pair]
        return cls(
            tuple((_slider(name), _amount(text)) for name, _, text in pairs),
            tuple(known("the item", name, ITEMS) for name in items.split(",") if name),
            tuple(known("what to remove", name, REMOVABLE) for name in removed.split(",") if name),
        )


@dataclass
class Composer:
    """Composes masks; keeps the latest intermediate ones of a few bases."""

    _masks: OrderedDict[bytes, LabelMap] = field(default_factory=OrderedDict, repr=False)

    def __call__(self, session: Session, studio: Studio, base: LabelMap, how: Composition) -> LabelMap:
        """The base mask (S, S) with everything that ``how`` says.

        Raises:
            InputError: another face that there is none of.
        """
        points = points_of_mask(session.face.labels) if how.items else None  # where no edit has moved anything
        steps: list[tuple[str, Callable[[LabelMap], LabelMap]]] = [
            *((f"remove {name}", partial(remove_parts, parts=PARTS[name])) for name in how.removed),
            *((f"{name} {by}", partial(_moved, session, studio, name, by)) for name, by in how.sliders if by),
            *((f"wear {name}", partial(wear, item=library_item(name), face=points)) for name in how.items),
        ]
        key, labels = hashlib.sha256(session.id.encode() + base.tobytes()).digest(), base
        for name, step in steps:
            key = hashlib.sha256(key + name.encode()).digest()
            found = self._masks.get(key)
            labels = step(labels) if found is None else found
            self._masks[key] = labels
            self._masks.move_to_end(key)
            while len(self._masks) > _KEPT:
                self._masks.popitem(last=False)
        return labels


def slider_range(session: Session, studio: Studio, name: str) -> tuple[float, float] | None:
    """How far a slider is useful on this face: least and most, or None where it can do nothing.

    Raises:
        InputError: no slider of that name.
    """
    low, high = studio.directions.range(session.face.labels, known("the slider", name, DIRECTIONS))
    low, high = math.ceil(max(low, -_OFFERED) / STEP) * STEP, math.floor(min(high, _OFFERED) / STEP) * STEP
    return (round(low, 2), round(high, 2)) if low < high else None


def _moved(session: Session, studio: Studio, name: str, amount: float, labels: LabelMap) -> LabelMap:
    if not name.startswith("other-"):
        return studio.directions.move(labels, name, amount)
    manifold = studio.manifold
    other = session.other(int(name.removeprefix("other-"))).labels
    return along(labels, manifold, amount * (manifold.encode(other) - manifold.encode(labels)))


def _slider(name: str) -> str:
    number = name.removeprefix("other-")
    return name if number != name and number.isdecimal() and len(number) < 3 else known("the slider", name, DIRECTIONS)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not abs(amount) <= _FARTHEST:
        raise InputError("the slider", expected=f"an amount from -{_FARTHEST:g} to {_FARTHEST:g}", found=repr(text))
    return amount
