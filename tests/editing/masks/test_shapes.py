"""Steps in MaskVAE's latent space, and accessories in masks: they change only the pixels that they should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from maskgan_cli.data.alignment import points_of_mask
from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.directions import REACH, Directions
from maskgan_cli.editing.masks.interpolate import MaskManifold
from maskgan_cli.editing.masks.library import Accessory
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.errors import InputError
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.weights.lookup import find_weights


@pytest.fixture(scope="module")
def face() -> LabelMap:
    """A rendered face (256, 256)."""
    labels: LabelMap = library.read_library()["example-1-labels"]
    return labels


@pytest.fixture(scope="module")
def directions() -> Directions:
    """Directions of the bundled MaskVAE."""
    return Directions(MaskManifold(find_weights(None, "vae"), "cpu"))


def test_a_zero_step_changes_nothing_and_other_steps_change_only_their_classes(
    face: LabelMap, directions: Directions
) -> None:
    assert set(REACH) == set(library.DIRECTIONS)
    for name in library.DIRECTIONS:
        assert np.array_equal(directions.move(face, name, 0), face)
        moved = directions.move(face, name, 1)
        ids = [ID[part] for part in REACH[name]]
        assert np.isin(face[moved != face], ids).all() and np.isin(moved[moved != face], ids).all()


def _width(labels: LabelMap, *names: str) -> int:
    return int(np.isin(labels, [ID[name] for name in names]).any(0).sum())


def test_directions_change_the_property_of_their_name(face: LabelMap, directions: Directions) -> None:
    """Steps forwards increase a measurement of the mask, and steps backwards decrease it."""

    def more(name: str) -> tuple[LabelMap, LabelMap]:
        return directions.move(face, name, 1.5), directions.move(face, name, -1.5)

    wide, narrow = more("nose-width")
    assert _width(narrow, "nose") < _width(face, "nose") < _width(wide, "nose")
    wide, narrow = more("face-width")
    assert (narrow == ID["skin"]).sum() < (face == ID["skin"]).sum() < (wide == ID["skin"]).sum()
    bob, long = library.pairs("hair-length")[0]
    for labels, step in ((bob, 1), (long, -1)):
        grown = (directions.move(labels, "hair-length", step) == ID["hair"]).sum() - (labels == ID["hair"]).sum()
        assert step * grown > 0.01 * labels.size
    opened, _ = more("open-mouth")
    lips = ("mouth", "u_lip", "l_lip")
    rows = [np.nonzero(np.isin(labels, [ID[n] for n in lips]))[0] for labels in (face, opened)]
    assert np.ptp(rows[1]) > np.ptp(rows[0])
    smile, _ = more("smile")
    assert _width(smile, *lips) > _width(face, *lips)
    raised, _ = more("raise-brows")
    brows = [np.nonzero(np.isin(labels, [ID["l_brow"], ID["r_brow"]]))[0].mean() for labels in (face, raised)]
    assert brows[1] < brows[0]


def test_accessories_are_aligned_with_the_face(face: LabelMap) -> None:
    for name in library.ITEMS:
        item = library.item(name)
        worn = wear(face, item)
        assert (worn == item.kind).sum() > 20
        assert set(np.unique(worn[worn != face])) <= {item.kind, *np.unique(face)}
    eyes = np.nonzero(np.isin(face, [ID["l_eye"], ID["r_eye"]]))
    for name in ("glasses-round", "glasses-sun"):
        glasses = wear(face, library.item(name))
        rows, columns = np.nonzero(glasses == ID["eye_g"])
        assert rows.min() < eyes[0].mean() < rows.max()
        assert columns.min() < eyes[1].min() and eyes[1].max() < columns.max()


def test_accessories_follow_the_given_points_of_the_face(face: LabelMap) -> None:
    """A mouth that was widened to three times its size does not move them."""
    edited, item = face.copy(), library.item("glasses-sun")
    rows = np.flatnonzero((face == ID["mouth"]).any(1))
    edited[rows[0] : rows[-1] + 1, 60:200] = ID["mouth"]
    there, said = (wear(labels, item, points_of_mask(face)) == item.kind for labels in (face, edited))
    assert np.array_equal(there, said)
    assert not np.array_equal(there, wear(edited, item) == item.kind)


def test_a_face_with_the_accessorys_own_points_gets_it_unmoved() -> None:
    item = library.item("glasses-round")
    bare = np.where(item.labels == item.kind, ID["skin"], item.labels)
    moved = wear(bare, Accessory(item.labels, points_of_mask(bare), item.kind))
    assert np.array_equal(moved == item.kind, item.labels == item.kind)


def test_hair_above_a_hat_is_removed(face: LabelMap) -> None:
    tall = face.copy()
    tall[:40][tall[:40] == ID["background"]] = ID["hair"]
    worn = wear(tall, library.item("hat-fedora"))
    rows, columns = np.nonzero(worn == ID["hat"])
    for x in np.unique(columns):
        assert not (worn[: rows[columns == x].min(), x] == ID["hair"]).any()
    assert (worn == ID["hair"]).any()


def test_a_kind_selects_its_first_accessory_and_unknown_names_raise_an_error() -> None:
    assert np.array_equal(library.item("hat").labels, library.item("hat-beanie").labels)
    with pytest.raises(InputError, match=r"accessory: expected glasses or hat or earrings or necklace .* 'tie'"):
        library.item("tie")


def test_masks_larger_than_the_network_get_no_dots_at_their_old_borders(face: LabelMap, directions: Directions) -> None:
    large = resize_labels(face, 512)
    moved = directions.move(large, "smile", 1.5)
    assert (moved != large).sum() > 500
    for name in ("u_lip", "l_lip", "mouth"):
        pieces, count = ndimage.label(moved == ID[name], np.ones((3, 3)))
        assert (ndimage.sum_labels(pieces > 0, pieces, np.arange(1, count + 1)) >= 12).all(), name
