"""What a session can begin with: the faces that come with the package.

The rendered ones lie in ``assets/library.npz`` (see `editing.library`); the photo is scikit-image's.
"""

from __future__ import annotations

from typing import Final

from maskgan_cli.editing.library import example_photo, known, read_library
from maskgan_cli.editor.face import Face, face_of
from maskgan_cli.editor.studio import Studio
from maskgan_cli.files import Picture

PHOTO: Final = "astronaut"
EXAMPLES: Final[dict[str, str]] = {
    PHOTO: "Eileen Collins (NASA)",
    **{f"rendered-{i}": f"Rendered face {i + 1}" for i in range(4)},
}


def title(name: str) -> str:
    """An example's title.

    Raises:
        InputError: none of that name.
    """
    return EXAMPLES[known("the example", name, EXAMPLES)]


def photo() -> Picture:
    """The portrait of an astronaut (512, 512, 3): see `editing.library.example_photo`."""
    return example_photo()


def rendered(name: str) -> Face:
    """A rendered face with its exact label map."""
    number = known("the example", name, EXAMPLES).removeprefix("rendered-")
    found = read_library()
    return Face(found[f"example-{number}-picture"], found[f"example-{number}-labels"])


def thumbnail(name: str) -> Picture:
    """An example to look at: the face, not all of the photo."""
    if known("the example", name, EXAMPLES) == PHOTO:
        return photo()[10:210, 124:324]
    return rendered(name).picture


def open_example(name: str, studio: Studio) -> tuple[Face, Picture | None]:
    """An example's face, and the photo that it was cut out of if it was.

    Raises:
        InputError: none of that name, or no way to find the face in the photo.
    """
    if known("the example", name, EXAMPLES) == PHOTO:
        return face_of(photo(), studio, "the example"), photo()
    return rendered(name), None
