"""Who paints: one table of methods, and what every one of them can do.

A method turns requests into pictures. Lists, going on with an interrupted list, records, sheets and the evaluation
need no more of it than `Method` says. A new method is its class (made from weights and a device) and its entry in
`METHODS`; those that paint a shape in a look take `Request`, others bring a dataclass of their own. Nothing here
imports torch: classes are named as ``module:name`` and looked up when they are needed.
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
class Request:
    """One picture to paint: a shape, and the face whose look it shall have.

    Attributes:
        labels: (S, S) the edited label map.
        style_labels: (T, T) label map of the face whose look is kept.
        style_picture: (T, T, 3) that face.
    """

    labels: LabelMap
    style_labels: LabelMap
    style_picture: Picture


class Method(Protocol[R_contra]):
    """Loaded weights, ready to paint."""

    @property
    def size(self) -> int:
        """Side of the pictures it paints."""

    @property
    def note(self) -> Mapping[str, Any]:
        """For the record of every result: ``weights`` (SHA-256), and ``method`` unless it is the paper's own."""

    def paint(self, requests: Sequence[R_contra]) -> npt.NDArray[np.uint8]:
        """Requests -> pictures (N, size, size, 3), in their order."""


@dataclass(frozen=True)
class Entry:
    """A method of the table.

    Attributes:
        title: for people.
        kind: of its weights, in `networks.KINDS`.
        painter: ``module:name`` of its class, made from (weights, device).
        masks: whether it paints masks (`Request`); the others change attributes of a picture.
        exemplar: whether a method without masks needs a second face, to take the attribute from.
    """

    title: str
    kind: str
    painter: str
    masks: bool = True
    exemplar: bool = True

    def load(self, weights: Path, device: str) -> Method[Any]:
        """The method with these weights on this device.

        Raises:
            InputError: no such weights, or no such device.
        """
        method: Method[Any] = resolve(self.painter)(weights, device)
        return method


METHODS: Final[dict[str, Entry]] = {
    "dmn": Entry("Dense Mapping Network", "dmn", "maskgan_cli.editing.render:Renderer"),
    "pix2pixhd-m": Entry("Pix2PixHD-m", "pix2pixhd-m", "maskgan_cli.editing.baselines:Pix2PixHDmRenderer"),
    "spade": Entry("SPADE", "spade", "maskgan_cli.editing.baselines:SPADERenderer"),
    "stargan": Entry("StarGAN", "stargan", "maskgan_cli.editing.baselines:StarGANChanger", masks=False, exemplar=False),
    "elegant": Entry("ELEGANT", "elegant", "maskgan_cli.editing.baselines:ElegantChanger", masks=False),
}


def method_named(name: str, *, masks: bool = False) -> Entry:
    """A method of the table.

    Args:
        name: its name there.
        masks: whether it has to paint masks.

    Raises:
        InputError: no method of that name, or one that does not paint masks.
    """
    among = [known for known, entry in METHODS.items() if entry.masks or not masks]
    if name not in among:
        hint = "it paints no masks: `maskgan transfer` changes attributes with it" if name in METHODS else ""
        raise InputError("--method", expected=f"one of {', '.join(among)}", found=name, hint=hint)
    return METHODS[name]
