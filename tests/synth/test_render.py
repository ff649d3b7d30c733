"""Tests of rendered faces: ground truth, alignment, reproducibility."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from maskgan_cli.labels import ID, NUM_CLASSES
from maskgan_cli.synth import face, render, sample_identity, sample_scene, with_expression
from maskgan_cli.synth.celeba_attributes import CELEBA
from maskgan_cli.synth.hairstyles import STYLES
from maskgan_cli.synth.label_map import SMALLEST
from maskgan_cli.synth.render import head_truth

DIGEST = """
import hashlib
from maskgan_cli.synth import face
r = face(3, 5, 64, 2)
print(hashlib.sha256(r.picture.tobytes() + r.labels.tobytes()).hexdigest(), r.yaw, r.pitch, r.roll)
"""


def level(number: int = 0, **changes: Any) -> Any:
    """A plain frontal scene without hat, glasses or hair over the face."""
    person = sample_identity(1, number)
    scene = sample_scene(1, number, person)
    plain = {
        "yaw": 0.0,
        "pitch": 0.0,
        "roll": 0.0,
        "hat": None,
        "glasses": None,
        "gaze": (0.0, 0.0),
        "expression": (),
        "shift": (0.0, 0.0),
        "distance": 1000.0,
    }
    return person, replace(scene, **(plain | changes))


def centre(labels, name):
    rows, columns = np.nonzero(labels == ID[name])
    return rows.mean(), columns.mean()


def test_shapes_and_types(few):
    for r in few:
        assert r.picture.shape == (64, 64, 3) and r.picture.dtype == np.uint8
        assert r.labels.shape == (64, 64) and r.labels.dtype == np.uint8
        assert r.labels.max() < NUM_CLASSES


def test_same_bytes_in_another_process():
    r = face(3, 5, 64, 2)
    here = hashlib.sha256(r.picture.tobytes() + r.labels.tobytes()).hexdigest()
    there = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True)
    assert there.stdout.split() == [here, str(r.yaw), str(r.pitch), str(r.roll)]


def test_picture_depends_on_the_seed():
    assert (face(3, 5, 48).picture != face(4, 5, 48).picture).mean() > 0.5


def test_left_is_the_persons_own(few):
    """l_* lies to the picture's right of r_*."""
    bare = [render(*level(number, style=STYLES["bald"]), 64) for number in (0, 1)]
    for left, right in (("l_eye", "r_eye"), ("l_brow", "r_brow"), ("l_ear", "r_ear")):
        seen = [r.labels for r in few + bare if {ID[left], ID[right]} <= set(np.unique(r.labels))]
        assert len(seen) >= 3
        assert all(centre(labels, left)[1] > centre(labels, right)[1] for labels in seen)


def test_eyes_and_mouth_have_celeba_hqs_positions():
    """Medians over CelebAMask-HQ: eyes at (0.377, 0.478) and (0.622, 0.478), lips at 0.745 of the height."""
    found = []
    for number in range(4):
        labels = render(*level(number), 128).labels
        (ly, lx), (ry, rx) = centre(labels, "l_eye"), centre(labels, "r_eye")
        found.append((lx, rx, ly, ry, (centre(labels, "u_lip")[0] + centre(labels, "l_lip")[0]) / 2))
    np.testing.assert_allclose(np.mean(found, 0) / 128, [0.622, 0.377, 0.478, 0.478, 0.745], atol=0.03)


@pytest.mark.parametrize("yaw, pitch", [(0, 0), (25, 0), (-25, 0), (0, 12), (0, -12)])
def test_pose_of_a_known_turn(yaw, pitch):
    """At a large distance the pose equals the rotation of the head, except for signs: HopeNet's yaw is positive to the
    picture's left and its pitch positive upwards, while the rotation turns to +x, the picture's right."""
    found = head_truth(*level(yaw=float(yaw), pitch=float(pitch)))
    # If one of the two angles is zero, the rotation has no roll, and framing adds almost none.
    np.testing.assert_allclose(found[:2], [-yaw, -pitch], atol=1.0)
    assert abs(found[2]) < (1.5 if yaw == 0 else 6)


def test_roll_of_the_picture_adds_to_the_heads():
    base, leaning = head_truth(*level()), head_truth(*level(roll=8.0))
    assert leaning[2] - base[2] == pytest.approx(8, abs=0.1)
    assert leaning[:2] == pytest.approx(base[:2], abs=0.1)


def test_nose_of_a_turned_head_agrees_with_yaw():
    """For positive yaw the nose is left of the midpoint of the eyes in the picture."""
    for yaw, sign in ((-30.0, -1), (30.0, 1)):
        r = render(*level(yaw=yaw), 96)
        middle = (centre(r.labels, "l_eye")[1] + centre(r.labels, "r_eye")[1]) / 2
        assert np.sign(r.yaw) == -sign
        assert np.sign(centre(r.labels, "nose")[1] - middle) == sign


def test_labels_have_no_small_regions(few):
    for r in few:
        for number in np.unique(r.labels):
            regions, count = ndimage.label(r.labels == number)
            assert count == 0 or np.bincount(regions.ravel())[1:].min() >= SMALLEST


def test_attributes_agree_with_the_labels(few):
    for r in few:
        a = r.attributes
        assert tuple(a) == CELEBA and set(a.values()) <= {-1, 1}
        seen = {name for name, number in ID.items() if (r.labels == number).any()}
        assert ("hat" in seen) == (a["Wearing_Hat"] == 1)
        assert ("eye_g" in seen) == (a["Eyeglasses"] == 1)
        for name, attribute in (("ear_r", "Wearing_Earrings"), ("neck_l", "Wearing_Necklace")):
            assert name not in seen or a[attribute] == 1
        if a["Bald"] == 1:
            assert "hair" not in seen
            assert a["Black_Hair"] == a["Wavy_Hair"] == -1
        assert "mouth" not in seen or a["Mouth_Slightly_Open"] == 1
        assert sum(a[f"{c}_Hair"] == 1 for c in ("Black", "Blond", "Brown", "Gray")) <= 1
        if a["Male"] == -1:
            assert a["No_Beard"] == 1 and a["Mustache"] == -1 and a["Goatee"] == -1


def test_identity_is_equal_in_all_pictures_of_a_person(few):
    for first, second in zip(few[:8], few[8:16], strict=True):
        assert first.identity == second.identity
        assert first.scene != second.scene
    assert len({r.identity.number for r in few[:8]}) == 8


def test_counterfactual_changes_only_the_expression():
    person = sample_identity(1, 3)
    scene = replace(sample_scene(1, 3, person), expression=(), mouth_open=False, glasses=None)
    open_mouth = replace(scene, expression=(("unit/jawOpen", 0.4),), mouth_open=True, background="night")
    other = with_expression(scene, open_mouth)
    assert replace(other, expression=scene.expression, smiling=scene.smiling, mouth_open=False) == scene
    before, after = render(person, scene, 96), render(person, other, 96)
    changed = np.abs(before.picture.astype(int) - after.picture).max(-1) > 12
    # An opened jaw moves the lower face only: nothing above the eyes and almost nothing of the background.
    eyes = int(min(centre(before.labels, "l_eye")[0], centre(before.labels, "r_eye")[0]))
    assert changed[: eyes - 4].mean() < 0.01
    assert changed[(before.labels == 0) & (after.labels == 0)].mean() < 0.02
    mouth = np.isin(before.labels, [ID["u_lip"], ID["l_lip"]])
    assert changed[mouth].mean() > 0.3
    assert (after.labels == ID["mouth"]).sum() > (before.labels == ID["mouth"]).sum()
    assert (before.yaw, before.pitch, before.roll) == pytest.approx((after.yaw, after.pitch, after.roll), abs=0.5)


def test_colours_follow_the_classes(few):
    """Lips are redder than skin, brows darker than the skin around them, over many faces."""

    def mean(name):
        return np.mean([r.picture[r.labels == ID[name]].mean(0) for r in few if (r.labels == ID[name]).any()], 0)

    skin, lips, brows = mean("skin"), mean("l_lip"), mean("l_brow")
    assert lips[0] / lips[1] > skin[0] / skin[1] + 0.1
    assert brows.mean() < skin.mean() - 15
