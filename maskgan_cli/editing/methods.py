"""Table of methods, and their interface.

A method turns requests into pictures. Lists, resuming, records, overview sheets and the evaluation use only the
interface `Method`. A new method is a class (constructed from weights and a device) and an entry in `METHODS`. Methods
that paint masks take `Request`; others define their own dataclass. This module does not import torch: classes are named
as ``module:name`` and imported when they are needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap
from maskgan_cli.networks import resolve

R_contra = TypeVar("R_contra", contravariant=True)


@dataclass(frozen=True)
class Mixed:
    """A face that keeps its style, apart from some parts.

    Attributes:
        labels: (T, T) label map of the face.
        picture: (T, T, 3).
        parts: class ids of the parts that take the style of `Request.style_picture`.
    """

    labels: LabelMap
    picture: Picture
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Request:
    """One picture to paint: a mask, and the face with the style.

    Attributes:
        labels: (S, S) the edited label map.
        style_labels: (T, T) label map of the style picture.
        style_picture: (T, T, 3).
        mixed: for methods with ``by_part``, another face whose style all other parts have; None: all parts have the
            style of the style picture.
    """

    labels: LabelMap
    style_labels: LabelMap
    style_picture: Picture
    mixed: Mixed | None = None


class Method(Protocol[R_contra]):
    """Interface of the methods: loaded weights that paint."""

    @property
    def size(self) -> int:
        """Side of the pictures it paints."""

    @property
    def note(self) -> Mapping[str, Any]:
        """For the record of every result: ``weights`` (SHA-256), and ``method`` if it is a baseline."""

    def paint(self, requests: Sequence[R_contra]) -> npt.NDArray[np.uint8]:
        """Requests -> pictures (N, size, size, 3), in their order."""


@dataclass(frozen=True)
class Entry:
    """A method of the table.

    Attributes:
        title: display name.
        kind: of its weights, in `networks.KINDS`.
        painter: ``module:name`` of its class, constructed from (weights, device).
        masks: whether it paints masks (`Request`); the others change attributes of a picture.
        exemplar: whether a method without masks needs a second face with the attribute.
        by_part: whether it has a style for each part, so that parts can have the styles of two faces.
    """

    title: str
    kind: str
    painter: str
    masks: bool = True
    exemplar: bool = True
    by_part: bool = False

    def load(self, weights: Path, device: str) -> Method[Any]:
        """The method with these weights on this device.

        Raises:
            InputError: the weights or the device do not exist.
        """
        method: Method[Any] = resolve(self.painter)(weights, device)
        return method


METHODS: Final[dict[str, Entry]] = {
    "dmn": Entry("Dense Mapping Network", "dmn", "maskgan_cli.editing.dmn_method:Renderer"),
    "pix2pixhd-m": Entry("Pix2PixHD-m", "pix2pixhd-m", "maskgan_cli.editing.baseline_methods:Pix2PixHDmRenderer"),
    "spade": Entry("SPADE", "spade", "maskgan_cli.editing.baseline_methods:SPADERenderer"),
    "sean": Entry("SEAN", "sean", "maskgan_cli.editing.baseline_methods:SEANRenderer", by_part=True),
    "stargan": Entry(
        "StarGAN", "stargan", "maskgan_cli.editing.baseline_methods:StarGANChanger", masks=False, exemplar=False
    ),
    "elegant": Entry("ELEGANT", "elegant", "maskgan_cli.editing.baseline_methods:ElegantChanger", masks=False),
}


def method_named(name: str, *, masks: bool = False) -> Entry:
    """A method of the table.

    Args:
        name: in `METHODS`.
        masks: whether it must paint masks.

    Raises:
        InputError: there is no method of that name, or it does not paint masks.
    """
    among = [known for known, entry in METHODS.items() if entry.masks or not masks]
    if name not in among:
        hint = "it paints no masks: `maskgan transfer` changes attributes with it" if name in METHODS else ""
        raise InputError("--method", expected=f"one of {', '.join(among)}", found=name, hint=hint)
    return METHODS[name]
