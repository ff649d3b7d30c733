"""Masks between those of two photos: exact ends, no jumps, and interpolated tilt."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.editing.masks.morph import morph
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.weights.lookup import find_weights
from tests.editing.masks.test_motion import _drawn


@pytest.fixture(scope="module")
def manifold() -> MaskManifold:
    """The bundled MaskVAE."""
    return MaskManifold(find_weights(None, "vae"), "cpu")


def test_the_ends_are_the_photos_masks_and_no_step_is_large(manifold: MaskManifold) -> None:
    file = library.read_library()
    first: LabelMap = file["example-0-labels"]
    second: LabelMap = file["example-1-labels"]
    masks = list(morph(first, second, np.linspace(0, 1, 9).tolist(), manifold))
    assert np.array_equal(masks[0], first) and np.array_equal(masks[-1], second)
    steps = [(a != b).mean() for a, b in pairwise(masks)]
    assert max(steps) < 3 * np.mean(steps)
    decoded = next(manifold.decode(manifold.encode(first), len(first)))
    (near,) = morph(first, second, [0.02], manifold)
    assert (near != first).mean() < 0.5 * (decoded != first).mean(), "MaskVAE's reconstruction would jump"


def test_the_tilt_of_the_head_is_interpolated(manifold: MaskManifold) -> None:
    left, right = _drawn(256, -12.0), _drawn(256, 12.0)
    (middle,) = morph(left, right, [0.5], manifold)
    upright = _drawn(256)
    for name in ("skin", "nose", "hair"):
        shown, wanted = middle == ID[name], upright == ID[name]
        assert (shown & wanted).sum() / (shown | wanted).sum() > 0.9, name
