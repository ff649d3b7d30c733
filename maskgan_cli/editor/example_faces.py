"""The example faces: a photo of scikit-image, and rendered faces in ``assets/library.npz`` (see `masks.library`)."""

from __future__ import annotations

from typing import Final

from maskgan_cli.editing.masks.library import example_photo, known, read_library
from maskgan_cli.editor.edited_face import EditedFace, face_of
from maskgan_cli.editor.models import Models
from maskgan_cli.files import Picture

PHOTO: Final = "astronaut"
EXAMPLES: Final[dict[str, str]] = {
    PHOTO: "Eileen Collins (NASA)",
    **{f"rendered-{i}": f"Rendered face {i + 1}" for i in range(4)},
}


def title(name: str) -> str:
    """Return the title of an example, as the page shows it.

    Raises:
        InputError: there is no example of this name.
    """
    return EXAMPLES[known("the example", name, EXAMPLES)]


def photo() -> Picture:
    """Return the portrait of an astronaut (512, 512, 3): see `masks.library.example_photo`."""
    return example_photo()


def rendered(name: str) -> EditedFace:
    """Return the rendered example face ``name`` with its exact label map.

    Raises:
        InputError: there is no example of this name.
    """
    number = known("the example", name, EXAMPLES).removeprefix("rendered-")
    found = read_library()
    return EditedFace(found[f"example-{number}-picture"], found[f"example-{number}-labels"])


def thumbnail(name: str) -> Picture:
    """Return a picture (S, S, 3) of an example's face, for the list of examples on the page."""
    if known("the example", name, EXAMPLES) == PHOTO:
        return photo()[10:210, 124:324]
    return rendered(name).picture


def open_example(name: str, models: Models) -> tuple[EditedFace, Picture | None]:
    """Return the face of an example, and the photo that the face is cropped from; the photo is None for rendered faces.

    Raises:
        InputError: there is no example of this name, or faces cannot be detected.
    """
    if known("the example", name, EXAMPLES) == PHOTO:
        return face_of(photo(), models, "the example"), photo()
    return rendered(name), None
