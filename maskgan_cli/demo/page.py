"""Write the demo's page: a single HTML file that contains all pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskgan_cli.data.resize import resize_image
from maskgan_cli.demo.docs_pictures import DemoEdit
from maskgan_cli.files import encode_image, read_image, write_bytes
from maskgan_cli.labels import CLASSES, PALETTE
from maskgan_cli.pages import render

_LARGEST: Final = 512  # maximum side of displayed pictures in pixels
_EDITS: Final = {
    "mouth": (
        "Mouth shape",
        "The shape of mouth and lips comes from the other face; colours, light and grain from the photo.",
    ),
    "brows": ("Raised brows", "The brows move up in the mask, and the photo's own pixels move with them."),
    "glasses": ("Glasses", "Drawn over the photo in the face's pose and light. The edited mask contains them."),
    "style": (
        "Style",
        "The mask stays the photo's; skin, hair colour and light come from the other face. "
        "The result is the network's direct output, without blending.",
    ),
}
_NAMES: Final = {
    "background": "background",
    "skin": "skin",
    "nose": "nose",
    "eye_g": "glasses",
    "l_eye": "left eye",
    "r_eye": "right eye",
    "l_brow": "left brow",
    "r_brow": "right brow",
    "l_ear": "left ear",
    "r_ear": "right ear",
    "mouth": "inside of the mouth",
    "u_lip": "upper lip",
    "l_lip": "lower lip",
    "hair": "hair",
    "hat": "hat",
    "ear_r": "earring",
    "neck_l": "necklace",
    "neck": "neck",
    "cloth": "clothes",
}


@dataclass(frozen=True)
class Shown:
    """The content of the demo's page.

    Attributes:
        photo: edits of the photo.
        faces: edits of rendered faces.
        whole: files of the whole photo before and after the mouth edit.
        crop_mask: file of the mask of the photo's cropped face.
        animation, strip: files of the interpolation between two masks, as a GIF and as a row of pictures.
        commands: command lines that produce all results, in order.
        numbers: dict of the results' metrics, as in ``metrics.json``.
        trained: whether the demo trained the weights; False for bundled weights.
    """

    photo: Sequence[DemoEdit]
    faces: Sequence[DemoEdit]
    whole: tuple[Path, Path]
    crop_mask: Path
    animation: Path
    strip: Path
    commands: Sequence[str]
    numbers: dict[str, Any]
    trained: bool


def write_page(path: Path, shown: Shown) -> Path:
    """Write the demo's page to the file ``path`` atomically, and return ``path``."""
    edits = []
    for row in shown.photo:
        title, text = _EDITS[row.name]
        first = "photo" if row.target == row.source else "reference"
        cells = [(row.target, first), (row.asked, "edited mask"), (row.result, "result")]
        edits.append((title, text, row.command, [(embedded(file), caption) for file, caption in cells]))
    faces = [
        [
            (embedded(file), caption)
            for file, caption in (
                (row.source, "source"),
                (row.target, "reference for the mouth"),
                (row.result, "result"),
                (row.asked, "ground truth"),
            )
        ]
        for row in shown.faces
    ]
    colours = [(_NAMES[name], name, f"#{bytes(PALETTE[i]).hex()}") for i, name in enumerate(CLASSES)]
    text = render(
        "demo.html",
        edits=edits,
        faces=faces,
        colours=colours,
        photo=embedded(shown.photo[0].source),
        photo_mask=embedded(shown.crop_mask),
        whole=[embedded(file) for file in shown.whole],
        animation=embedded(shown.animation),
        strip=embedded(shown.strip),
        commands="\n".join(shown.commands),
        numbers=shown.numbers,
        trained=shown.trained,
    )
    return write_bytes(path, text.encode())


def embedded(path: Path) -> str:
    """Return a ``data:`` URL that contains a picture file.

    Masks and GIF animations are embedded unchanged, other pictures as JPEG. Square pictures larger than 512 px are
    reduced to 512 px.
    """
    if path.suffix == ".gif" or path.name.endswith(".mask.png"):
        return _address(path.suffix[1:], path.read_bytes())
    picture = read_image(path)
    if len(picture) > _LARGEST and picture.shape[0] == picture.shape[1]:
        picture = resize_image(picture, _LARGEST)
    return _address("jpeg", encode_image(picture, ".jpg"))


def _address(kind: str, data: bytes) -> str:
    """Return the ``data:`` URL of an image file.

    Args:
        kind: image type, e.g. ``jpeg``.
        data: bytes of the file.
    """
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
