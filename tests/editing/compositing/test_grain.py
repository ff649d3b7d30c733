"""Grain: its strength, spectrum and colour are the photo's; it is added only if missing, and is reproducible."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from maskgan_cli.editing.compositing.grain import missing_grain


def fine_detail(picture: np.ndarray) -> np.ndarray:
    return picture - ndimage.gaussian_filter(picture, (1.0, 1.0, 0.0), mode="nearest")


_ALL = np.ones((128, 128), bool)


def _photo(strength: float, coarse: float) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(1).standard_normal((128, 128, 3)), (coarse, coarse, 0))
    return 120 + strength * noise / noise.std()


@pytest.mark.parametrize(("strength", "coarse"), [(3.0, 0.0), (6.0, 0.6), (10.0, 1.0)])
def test_a_smooth_painting_gets_the_photos_grain(strength: float, coarse: float) -> None:
    photo = _photo(strength, coarse)
    wanted, made = fine_detail(photo), missing_grain(photo, np.full_like(photo, 90.0), _ALL)
    assert made.std() == pytest.approx(wanted.std(), rel=0.1)
    assert abs(made.mean()) < 0.05 * strength
    neighbours = [(x[:, 1:] * x[:, :-1]).mean() / x.var() for x in (wanted, made)]
    assert neighbours[0] == pytest.approx(neighbours[1], abs=0.05), "same correlation of neighbours"
    assert (made == missing_grain(photo, np.full_like(photo, 90.0), _ALL)).all(), "reproducible"


def test_colour_of_the_grain_is_kept() -> None:
    grey = np.repeat(_photo(5.0, 0.5)[..., :1], 3, axis=-1)
    made = missing_grain(grey, np.zeros_like(grey), _ALL)
    assert np.abs(made - made[..., :1]).max() < 1e-9, "grey grain stays grey"


def test_only_missing_grain_is_added() -> None:
    photo = _photo(5.0, 0.5)
    assert not missing_grain(photo, photo + 9.0, _ALL).any()
    half = photo.mean() + 0.6 * (photo - photo.mean())
    lacking = missing_grain(photo, half, _ALL)
    assert lacking.var() + fine_detail(half).var() == pytest.approx(fine_detail(photo).var(), rel=0.1)
    assert not missing_grain(photo, np.zeros_like(photo), np.zeros_like(_ALL)).any(), "no pixels to measure"


def test_edges_do_not_count_as_grain() -> None:
    photo = _photo(2.0, 0.0)
    edged = photo.copy()
    edged[:, 60:64] = 255.0
    plain, made = (missing_grain(p, np.full_like(p, 100.0), _ALL).std() for p in (photo, edged))
    assert made == pytest.approx(plain, rel=0.15)
