"""What comes with the package: faces to begin with."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final

from maskgan_cli.editor.face import Face, face_of
from maskgan_cli.editor.studio import Studio
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture

_SIDE: Final = 256
_WORLD: Final = 11


@dataclass(frozen=True)
class Example:
    """A face to begin with.

    Attributes:
        name: in the interface.
        title: for people.
        number: of the rendered face; None for the photo.
    """

    name: str
    title: str
    number: int | None


EXAMPLES: Final = (
    Example("astronaut", "Photo: Eileen Collins (NASA, public domain)", None),
    *(Example(f"rendered-{i}", f"Rendered face {i + 1}", number) for i, number in enumerate((0, 1, 4, 5))),
)


def example(name: str) -> Example:
    """An example by its name.

    Raises:
        InputError: none of that name.
    """
    for entry in EXAMPLES:
        if entry.name == name:
            return entry
    raise InputError("the example", expected=", ".join(e.name for e in EXAMPLES), found="another name")


def photo() -> Picture:
    """scikit-image's portrait of the astronaut Eileen Collins, by NASA, in the public domain (512, 512, 3)."""
    from skimage.data import astronaut

    picture: Picture = astronaut()  # type: ignore[no-untyped-call]
    return picture


@functools.lru_cache(maxsize=16)
def rendered(number: int) -> Face:
    """A rendered face with its exact label map."""
    from maskgan_cli.synth import face

    drawn = face(_WORLD, number, _SIDE)
    return Face(drawn.picture, drawn.labels)


def open_example(name: str, studio: Studio) -> tuple[Face, Picture | None]:
    """An example's face, and the photo that it was cut out of if it was."""
    entry = example(name)
    if entry.number is not None:
        return rendered(entry.number), None
    return face_of(photo(), studio, "the example"), photo()
