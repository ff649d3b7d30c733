"""Write results of the demo as pictures for the documentation, and a list of the weights that were used."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from maskgan_cli.data.resize import resize_image
from maskgan_cli.files import Picture, read_image, sha256, write_bytes, write_json

SIDE: Final = 256
LIST: Final = "pictures.json"
_QUALITY: Final = 88
_GAP: Final = 8


@dataclass(frozen=True)
class DemoEdit:
    """One edit of the demo: the command and the files of this edit.

    Attributes:
        name: what was edited: ``mouth``, ``brows``, ``glasses`` or ``style``.
        command: command line of this edit; empty if the edit was part of a batch.
        source: file of the face that was edited.
        target: file of the reference face; equals ``source`` if there is no reference.
        asked: what the result should match: for the photo, the file of the edited mask; for rendered faces, the picture
            file of the ground truth.
        result: file of the edited picture.
    """

    name: str
    command: str
    source: Path
    target: Path
    asked: Path
    result: Path


def write_pictures(
    folder: Path, photo: Sequence[DemoEdit], faces: Sequence[DemoEdit], strip: Path, weights: Mapping[str, str]
) -> Path:
    """Write three pictures: edits of the photo, edits of rendered faces with their ground truth, and an interpolation.

    A list with the SHA-256 of all pictures and weights is written too, so that a test can detect outdated pictures. The
    style edit is left out: it regenerates the whole face, and the result does not look like a photo.

    Args:
        folder: folder of the pictures.
        photo: edits of the photo.
        faces: edits of rendered faces; the first three are shown.
        strip: picture file of all interpolation steps, side by side.
        weights: dict from the name of each network to the SHA-256 of its weights.

    Returns:
        Path of the list of hashes.
    """
    edits = [photo[0].source, *(row.result for row in photo if row.name != "style")]
    pairs = [[row.source, row.target, row.result, row.asked] for row in faces[:3]]
    files = [
        write_bytes(folder / "photo.jpg", _grid([edits])),
        write_bytes(folder / "faces.jpg", _grid(pairs)),
        write_bytes(folder / "between.jpg", _jpeg(read_image(strip))),
    ]
    hashes = {path.name: sha256(path) for path in files}
    return write_json(folder / LIST, {"weights": dict(weights), "pictures": hashes})


def _grid(rows: Sequence[Sequence[Path]]) -> bytes:
    """Return the bytes of a JPEG: a grid of pictures with white gaps. ``rows`` lists the picture files of each row."""
    tiles: list[list[Picture]] = [[resize_image(read_image(path), SIDE) for path in row] for row in rows]
    step = SIDE + _GAP
    canvas = np.full((len(tiles) * step - _GAP, len(tiles[0]) * step - _GAP, 3), 255, np.uint8)
    for y, row in enumerate(tiles):
        for x, tile in enumerate(row):
            canvas[y * step : y * step + SIDE, x * step : x * step + SIDE] = tile
    return _jpeg(canvas)


def _jpeg(picture: Picture) -> bytes:
    """Encode a picture as a JPEG, and return the file's bytes."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=_QUALITY)
    return data.getvalue()
