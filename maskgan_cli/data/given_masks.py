"""Masks that users give: read in the class order they say, and refused where their parts lie in another's places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from maskgan_cli.data.class_order import suspected_order
from maskgan_cli.data.prepared import in_prepared
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_label_map
from maskgan_cli.labels import LabelMap


@dataclass(frozen=True)
class MaskRules:
    """How given masks are read.

    Attributes:
        order: the class order of masks that hold ids, a key of `labels.ORDERS`; colours need no order.
        force: go on with masks that are rather in another order.
    """

    order: str = "celebamask"
    force: bool = False


_DEFAULT: Final = MaskRules()
_RULES: Final[ContextVar[MaskRules]] = ContextVar("mask_rules", default=_DEFAULT)


@contextlib.contextmanager
def mask_rules(rules: MaskRules) -> Iterator[None]:
    """Read every given mask by these rules inside the block."""
    token = _RULES.set(rules)
    try:
        yield
    finally:
        _RULES.reset(token)


def read_given_mask(path: Path) -> LabelMap:
    """Read a label map (H, W) that a user gave; those of prepared data sets are in our order already.

    Raises:
        InputError: see `read_label_map`; or its parts lie where those of another class order do.
    """
    if in_prepared(path):
        return read_label_map(path)
    rules = _RULES.get()
    labels = read_label_map(path, order=rules.order)
    if not rules.force and (other := suspected_order(labels, rules.order)):
        raise InputError(
            path, expected=f"class ids in the order {rules.order}",
            found=f"parts that lie as in the order {other} (see docs/label-maps.md)",
            hint=f"add --order {other}, or --force to read it as {rules.order} all the same",
        )  # fmt: skip
    return labels
