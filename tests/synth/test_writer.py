"""Tests of the raw layout on disk."""

from __future__ import annotations

import csv
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.celebamask import SCENES
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map
from maskgan_cli.labels import PARTS
from maskgan_cli.synth import face, read_plan, sample_scene, with_expression, write_dataset
from maskgan_cli.synth.celeba_attributes import CELEBA
from maskgan_cli.synth.dataset_plan import celeba_index, split_of
from maskgan_cli.synth.writer import mask_path, picture_path

SETTINGS: dict[str, Any] = {"count": 6, "size": 40, "identities": 3, "seed": 2, "counterfactuals": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    seen = []
    out = tmp_path_factory.mktemp("synth") / "set"
    write_dataset(out, **SETTINGS, workers=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 8) for i in range(1, 9)]
    return out


def every_file(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_masks_are_the_label_map(data):
    for number in range(6):
        drawn = face(2, number, 40, 3)
        labels = np.zeros((40, 40), np.uint8)
        for value, part in enumerate(PARTS, 1):
            path = mask_path(data, number, part)
            if path.exists():
                image = Image.open(path)
                mask = np.asarray(image)
                assert image.mode == "L" and set(np.unique(mask)) <= {0, 255}
                labels[mask == 255] = value
        np.testing.assert_array_equal(labels, drawn.labels)
        difference = read_image(picture_path(data, number)).astype(int) - drawn.picture
        assert np.abs(difference).mean() < 6  # JPEG at 95


def test_lists(data):
    attributes = (data / "CelebAMask-HQ-attribute-anno.txt").read_text().splitlines()
    assert attributes[0] == "6" and tuple(attributes[1].split()) == CELEBA
    poses = (data / "CelebAMask-HQ-pose-anno.txt").read_text().splitlines()
    assert poses[:2] == ["6", "Yaw Pitch Raw"]
    for number in range(6):
        drawn = face(2, number, 40, 3)
        name, *marks = attributes[number + 2].split()
        assert name == f"{number}.jpg"
        assert [int(m) for m in marks] == list(drawn.attributes.values())
        name, *angles = poses[number + 2].split()
        np.testing.assert_allclose([float(a) for a in angles], [drawn.yaw, drawn.pitch, drawn.roll], atol=1e-3)
    mapping = [line.split() for line in (data / "CelebA-HQ-to-CelebA-mapping.txt").read_text().splitlines()]
    assert mapping[0] == ["idx", "orig_idx", "orig_file"]
    people = dict(line.split() for line in (data / "identity_CelebA.txt").read_text().splitlines())
    for index, original, file in mapping[1:]:
        assert file == f"{int(original) + 1:06d}.jpg"
        assert people[file] == str(int(index) % 3 + 1)


def test_counterfactuals(data):
    with (data / "counterfactuals" / "pairs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2
    for row in rows:
        assert row["source"] != row["target"]
        assert read_image(data / row["truth"]).shape == (40, 40, 3)
        assert read_label_map(data / row["truth_mask"]).shape == (40, 40)
        assert (data / row["source"]).exists() and (data / row["target"]).exists()


def test_pictures_of_a_scene_differ_only_in_expression(tmp_path):
    out = tmp_path / "scenes"
    write_dataset(out, 6, 40, seed=2, identities=2, expressions=2, counterfactuals=1, workers=1)
    plan = read_plan(out)
    assert plan.expressions == 2 and [plan.person(i) for i in range(6)] == [0, 0, 1, 1, 0, 0]
    (who, scene), (same, other) = plan.drawn_by(4), plan.drawn_by(5)
    assert who == same and scene.expression != other.expression
    assert with_expression(scene, other) == other
    assert scene == sample_scene(2, 2, who), "the first picture is that of the scene with one expression"
    lines = (out / SCENES).read_text().splitlines()
    assert lines[:4] == ["6", "Scene", "0.jpg 0", "1.jpg 0"] and lines[-1] == "5.jpg 2"
    whole = every_file(out)
    picture_path(out, 5).unlink()
    write_dataset(out, 6, 40, seed=2, identities=2, expressions=2, counterfactuals=1, workers=1)
    assert every_file(out) == whole
    with pytest.raises(InputError, match="another expressions"):
        write_dataset(out, 6, 40, seed=2, identities=2, counterfactuals=1, workers=1)


def test_the_former_name_of_expressions_still_works(tmp_path):
    write_dataset(tmp_path / "former", 2, 40, seed=2, identities=1, takes=2, workers=1)
    write_dataset(tmp_path / "now", 2, 40, seed=2, identities=1, expressions=2, workers=1)
    assert every_file(tmp_path / "former") == every_file(tmp_path / "now")
    assert json.loads((tmp_path / "now" / "synth.json").read_text())["takes"] == 2  # as earlier versions wrote it


@pytest.mark.parametrize("expressions", [1, 3])
@pytest.mark.parametrize("identities", [1, 7, 10, 100])
def test_people_do_not_cross_splits(identities, expressions):
    rule: dict[int, str] = {}
    indices = [celeba_index(i, identities, expressions) for i in range(1000)]
    assert len(set(indices)) == 1000
    for i, index in enumerate(indices):
        split = "train" if index < 162771 else "validation" if index < 182638 else "test"
        assert split == split_of(i // expressions % identities)
        assert rule.setdefault(i // expressions % identities, split) == split
    if identities == 100:
        shares = [list(rule.values()).count(s) for s in ("train", "validation", "test")]
        assert shares == [80, 10, 10]


def test_resumes_to_the_same_bytes(data, tmp_path):
    whole = every_file(data)
    out = tmp_path / "again"
    (out / "CelebA-HQ-img").mkdir(parents=True)
    (out / "synth.json").write_bytes(whole["synth.json"])
    write_dataset(out, **SETTINGS, workers=1)
    picture_path(out, 4).unlink()
    mask_path(out, 4, "skin").unlink()
    kept = picture_path(out, 1).stat().st_mtime_ns
    write_dataset(out, **SETTINGS, workers=2)
    assert picture_path(out, 1).stat().st_mtime_ns == kept
    assert every_file(out) == whole


def test_rejects_other_settings_and_other_folders(data, tmp_path):
    assert json.loads((data / "synth.json").read_text())["seed"] == 2
    with pytest.raises(InputError, match="another size"):
        write_dataset(data, **(SETTINGS | {"size": 48}), workers=1)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="new or empty folder"):
        write_dataset(tmp_path, **SETTINGS)
    for wrong in ({"count": 0}, {"size": 8}, {"identities": 0}, {"seed": -1}):
        with pytest.raises(InputError, match="whole number"):
            write_dataset(tmp_path / "new", **(SETTINGS | wrong))
    assert not (tmp_path / "new").exists()
