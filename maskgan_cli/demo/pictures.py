"""The demo's results as a few pictures for documents, and a list that says which weights painted them."""

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
class Row:
    """One edit: files of the face, of the one that lends, of the mask asked for or of the truth, of the result.

    Attributes:
        name: what was taken.
        command: what was typed, if there is one for this edit alone.
    """

    name: str
    command: str
    source: Path
    target: Path
    asked: Path
    result: Path


def write_pictures(
    folder: Path, photo: Sequence[Row], faces: Sequence[Row], strip: Path, weights: Mapping[str, str]
) -> Path:
    """The photo with its edits, pairs beside their truth, and the way between two masks; returns their list.

    The list has the SHA-256 of every picture and of the weights, so that a test can tell that they belong together.
    """
    edits = [photo[0].source, *(row.result for row in photo)]
    pairs = [[row.source, row.target, row.result, row.asked] for row in faces[:3]]
    files = [
        write_bytes(folder / "photo.jpg", _grid([edits])),
        write_bytes(folder / "faces.jpg", _grid(pairs)),
        write_bytes(folder / "between.jpg", _jpeg(read_image(strip))),
    ]
    hashes = {path.name: sha256(path) for path in files}
    return write_json(folder / LIST, {"weights": dict(weights), "pictures": hashes})


def _grid(rows: Sequence[Sequence[Path]]) -> bytes:
    """Pictures in rows, white between them, as a JPEG."""
    tiles: list[list[Picture]] = [[resize_image(read_image(path), SIDE) for path in row] for row in rows]
    step = SIDE + _GAP
    canvas = np.full((len(tiles) * step - _GAP, len(tiles[0]) * step - _GAP, 3), 255, np.uint8)
    for y, row in enumerate(tiles):
        for x, tile in enumerate(row):
            canvas[y * step : y * step + SIDE, x * step : x * step + SIDE] = tile
    return _jpeg(canvas)


def _jpeg(picture: Picture) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=_QUALITY)
    return data.getvalue()
