"""Draw an overview of a photo's faces: the square of each face's crop, and the face's number from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskgan_cli.data.crop import oriented_square, side_of
from maskgan_cli.files import Picture
from maskgan_cli.judges.finder import Found

_LONGEST: Final = 1600  # pixels; longest side of an overview
_LINE: Final = (255, 210, 0)


def overview(picture: Picture, faces: Sequence[Found]) -> Picture:
    """Draw, for each face, the square of its crop and the number of the face into a copy of a photo.

    Args:
        picture: (H, W, 3), the photo.
        faces: the detected faces, from left to right.

    Returns:
        The photo with squares and numbers, downscaled if its longer side is above 1,600 pixels.
    """
    image = Image.fromarray(picture)
    factor = min(1.0, _LONGEST / max(image.size))
    if factor < 1:
        sides = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(sides, Image.Resampling.BOX)
    draw, width = ImageDraw.Draw(image), max(2, round(max(image.size) / 400))
    for number, face in enumerate(faces, start=1):
        square = oriented_square(face.points) * factor
        corners = [tuple(corner) for corner in (*square, square[0])]
        draw.line(corners, fill=_LINE, width=width, joint="curve")
        side = side_of(square)
        font = ImageFont.load_default(max(14.0, side / 8))
        place = tuple(np.clip(square[0], 2, np.array(image.size) - 2 * max(14.0, side / 8)))
        draw.text(place, str(number), fill=_LINE, font=font, stroke_width=width, stroke_fill=(0, 0, 0))
    return np.asarray(image)
