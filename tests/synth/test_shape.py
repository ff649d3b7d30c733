"""Tests of the head asset and the linear model."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.files import sha256
from maskgan_cli.synth.geometry import rotation
from maskgan_cli.synth.label_map import label_map, without_specks
from maskgan_cli.synth.shape import ASSET, blend, body_weights, head, placed, pose


def test_asset_has_the_hash_of_its_card():
    assert sha256(ASSET) in ASSET.with_name("HEAD.md").read_text()


def test_body_weights_are_a_partition():
    weights = body_weights(0.7, 0.3, 0.5, -0.4, (0.2, 0.3, 0.5))
    for kind in ("body/", "race/"):
        assert sum(w for name, w in weights.items() if name.startswith(kind)) == pytest.approx(1)
    assert set(weights) <= set(head().blends)


def test_canonical_face_is_symmetric_and_left_is_positive():
    model = head()
    left, right = (model.canonical[model.points(f"helper-{side}-eye")].mean(0) for side in "lr")
    np.testing.assert_allclose(left, right * [-1, 1, 1], atol=1e-3)
    assert left[0] > 0.2


def test_posing_turns_the_head_about_the_neck():
    calm = placed(blend(body_weights(0, 0, 0, 0, (0, 0, 1)).items()))
    still, turned = pose(calm, 0, 0), pose(calm, 30, 0)
    np.testing.assert_allclose(still.vertices, calm, atol=1e-5)
    np.testing.assert_allclose(turned.turn, rotation(30, 0, 0))
    np.testing.assert_allclose(turned.to_head(turned.eyes), still.to_head(still.eyes), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(turned.normals[head().on_body], axis=1), 1, atol=1e-4)


def test_small_regions_are_merged_into_their_surroundings():
    labels = np.zeros((20, 20), np.uint8)
    labels[5:15, 5:15] = 13
    labels[8, 8:10] = 2  # two pixels of nose in the hair
    labels[1, 1] = 18
    clean = without_specks(labels)
    assert set(np.unique(clean)) == {0, 13}
    assert (clean == 13).sum() == 100


def test_label_map_takes_the_most_frequent_class():
    ids = np.zeros((64, 64), np.uint8)
    ids[:, 32:] = 1
    ids[:, 31] = 1  # a quarter pixel past the middle does not move the edge
    labels = label_map(ids, 2)
    assert labels.shape == (32, 32)
    assert (labels[:, :15] == 0).all() and (labels[:, 16:] == 1).all()
