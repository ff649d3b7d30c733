"""New hair from patches of a photo's own hair."""

from __future__ import annotations

import numpy as np

from maskgan_cli.editing.compositing.own_hair import hair_from_own


def _strands(side: int = 160) -> np.ndarray:
    """Vertical stripes with a period of 8 pixels."""
    light = 100 + 60 * np.sin(2 * np.pi * np.arange(side) / 8)
    return np.rint(light[None, :, None] * np.ones((side, 1, 3))).astype(np.uint8)


def test_strands_are_continued() -> None:
    truth = _strands()
    hair, region = np.zeros((160, 160), bool), np.zeros((160, 160), bool)
    hair[10:110, 20:140] = True
    region[110:140, 40:100] = True
    photo = truth.copy()
    photo[~hair] = 0
    found, where = hair_from_own(photo, hair, region)
    assert (where == region).all()
    assert np.abs(found[region] - truth[region]).mean() < 6, "strands jump at the border"
    assert (found[hair] == photo[hair]).all()


def test_too_little_hair_fills_nothing() -> None:
    hair, region = np.zeros((160, 160), bool), np.zeros((160, 160), bool)
    hair[10:110, 20:22] = True
    region[110:140, 40:100] = True
    photo = _strands()
    found, where = hair_from_own(photo, hair, region)
    assert not where.any()
    assert (found == photo).all()
