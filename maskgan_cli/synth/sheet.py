"""Contact sheets: pictures beside their masks, to see at a glance what a seed gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskgan_cli.files import Picture
from maskgan_cli.labels import colourise
from maskgan_cli.synth.render import Rendered


def contact_sheet(faces: Sequence[Rendered], columns: int = 6, *, masks: bool = True) -> Picture:
    """Faces of one size in rows, each followed by its label map in colours if ``masks``.

    Returns:
        An RGB picture; missing cells of the last row are black.
    """
    from skimage.util import montage

    if not faces:
        raise ValueError("a contact sheet needs a face")
    cells = [np.concatenate([face.picture, colourise(face.labels)], 1) if masks else face.picture for face in faces]
    sheet: Picture = montage(np.stack(cells), grid_shape=(-(-len(cells) // columns), columns), channel_axis=-1,
                             fill=(0, 0, 0))  # fmt: skip
    return sheet
