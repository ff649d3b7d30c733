"""Composes the mask of an edit: starts from a base mask, removes accessories, and applies sliders (e.g. smile).

A slider moves the mask in MaskVAE's latent space.

The steps are applied in order, and their results are cached. The page sends the slider that the user is moving as the
last one, so that the cached results of all other steps can be reused.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from maskgan_cli.editing.masks.library import DIRECTIONS, known
from maskgan_cli.editing.masks.shapes import along
from maskgan_cli.editing.masks.take_off import without
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.session import Session
from maskgan_cli.errors import InputError
from maskgan_cli.labels import ID, LabelMap

REMOVABLE: Final[dict[str, str]] = {"glasses": "Remove glasses"}  # accessory -> text of the button
PARTS: Final = {"glasses": (ID["eye_g"],)}
_CACHED: Final = 24  # number of cached intermediate masks
_MAX_AMOUNT: Final = 3.0
_MAX_RANGE: Final = 1.0  # maximum of a slider's range, even if the face allows more
STEP: Final = 0.05  # step of the sliders


@dataclass(frozen=True)
class Composition:
    """The changes that are applied to a base mask.

    Attributes:
        sliders: (name, amount) of each slider. The name is a key of `DIRECTIONS`, e.g. ``smile``, or ``other-K`` for
            interpolation towards the mask of the session's K-th other face (amount 1: that mask).
        removed: names of the accessories to remove before the sliders are applied, from `REMOVABLE`.
    """

    sliders: tuple[tuple[str, float], ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, sliders: str, removed: str) -> Composition:
        """Make a composition from the parameters of a request.

        Args:
            sliders: names and amounts (-3 to 3) of the sliders, e.g. ``smile:0.5,open-mouth:0.3``.
            removed: names of accessories separated by commas, e.g. ``glasses``.

        Raises:
            InputError: a name is unknown, or an amount is not a number or too large.
        """
        pairs = [pair.partition(":") for pair in sliders.split(",") if pair]
        return cls(
            tuple((_slider(name), _amount(text)) for name, _, text in pairs),
            tuple(known("the accessory to remove", name, REMOVABLE) for name in removed.split(",") if name),
        )


@dataclass
class Composer:
    """Composes masks, and caches the latest intermediate masks."""

    _masks: OrderedDict[bytes, LabelMap] = field(default_factory=OrderedDict, repr=False)

    def __call__(self, session: Session, models: Models, base: LabelMap, how: Composition) -> LabelMap:
        """Apply a composition (removed accessories, then sliders) to a base mask, and return the new mask (S, S).

        Args:
            session: the session whose other faces the sliders refer to.
            models: the networks.
            base: the mask (S, S) to start from.
            how: the accessories to remove and the sliders to apply.

        Raises:
            InputError: the composition names another face that does not exist.
        """
        steps: list[tuple[str, Callable[[LabelMap], LabelMap]]] = [
            *((f"remove {name}", partial(without, kinds=[name])) for name in how.removed),
            *((f"{name} {by}", partial(_moved, session, models, name, by)) for name, by in how.sliders if by),
        ]
        key, labels = hashlib.sha256(session.id.encode() + base.tobytes()).digest(), base
        for name, step in steps:
            key = hashlib.sha256(key + name.encode()).digest()
            found = self._masks.get(key)
            labels = step(labels) if found is None else found
            self._masks[key] = labels
            self._masks.move_to_end(key)
            while len(self._masks) > _CACHED:
                self._masks.popitem(last=False)
        return labels


def slider_range(session: Session, models: Models, name: str) -> tuple[float, float] | None:
    """Return the lowest and the highest amount of a slider at which the session's face looks human.

    Args:
        session: the session.
        models: the networks.
        name: name of the slider, from `DIRECTIONS`.

    Returns:
        Two amounts (factors of the slider's change) from -1 to 1, multiples of `STEP`; None if the slider cannot change
        this face.

    Raises:
        InputError: there is no slider of this name.
    """
    low, high = models.directions.range(session.face.labels, known("the slider", name, DIRECTIONS))
    low, high = math.ceil(max(low, -_MAX_RANGE) / STEP) * STEP, math.floor(min(high, _MAX_RANGE) / STEP) * STEP
    return (round(low, 2), round(high, 2)) if low < high else None


def _moved(session: Session, models: Models, name: str, amount: float, labels: LabelMap) -> LabelMap:
    if not name.startswith("other-"):
        return models.directions.move(labels, name, amount)
    manifold = models.manifold
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
    if not abs(amount) <= _MAX_AMOUNT:
        raise InputError("the slider", expected=f"an amount from -{_MAX_AMOUNT:g} to {_MAX_AMOUNT:g}", found=repr(text))
    return amount
