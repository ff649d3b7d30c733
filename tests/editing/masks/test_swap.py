"""Mask edits of faces that are small enough to write the expected result by hand."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from maskgan_cli.editing.masks.reshape import Reshaping, reshape
from maskgan_cli.editing.masks.swap import BEHIND, head_region, hidden_eyes, remove_parts, swap_parts
from maskgan_cli.labels import CLASSES, ID, PARTS, part_ids
from tests.drawn_faces import draw_face


def _map(rows: str, names: str) -> np.ndarray:
    """Rows of letters -> label map; ``names`` maps each letter to its class."""
    table = dict(pair.split("=") for pair in names.split())
    return np.array([[ID[table[c]] for c in row] for row in rows.split()], np.uint8)


def test_the_targets_mouth_replaces_the_sources_and_the_rest_becomes_skin() -> None:
    names = "s=skin u=u_lip m=mouth l=l_lip b=background h=hair"
    source = _map("hssssh hssssh huuuuh hllllh bssssb", names)
    target = _map("hssssh huussh hmmssh hllssh bsbssb", names)
    expected = _map("hssssh huussh hmmssh hllssh bssssb", names)
    assert (swap_parts(source, target, part_ids("mouth")) == expected).all()


def test_a_face_swapped_with_itself_is_unchanged() -> None:
    labels = draw_face(3)[2]
    for part in PARTS:
        assert (swap_parts(labels, labels, part_ids(part)) == labels).all(), part


def test_eyes_and_brows_that_are_mostly_covered_are_hidden() -> None:
    names = "s=skin l=l_eye r=r_eye a=l_brow b=r_brow h=hair"
    whole = _map("saasbbs sllsrrs", names)
    turned = _map("sassbbs slssrrs", names)  # the far ones have half the size of the near ones
    fringe = _map("hhhsbbs hhhsrrs", names)
    bald = _map("sssssss sllsrrs", names)
    assert hidden_eyes(whole, turned) == frozenset()
    assert hidden_eyes(whole, fringe) == {ID["l_eye"], ID["l_brow"]}
    assert hidden_eyes(fringe, bald) == {ID["l_eye"], ID["l_brow"], ID["r_brow"]}


def test_removed_parts_leave_no_pixel_and_other_parts_are_unchanged() -> None:
    labels = draw_face(1)[2]
    for part in {CLASSES[i] for i in np.unique(labels)} - {"background"}:
        without = remove_parts(labels, [ID[part]])
        assert not (without == ID[part]).any()
        assert (without[labels != ID[part]] == labels[labels != ID[part]]).all()
        lost = set(np.unique(without[labels == ID[part]]))
        assert lost <= {ID[name] for name in (*BEHIND[part], "skin", "background")}


def test_removed_glasses_become_the_nearest_of_skin_hair_and_background_but_not_eyes() -> None:
    names = "s=skin g=eye_g e=l_eye h=hair"
    assert (remove_parts(_map("hhsgegs", names), [ID["eye_g"]]) == _map("hhsseSs".lower(), names)).all()


def test_removed_hair_uncovers_a_bald_head_and_the_classes_beside_it() -> None:
    labels = draw_face(0)[2]
    bald = remove_parts(labels, [ID["hair"]])
    head = head_region(labels)
    hair = labels == ID["hair"]
    assert (bald[hair & head] == ID["skin"]).all()
    assert not (bald[hair & ~head] == ID["skin"]).any()
    face_rows = np.nonzero(labels == ID["skin"])[0]
    eye_row = np.nonzero(labels == ID["l_eye"])[0].mean()
    crown = np.nonzero(head)[0].min()
    assert crown == pytest.approx(max(0, 2 * eye_row - face_rows.max()), abs=2), "eyes are not halfway up the head"


def test_a_removed_hat_uncovers_hair_or_skin_on_the_head_and_background_beside_it() -> None:
    labels = draw_face(0)[2]
    hatted = labels.copy()
    hatted[:30][labels[:30] != ID["background"]] = ID["hat"]
    hatted[10:14, :] = ID["hat"]  # a wide brim
    bare = remove_parts(hatted, [ID["hat"]])
    assert (bare[10:14, :10] == ID["background"]).all()
    lost_on_head = bare[(hatted == ID["hat"]) & head_region(hatted)]
    assert set(np.unique(lost_on_head)) <= {ID["hair"], ID["skin"]}


def test_parts_removed_together_do_not_fill_each_other() -> None:
    names = "s=skin h=hair t=hat b=background"
    both = remove_parts(_map("bbtt bbhh bsss", names), [ID["hair"], ID["hat"]])
    assert set(np.unique(both)) <= {ID["skin"], ID["background"]}


def test_background_is_the_default_behind_removed_parts() -> None:
    assert (remove_parts(np.full((3, 3), ID["cloth"], np.uint8), [ID["cloth"]]) == ID["background"]).all()


def _ellipses(shift: float = 0.0) -> np.ndarray:
    y, x = (np.mgrid[:200, :200] + 0.5) / 200
    labels = np.zeros((200, 200), np.uint8)
    for cx, cy, rx, ry, name in (
        (0.5, 0.42, 0.33, 0.38, "hair"),
        (0.5, 0.58, 0.26, 0.35, "skin"),
        (0.378, 0.476, 0.045, 0.018, "r_eye"),
        (0.627, 0.476, 0.045, 0.018, "l_eye"),
        (0.378, 0.412, 0.065, 0.014, "r_brow"),
        (0.627, 0.412, 0.065, 0.014, "l_brow"),
        (0.5, 0.6, 0.07, 0.09, "nose"),
        (0.5, 0.752, 0.115, 0.035, "u_lip"),
        (0.5, 0.765, 0.1, 0.022, "l_lip"),
        (0.5, 0.756, 0.08, 0.01, "mouth"),
    ):
        labels[((x - shift - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1] = ID[name]
    return labels


def test_masks_of_the_papers_protocols_equal_those_of_earlier_versions() -> None:
    """Swaps for bare paintings, and `reshape` without MaskVAE, give the same bits."""
    source, target = _ellipses(), _ellipses(0.03)
    made = [swap_parts(source, target, part_ids(parts)) for parts in ("mouth", "hair", "nose,eyes,brows")]
    made += [remove_parts(source, part_ids(parts)) for parts in ("mouth", "hair", "nose,eyes,brows")]
    made += [
        reshape(source, how)
        for how in (
            Reshaping(part_ids("hair"), grow=12.0),
            Reshaping(part_ids("nose"), move=(4.0, -3.0), scale=1.2),
            Reshaping(open_mouth=14.0),
            Reshaping(open_mouth=-1.0),
        )
    ]
    assert [hashlib.sha256(labels.tobytes()).hexdigest()[:16] for labels in made] == [
        "8bebe332074d5921",
        "128d8460a5298fb5",
        "88bcf3566cb93b74",
        "fdc901cf160a6c75",
        "04d7e272ddab4a1b",
        "fbdff8dd603421e0",
        "6b8f057195d7b43e",
        "2dd632273ecb332f",
        "617e8a38a1404da0",
        "d1b993a923668f29",
    ]
