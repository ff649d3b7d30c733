"""Make the paper's figure of interactive editing: accessories, and changed shapes of face, nose, hair and mouth.

    python recipes/interactive_editing.py [PHOTO] [-o FIGURE]

The default photo is scikit-image's portrait of the astronaut Eileen Collins (NASA, public domain). The figure shows the
original face, then every edit with its mask. The script prints the command of each edit.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from maskgan_cli import Editor
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, write_image
from maskgan_cli.labels import colourise

COLUMNS, SIDE = 7, 192
EDITS: tuple[dict[str, Any], ...] = (
    {"add": "glasses"},
    {"add": "glasses-sun"},
    {"add": "hat-fedora"},
    {"add": "hat-beanie"},
    {"add": "earrings"},
    {"add": "necklace"},
    {"open_mouth": 16.0},
    {"along": {"smile": -1.5}},
    {"along": {"face-width": 1.5}},
    {"along": {"face-width": -1.5}},
    {"part": "nose", "scale": 1.3},
    {"along": {"hair-length": 1.0}},
    {"along": {"hair-length": -1.5}},
)


def options(edit: dict[str, Any]) -> list[str]:
    """Return the command of an edit."""
    words = []
    for name, value in edit.items():
        given = [f"{way}={amount}" for way, amount in value.items()] if name == "along" else [str(value)]
        words += [word for one in given for word in (f"--{name.replace('_', '-')}", one)]
    return words


def astronaut() -> Path:
    """Return the path of the photo."""
    from skimage.data import astronaut as photo

    return write_image(Path(tempfile.mkdtemp()) / "astronaut.png", photo())


def main() -> None:
    """Draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, help="any photo with a face")
    parser.add_argument("-o", "--out", type=Path, default=Path("interactive.jpg"))
    asked = parser.parse_args()
    editor = Editor()
    face = editor.open(asked.photo or astronaut())
    tiles: list[Picture] = [_tile(face.picture, face.labels)]
    for number, edit in enumerate(EDITS, start=1):
        made = editor.reshape(face, **edit, blend=True)
        cut = face.cutout
        picture = made.picture if cut is None else cut.apply_to(made.picture)
        assert made.labels is not None
        tiles.append(_tile(picture, made.labels if cut is None else cut.cut_labels(made.labels)))
        print(f"{number}. maskgan reshape {shlex.join([str(asked.photo or 'astronaut.png'), *options(edit)])}")
    lines = [tiles[i : i + COLUMNS] for i in range(0, len(tiles), COLUMNS)]
    write_image(asked.out, np.vstack([np.hstack(line) for line in lines]))
    print(asked.out)


def _tile(picture: Picture, labels: np.ndarray) -> Picture:
    return np.vstack([resize_image(picture, SIDE), colourise(resize_labels(labels, SIDE))])


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(str(error))
