"""Builds meshes of hats on a 3D head that has been fitted to a face; a hat is made wide enough to cover the hair.

The "mean head" is the average of the renderer's head model (its canonical head); its lengths are in decimetres.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from maskgan_cli.editing.compositing.accessories.draw import Mesh
from maskgan_cli.editing.masks.head_fit import HeadFit
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth.geometry import F32, f32
from maskgan_cli.synth.hats import hat
from maskgan_cli.synth.parameters import Hat, linear
from maskgan_cli.synth.shape import PIVOT

HATS: Final[dict[str, Hat]] = {
    "hat-beanie": Hat("beanie", linear([52, 60, 74]), linear([52, 60, 74]), -0.06, 1.0),
    "hat-fedora": Hat("fedora", linear([92, 84, 76]), linear([34, 30, 28]), 0.0, 1.0),
    "hat-sun": Hat("sunhat", linear([205, 180, 135]), linear([60, 48, 40]), 0.0, 1.1),
}
_WEAVE: Final = {"hat-beanie": 0.22, "hat-fedora": 0.02, "hat-sun": 0.10}
_BAND: Final = 7.86  # height (y) of a hat's lower rim on the mean head; `Hat.low` is added
_WIDEST: Final = 1.45  # largest width of a hat, relative to the skull; very wide hair sticks out below the hat
_CURVE: Final = 0.12  # decimetres by which the rim of a knitted hat is lower over the ears than at the forehead
_SKULL: Final = 0.86  # decimetres; half the width of a hat's rim on the mean head without hair
_SEED: Final = 5
_HEAD: Final = [ID[name] for name in ("skin", "hair", "l_brow", "r_brow", "hat", "eye_g", "l_ear", "r_ear")]


def hat_meshes(name: str, fit: HeadFit, wide: float) -> list[Mesh]:
    """Build the meshes of a hat on a 3D head that has been fitted to a face.

    Args:
        name: a key of `HATS`.
        fit: the 3D head, fitted to a face.
        wide: width of the hat, divided by the width of a hat for the mean head; as returned by `hat_width`.

    Returns:
        The meshes; their vertices are in the renderer's coordinates (decimetres).
    """
    pieces, _ = hat(HATS[name], fit.posed, 0.05, np.random.default_rng(_SEED))

    def widened(vertices: F32) -> F32:
        """Return the vertices (V, 3) of a hat, scaled about the middle of the rim.

        The rim of a knitted hat is also lowered over the ears; the crown of a fedora is narrowed, and the brim curved.
        """
        inside = fit.posed.to_head(vertices)
        share = f32([wide, 1 + 0.6 * (wide - 1), 1 + 0.5 * (wide - 1)])
        low = f32([0, _BAND - PIVOT[1], 0.1])
        there = (inside - low) * share
        if name == "hat-beanie":
            there[:, 1] -= _CURVE * (there[:, 0] / wide) ** 2
        if name == "hat-fedora":  # the crown narrows to the top, and the brim curls up at the sides
            high = np.clip(there[:, 1] / 1.2, 0, 1)
            there = there * np.stack([1 - 0.2 * high, 1 - 0.2 * high, 1 - 0.12 * high], 1)
            brim = np.clip(np.hypot(there[:, 0], there[:, 2]) - 0.95 * wide, 0, 1) * (there[:, 1] < 0.12)
            there[:, 1] += brim * (0.55 * (there[:, 0] / (1.2 * wide)) ** 2 - 0.22 * np.clip(there[:, 2], 0, 1))
        return fit.posed.from_head(f32(there + low))

    return [
        Mesh(
            widened(piece.vertices),
            piece.triangles,
            f32(piece.colour),
            shine=0.05,
            gloss=8,
            bump=_WEAVE[name],
            ribs=name == "hat-beanie",
            around_head=True,
        )
        for piece in pieces
    ]


def hat_width(labels: LabelMap, fit: HeadFit, name: str) -> float:
    """Return how wide a hat must be to cover the hair in a mask: a factor for the width of a hat on the mean head.

    Args:
        labels: (S, S), the mask of the face.
        fit: the 3D head fitted to the mask, in the mask's pixels.
        name: a key of `HATS`.

    Returns:
        The factor, from 0.95 to 1.45.
    """
    band = f32([0, _BAND + HATS[name].low - PIVOT[1], 0.35])
    place, _ = fit.camera.project(fit.posed.from_head(band)[None])
    axis = fit.camera.matrix[:, 0] / np.hypot(*fit.camera.matrix[:, 0])
    head, reach = np.isin(labels, _HEAD), []
    for way in (-axis, axis):
        steps = np.arange(0.3, 1.6, 0.02)
        places = np.floor(place[0] + steps[:, None] * fit.camera.scale * way).astype(int)
        inside = ((places >= 0) & (places < len(labels))).all(1)
        there = np.zeros(len(steps), bool)
        there[inside] = head[places[inside, 1], places[inside, 0]]
        reach.append(float(steps[there].max(initial=0.0)))
    return float(np.clip(max(*reach, fit.wide * 0.8) / _SKULL, 0.95, _WIDEST))
