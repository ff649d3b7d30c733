"""Mask edits on faces small enough to know the answer."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.editing.swap import BEHIND, head_region, remove_parts, swap_parts
from maskgan_cli.labels import CLASSES, ID, PARTS, part_ids
from tests.drawn_faces import draw_face


def _map(rows: str, names: str) -> np.ndarray:
    """Rows of letters -> label map; ``names`` says which letter is which class."""
    table = dict(pair.split("=") for pair in names.split())
    return np.array([[ID[table[c]] for c in row] for row in rows.split()], np.uint8)


def test_the_targets_mouth_replaces_the_sources_and_the_rest_becomes_skin() -> None:
    names = "s=skin u=u_lip m=mouth l=l_lip b=background h=hair"
    source = _map("hssssh hssssh huuuuh hllllh bssssb", names)
    target = _map("hssssh huussh hmmssh hllssh bsbssb", names)
    expected = _map("hssssh huussh hmmssh hllssh bssssb", names)
    assert (swap_parts(source, target, part_ids("mouth")) == expected).all()


def test_a_face_swapped_with_itself_is_itself() -> None:
    labels = draw_face(3)[2]
    for part in PARTS:
        assert (swap_parts(labels, labels, part_ids(part)) == labels).all(), part


def test_nothing_of_the_part_is_left_and_nothing_else_moves() -> None:
    labels = draw_face(1)[2]
    for part in {CLASSES[i] for i in np.unique(labels)} - {"background"}:
        without = remove_parts(labels, [ID[part]])
        assert not (without == ID[part]).any()
        assert (without[labels != ID[part]] == labels[labels != ID[part]]).all()
        lost = set(np.unique(without[labels == ID[part]]))
        assert lost <= {ID[name] for name in (*BEHIND[part], "skin", "background")}


def test_lost_glasses_become_the_nearest_of_skin_hair_and_background_never_eyes() -> None:
    names = "s=skin g=eye_g e=l_eye h=hair"
    assert (remove_parts(_map("hhsgegs", names), [ID["eye_g"]]) == _map("hhsseSs".lower(), names)).all()


def test_lost_hair_leaves_a_bald_head_and_what_is_beside_it() -> None:
    labels = draw_face(0)[2]
    bald = remove_parts(labels, [ID["hair"]])
    head = head_region(labels)
    hair = labels == ID["hair"]
    assert (bald[hair & head] == ID["skin"]).all()
    assert not (bald[hair & ~head] == ID["skin"]).any()
    face_rows = np.nonzero(labels == ID["skin"])[0]
    eye_row = np.nonzero(labels == ID["l_eye"])[0].mean()
    crown = np.nonzero(head)[0].min()
    assert crown == pytest.approx(max(0, 2 * eye_row - face_rows.max()), abs=2), "eyes lie halfway up the head"


def test_a_lost_hat_shows_hair_or_skin_on_the_head_and_background_beside_it() -> None:
    labels = draw_face(0)[2]
    hatted = labels.copy()
    hatted[:30][labels[:30] != ID["background"]] = ID["hat"]
    hatted[10:14, :] = ID["hat"]  # a wide brim
    bare = remove_parts(hatted, [ID["hat"]])
    assert (bare[10:14, :10] == ID["background"]).all()
    lost_on_head = bare[(hatted == ID["hat"]) & head_region(hatted)]
    assert set(np.unique(lost_on_head)) <= {ID["hair"], ID["skin"]}


def test_parts_lost_together_do_not_fill_each_other() -> None:
    names = "s=skin h=hair t=hat b=background"
    both = remove_parts(_map("bbtt bbhh bsss", names), [ID["hair"], ID["hat"]])
    assert set(np.unique(both)) <= {ID["skin"], ID["background"]}


def test_where_nothing_is_left_behind_background_is() -> None:
    assert (remove_parts(np.full((3, 3), ID["cloth"], np.uint8), [ID["cloth"]]) == ID["background"]).all()
