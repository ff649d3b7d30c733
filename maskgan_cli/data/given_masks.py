"""Reading of users' masks: their class order is chosen by options, and a wrong choice is detected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskgan_cli.data.class_order import contradictions, suspected_order
from maskgan_cli.data.prepared import in_prepared
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_label_map
from maskgan_cli.labels import LabelMap


@dataclass(frozen=True)
class MaskRules:
    """How users' masks are read.

    Attributes:
        order: class order of masks that hold class ids, a key of `labels.ORDERS`; not used for colours.
        force: accept masks whose parts lie where no face has them, e.g. because they have another class order.
        any_shape: accept parts at any position unless another known order fits them, as in masks of poor parsers.
    """

    order: str = "celebamask"
    force: bool = False
    any_shape: bool = False


_DEFAULT: Final = MaskRules()
_NAMED: Final = 3  # contradictions in a message
_RULES: Final[ContextVar[MaskRules]] = ContextVar("mask_rules", default=_DEFAULT)


@contextlib.contextmanager
def mask_rules(rules: MaskRules) -> Iterator[None]:
    """Apply these rules to all masks that are read inside the block."""
    token = _RULES.set(rules)
    try:
        yield
    finally:
        _RULES.reset(token)


def read_given_mask(path: Path) -> LabelMap:
    """Read a user's label map (H, W). Masks of prepared data sets need no rules.

    Raises:
        InputError: see `read_label_map`; or the positions of the parts suggest another class order, or fit no face.
    """
    if in_prepared(path):
        return read_label_map(path)
    rules = _RULES.get()
    labels = read_label_map(path, order=rules.order)
    if rules.force:
        return labels
    if other := suspected_order(labels, rules.order):
        raise InputError(
            path,
            expected=f"class ids in the order {rules.order}",
            found=f"parts at positions that suggest the order {other} (see docs/label-maps.md)",
            hint=f"add --order {other}, or --force to read it as {rules.order}",
        )
    if not rules.any_shape and (wrong := contradictions(labels)):
        raise InputError(
            path,
            expected=f"class ids in the order {rules.order}",
            found=f"parts as in no face: {', '.join(wrong[:_NAMED])}{', ...' if len(wrong) > _NAMED else ''}",
            hint="renumber the classes (see docs/label-maps.md), or add --force to read it unchanged",
        )
    return labels
