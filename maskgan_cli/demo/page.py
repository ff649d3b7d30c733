"""The demo's page: one file of plain HTML with its pictures inside, which any browser opens from disk."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskgan_cli.data.resize import resize_image
from maskgan_cli.demo.pictures import Row
from maskgan_cli.files import encode_image, read_image, write_bytes
from maskgan_cli.labels import CLASSES, PALETTE
from maskgan_cli.pages import render

_LARGEST: Final = 512  # pixels: the most that a picture is shown with
_EDITS: Final = {
    "mouth": ("Another mouth", "The shape of mouth and lips is the other face's; colours, light and grain are hers."),
    "hair": ("Longer hair", "A step along MaskVAE's direction from short to long hair. What grows is painted."),
    "glasses": ("Glasses", "Glasses appear because the mask has them now. Lenses and frame are the network's idea."),
    "style": ("Another look", "The whole mask stays hers, skin, hair colour and light are the other face's. "
              "Here nothing is pasted back: this is the network's own painting."),
}  # fmt: skip
_NAMES: Final = {
    "background": "background", "skin": "skin", "nose": "nose", "eye_g": "glasses", "l_eye": "left eye",
    "r_eye": "right eye", "l_brow": "left brow", "r_brow": "right brow", "l_ear": "left ear", "r_ear": "right ear",
    "mouth": "inside of the mouth", "u_lip": "upper lip", "l_lip": "lower lip", "hair": "hair", "hat": "hat",
    "ear_r": "earring", "neck_l": "necklace", "neck": "neck", "cloth": "clothes",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What the page shows.

    Attributes:
        photo: edits of the photo; `asked` is the mask.
        faces: edits of rendered faces; `asked` is the truth.
        whole: the whole photo before and after the first edit.
        crop_mask: the photo's own mask.
        animation, strip: the way between two masks.
        commands: lines that make all of it, in order.
        numbers: see `run_demo`.
        trained: whether the demo trained its weights itself.
    """

    photo: Sequence[Row]
    faces: Sequence[Row]
    whole: tuple[Path, Path]
    crop_mask: Path
    animation: Path
    strip: Path
    commands: Sequence[str]
    numbers: dict[str, Any]
    trained: bool


def write_page(path: Path, shown: Shown) -> Path:
    """Write the page atomically."""
    edits = []
    for row in shown.photo:
        title, text = _EDITS[row.name]
        cells = [(row.target, "takes it from"), (row.asked, "mask asked for"), (row.result, "result")]
        edits.append((title, text, row.command, [(embedded(file), caption) for file, caption in cells]))
    faces = [
        [(embedded(file), caption) for file, caption in (
            (row.source, "source"), (row.target, "takes the mouth from"), (row.result, "result"),
            (row.asked, "truth"),
        )]
        for row in shown.faces
    ]  # fmt: skip
    colours = [(_NAMES[name], name, f"#{bytes(PALETTE[i]).hex()}") for i, name in enumerate(CLASSES)]
    text = render(
        "demo.html", edits=edits, faces=faces, colours=colours, photo=embedded(shown.photo[0].source),
        photo_mask=embedded(shown.crop_mask), whole=[embedded(file) for file in shown.whole],
        animation=embedded(shown.animation), strip=embedded(shown.strip),
        commands="\n".join(shown.commands), numbers=shown.numbers, trained=shown.trained,
    )  # fmt: skip
    return write_bytes(path, text.encode())


def embedded(path: Path) -> str:
    """A picture as a ``data:`` address: masks and animations as they are, others as JPEG, no larger than shown."""
    if path.suffix == ".gif" or path.name.endswith(".mask.png"):
        return _address(path.suffix[1:], path.read_bytes())
    picture = read_image(path)
    if len(picture) > _LARGEST and picture.shape[0] == picture.shape[1]:
        picture = resize_image(picture, _LARGEST)
    return _address("jpeg", encode_image(picture, ".jpg"))


def _address(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
