"""Reads masks that the user provides, and detects masks whose class order is not the one that the user named.

The class order says which class each id of a mask stands for; see `labels.ORDERS`.
"""

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
    """Options for reading users' masks.

    Attributes:
        order: class order of the masks, a key of `labels.ORDERS`; not used for colour-coded masks.
        force: do not check the positions of the parts at all.
        any_shape: accept masks that show no plausible face (e.g. eyes below the nose); a poor face parser may predict
            such masks. A mask that fits another known class order better is still an error.
    """

    order: str = "celebamask"
    force: bool = False
    any_shape: bool = False


_DEFAULT: Final = MaskRules()
_NAMED: Final = 3  # maximum number of wrong relations in a message
_RULES: Final[ContextVar[MaskRules]] = ContextVar("mask_rules", default=_DEFAULT)


@contextlib.contextmanager
def mask_rules(rules: MaskRules) -> Iterator[None]:
    """Context manager that applies ``rules`` to all masks that `read_given_mask` reads inside its block."""
    token = _RULES.set(rules)
    try:
        yield
    finally:
        _RULES.reset(token)


def read_given_mask(path: Path) -> LabelMap:
    """Read a label map (H, W) that the user provides, with the options of `mask_rules`, and check its class order.

    Masks in the folder ``images`` of a prepared data set are read in the default class order and are not checked.

    Raises:
        InputError: see `read_label_map`; or the positions of the parts suggest another class order or show no plausible
            face.
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
