"""Define the interface and the inputs of editing methods (networks that paint faces), and list all in `METHODS`.

A method turns requests into pictures. Commands and evaluation use methods only through the interface `Method`. To add
a method, write a class with that interface, whose constructor takes weights and a device, and add an entry to
`METHODS`. Methods that paint masks take a `Request`; other methods define their own dataclass. This module does not
import torch: classes are named as ``module:name`` and imported when they are needed.
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
    """A face that keeps its own style, except for some parts, which get the style of `Request.style_picture`.

    Attributes:
        labels: (T, T), label map of the face that keeps its style.
        picture: (T, T, 3), picture of this face.
        parts: class ids of the parts that get the style of `Request.style_picture`.
    """

    labels: LabelMap
    picture: Picture
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Request:
    """One picture to paint: a mask, and the face whose style (colours and texture) the painted picture gets.

    Attributes:
        labels: (S, S), the edited label map to paint.
        style_labels: (T, T), label map of the style picture.
        style_picture: (T, T, 3), picture of the face whose style is used.
        mixed: another face: only the classes in ``mixed.parts`` get the style of the style picture, and all others get
            the style of ``mixed.picture``. Used by methods with `Entry.by_part`. None: the style picture determines
            the style of all parts.
        fit_style: warp the style picture to ``labels`` first, so that its details are where the mask has them. Only for
            a Dense Mapping Network with skip connections (`DMNConfig.skips`); other networks ignore it.
    """

    labels: LabelMap
    style_labels: LabelMap
    style_picture: Picture
    mixed: Mixed | None = None
    fit_style: bool = False


class Method(Protocol[R_contra]):
    """Interface of the editing methods: a loaded network that paints pictures."""

    @property
    def size(self) -> int:
        """Side of the square pictures that the network paints, in pixels."""

    @property
    def note(self) -> Mapping[str, Any]:
        """Dict stored with every result: ``weights`` (SHA-256), and for baselines also ``method`` (name)."""

    def paint(self, requests: Sequence[R_contra]) -> npt.NDArray[np.uint8]:
        """Paint one picture for each of N requests; return pictures (N, size, size, 3) in the order of the requests."""


@dataclass(frozen=True)
class Entry:
    """An entry of the table `METHODS`: the description of one method, with `load` to load the method.

    Attributes:
        title: display name of the method.
        kind: kind of the method's weights, a key of `networks.KINDS`.
        painter: ``module:name`` of the method's class, whose constructor takes (weights, device).
        masks: whether the method paints masks (`Request`); the other methods change attributes of a picture.
        exemplar: only for methods without masks: whether the method needs a second face that has the attribute.
        by_part: whether the method has a separate style for each part of the face, so that one picture can combine the
            styles of two faces.
    """

    title: str
    kind: str
    painter: str
    masks: bool = True
    exemplar: bool = True
    by_part: bool = False

    def load(self, weights: Path, device: str) -> Method[Any]:
        """Load the method's network from a weights file or run folder, and return the method.

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
    """Return the entry of the method with this name.

    Args:
        name: a key of `METHODS`.
        masks: accept only methods that paint masks.

    Raises:
        InputError: there is no method of that name, or it does not paint masks.
    """
    among = [known for known, entry in METHODS.items() if entry.masks or not masks]
    if name not in among:
        hint = "it paints no masks: `maskgan transfer` changes attributes with it" if name in METHODS else ""
        raise InputError("--method", expected=f"one of {', '.join(among)}", found=name, hint=hint)
    return METHODS[name]
