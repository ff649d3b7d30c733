"""Tests of the preparation: exact masks, the official split, reasons of rejections, interruptions."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.celebamask import official_split, read_source
from maskgan_cli.data.journal import JOURNAL
from maskgan_cli.data.pairs_folder import split_by_name
from maskgan_cli.data.prepare import _listing, merge_parts, prepare
from maskgan_cli.data.prepared import PreparedData, mask_beside
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_csv, read_image, read_json, read_label_map, write_image, write_label_map
from tests.conftest import Command
from tests.drawn_faces import draw_face, write_raw


def _copy(raw: Path, to: Path) -> Path:
    shutil.copytree(raw, to)
    return to


def test_the_official_split_at_its_limits() -> None:
    assert [official_split(i) for i in (0, 162770, 162771, 182637, 182638, 202598)] == [
        "train",
        "train",
        "val",
        "val",
        "test",
        "test",
    ]


def test_label_maps_equal_the_ground_truth(tmp_path: Path, maskgan: Command) -> None:
    truth = write_raw(tmp_path / "raw", 6)
    assert maskgan("prep-data", tmp_path / "raw", tmp_path / "out", "--size", 128, "--workers", 1).code == 0
    for index, labels in truth.items():
        assert (read_label_map(tmp_path / "out" / "masks" / f"{index}.png") == labels).all()


def test_the_manifest_has_split_identity_pose_and_attributes(prepared: Path) -> None:
    data = PreparedData.load(prepared)
    assert data.info["splits"] == {"train": 14, "val": 4, "test": 2}
    second = data.samples[1]
    assert (second.id, second.split) == ("400", "train")
    expected = {"celeba_id": "200", "identity": "0", "yaw": "1.5", "pitch": "-2.0", "roll": "0.25"}
    assert second.fields == {**expected, "Male": "1", "Smiling": "1"}
    assert read_image(second.image).shape == (64, 64, 3)


def test_sizes_from_64_to_1024(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    small = _copy(raw, tmp_path / "small")
    for path in sorted((small / "CelebA-HQ-img").iterdir())[1:]:
        path.unlink()
    for size in (64, 1024):
        maskgan("prep-data", small, tmp_path / str(size), "--size", size)
        assert read_label_map(tmp_path / str(size) / "masks" / "0.png").shape == (size, size)
    for size in (63, 1025):
        outcome = maskgan("prep-data", small, tmp_path / str(size), "--size", size)
        assert outcome.code == 2
        assert f"--size: expected 64 to 1024, found {size}" in outcome.err
        assert not (tmp_path / str(size)).exists()


def test_resized_labels_have_no_new_classes() -> None:
    labels = np.array([[1, 13], [17, 18]], np.uint8)
    assert (resize_labels(labels, 4) == labels.repeat(2, 0).repeat(2, 1)).all()
    assert set(np.unique(resize_labels(labels.repeat(8, 0).repeat(8, 1), 5))) <= {1, 13, 17, 18}


def test_images_are_resized_with_antialiasing() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    small = resize_image(stripes, 64)
    assert np.abs(small[8:-8, 8:-8].astype(int) - 127).max() <= 8


def test_every_rejection_has_its_reason(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    root = _copy(raw, tmp_path / "raw")
    images, masks = root / "CelebA-HQ-img", root / "CelebAMask-HQ-mask-anno"
    (images / "0.jpg").write_bytes((images / "0.jpg").read_bytes()[:500])
    (images / "400.jpg").unlink()
    for part in (masks / "0").glob("00800_*.png"):
        part.unlink()
    shutil.rmtree(masks / "1")
    Image.new("RGB", (100, 90)).save(images / "4000.jpg")
    Image.new("L", (90, 90)).save(masks / "2" / "04400_nose.png")
    (masks / "2" / "04800_hair.png").write_text("no picture")
    for part in (masks / "2").glob("05200_*.png"):
        Image.new("L", (128, 128)).save(part)
    outcome = maskgan("prep-data", root, tmp_path / "out", "--size", 64)
    assert outcome.code == 0
    rejected = dict(line.split(",", 1) for line in (tmp_path / "out" / "rejected.csv").read_text().splitlines()[1:])
    for sample, reason in {
        "0": "truncated",
        "400": "mask without image",
        "800": "image without any mask",
        "2000": "missing part folder",
        "4000": "the image is 100x90, not square",
        "4400": "expected 128x128, found 90x90",
        "4800": "no picture",
        "5200": "empty mask",
    }.items():
        assert reason in rejected[sample], sample
        assert f"rejected {sample}: " in outcome.err
    assert len(rejected) == 7 + 5
    info = read_json(tmp_path / "out" / "dataset.json")
    assert (info["samples"], info["rejected"]) == (8, 12)


def test_an_interrupted_preparation_resumes_with_the_same_result(raw: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"size": 64, "image_format": "png", "workers": 1, "overwrite": False}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    list(prepare(read_source(raw), whole, **options))
    for i, _ in enumerate(prepare(read_source(raw), broken, **options)):
        if i == 5:
            break
    with (broken / JOURNAL).open("a") as journal:
        journal.write('{"id": "cut sho')
    first = (broken / "images" / "0.png").stat().st_mtime_ns
    list(prepare(read_source(raw), broken, **options))
    assert (broken / "images" / "0.png").stat().st_mtime_ns == first, "done work is not repeated"
    assert read_json(broken / "dataset.json")["hash"] == read_json(whole / "dataset.json")["hash"]
    assert not (broken / JOURNAL).exists()


def test_several_processes_make_the_same_data_set(raw: Path, prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    assert maskgan("prep-data", raw, tmp_path / "two", "--size", 64, "--workers", 2).code == 0
    assert PreparedData.load(tmp_path / "two").hash == PreparedData.load(prepared).hash


def test_other_settings_or_files_in_the_output_are_rejected(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    out = tmp_path / "out"
    source = read_source(raw)
    next(prepare(source, out, size=64, image_format="png", workers=1, overwrite=False))
    outcome = maskgan("prep-data", raw, out, "--size", 96)
    assert outcome.code == 2
    assert "an unfinished preparation of another source, size or format" in outcome.err
    assert maskgan("prep-data", raw, out, "--size", 96, "--overwrite").code == 0
    before = (out / "dataset.json").stat().st_mtime_ns
    outcome = maskgan("prep-data", raw, out, "--size", 96)
    assert outcome.code == 0
    assert ", prepared from the same list of files" in outcome.err
    assert (out / "dataset.json").stat().st_mtime_ns == before
    outcome = maskgan("prep-data", raw, out, "--size", 64)
    assert outcome.code == 2
    assert "20 samples" in outcome.err
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("mine")
    assert maskgan("prep-data", raw, other, "--overwrite").code == 2
    assert (other / "precious.txt").read_text() == "mine"


def test_a_folder_of_images_and_masks_in_either_shape(tmp_path: Path, maskgan: Command) -> None:
    for i in range(8):
        picture, _, labels = draw_face(i, 96)
        write_image(tmp_path / "two" / "images" / f"f{i}.png", picture)
        write_label_map(tmp_path / "two" / "masks" / f"f{i}.png", labels)
        write_image(tmp_path / "flat" / f"f{i}.jpg", picture)
        write_label_map(tmp_path / "flat" / f"f{i}.mask.png", labels)
    write_label_map(tmp_path / "two" / "masks" / "lonely.png", labels)
    splits = []
    for shape in ("two", "flat"):
        outcome = maskgan("prep-data", tmp_path / shape, tmp_path / "out" / shape, "--size", 96, "--json")
        assert outcome.code == 0
        assert json.loads(outcome.out)["samples"] == 8
        data = PreparedData.load(tmp_path / "out" / shape)
        splits.append([(s.id, s.split) for s in data.samples])
        assert (read_label_map(data.samples[-1].mask) == labels).all()
    assert splits[0] == splits[1], "a sample's split depends on its name alone"
    assert "mask without image: lonely.png" in (tmp_path / "out" / "two" / "rejected.csv").read_text()


def test_shares_of_random_splits() -> None:
    names = [split_by_name(str(i), 0.2, 0.1, seed=0) for i in range(4000)]
    assert abs(names.count("val") / 4000 - 0.2) < 0.02
    assert abs(names.count("test") / 4000 - 0.1) < 0.02


def test_a_prepared_data_set_can_be_prepared_again(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    assert maskgan("prep-data", prepared, tmp_path / "again", "--size", 128).code == 0
    before, after = PreparedData.load(prepared), PreparedData.load(tmp_path / "again")
    key = lambda s: (s.id, s.split, s.fields)  # noqa: E731
    assert sorted(map(key, before.samples), key=str) == sorted(map(key, after.samples), key=str)


def test_later_parts_cover_earlier_ones(tmp_path: Path) -> None:
    parts = {}
    for name, columns in {"skin": 4, "nose": 2, "hair": 1}.items():
        region = np.zeros((4, 4), np.uint8)
        region[:, :columns] = 255
        Image.fromarray(region).save(tmp_path / f"{name}.png")
        parts[name] = tmp_path / f"{name}.png"
    assert merge_parts(parts)[0].tolist() == [13, 2, 1, 1]
    with pytest.raises(ValueError, match="at least one"):
        merge_parts({})


def test_masks_are_found_beside_their_pictures(prepared: Path, tmp_path: Path) -> None:
    assert mask_beside(prepared / "images" / "0.png") == prepared.resolve() / "masks" / "0.png"
    picture = write_image(tmp_path / "me.jpg", np.zeros((4, 4, 3), np.uint8))
    assert mask_beside(picture) is None
    mask = write_label_map(tmp_path / "me.mask.png", np.zeros((4, 4), np.uint8))
    assert mask_beside(picture) == mask


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("CelebA-HQ-to-CelebA-mapping.txt", "a b c\n1 two 3.jpg\n", "expected lines of: index, CelebA index"),
        ("CelebAMask-HQ-attribute-anno.txt", "1\nMale Smiling\n0.jpg 1\n", "expected 2 values for 0.jpg, found 1"),
        ("identity_CelebA.txt", "000101.jpg\n", "expected lines of: file name, identity"),
    ],
)
def test_damaged_annotation_files_are_reported(raw: Path, tmp_path: Path, file: str, text: str, message: str) -> None:
    root = _copy(raw, tmp_path / "raw")
    (root / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read_source(root)


def _pairs(root: Path, names: list[str]) -> Path:
    for i, name in enumerate(names):
        picture, _, labels = draw_face(i, 96)
        write_image(root / "images" / f"{name}.png", picture)
        write_label_map(root / "masks" / f"{name}.png", labels)
    return root


def test_hidden_files_and_pipes_are_ignored(tmp_path: Path, maskgan: Command) -> None:
    root = _pairs(tmp_path / "own", ["a", "b"])
    (root / "images" / "._a.png").write_bytes(b"what macOS leaves")
    (root / "images" / ".c-12345678.tmp.png").write_bytes(b"what a kill leaves")
    os.mkfifo(root / "images" / "pipe.png")
    outcome = maskgan("prep-data", root, tmp_path / "out", "--size", 64, "--json")
    assert outcome.code == 0
    assert (json.loads(outcome.out)["samples"], json.loads(outcome.out)["rejected"]) == (2, 0)


def test_a_pipe_in_the_raw_layout_is_rejected_and_does_not_block(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    root = _copy(raw, tmp_path / "raw")
    (root / "CelebA-HQ-img" / "0.jpg").unlink()
    os.mkfifo(root / "CelebA-HQ-img" / "0.jpg")
    outcome = maskgan("prep-data", root, tmp_path / "out", "--size", 64, "--workers", 1)
    assert outcome.code == 0
    assert "rejected 0: " in outcome.err and "no regular file" in outcome.err


def test_invalid_and_repeated_names_are_rejected(tmp_path: Path, maskgan: Command) -> None:
    root = _pairs(tmp_path / "own", ["a", "b", "two\nlines", "c\\d"])
    write_image(root / "images" / "b.jpg", draw_face(1, 96)[0])
    outcome = maskgan("prep-data", root, tmp_path / "out", "--size", 64)
    assert outcome.code == 0
    lines = {row["id"]: row["reason"] for row in read_csv(tmp_path / "out" / "rejected.csv")}
    assert "several images of that name" in lines["b"]
    assert "is not a valid file name" in lines["two\nlines"]
    assert "would place files outside" in lines["c\\d"]
    assert [s.id for s in PreparedData.load(tmp_path / "out").samples] == ["a"]
    assert len([line for line in outcome.err.splitlines() if line.startswith("rejected ")]) == 3


OPTIONS: dict[str, Any] = {"size": 64, "image_format": "png", "workers": 1, "overwrite": False}


def _interrupted(raw: Path, out: Path) -> Path:
    """A preparation that was stopped after four samples."""
    for i, _ in enumerate(prepare(read_source(raw), out, **OPTIONS)):
        if i == 3:
            break
    return out


@pytest.mark.parametrize(
    "damage",
    [
        b"\xff\xfe\x00",
        b"[1]\n",
        b'{"id": "0"}\n',
        b'{"id": 0, "image": "", "mask": "", "reason": ""}\n',
        b"null\n",
        b'{"id": "../x", "image": "a", "mask": "b", "reason": ""}\n',
        b"[" * 50_000 + b"\n",
        b'{"id": "400", "image": "00", "mask": "00", "reason": ""}\n',
    ],
)
def test_a_damaged_journal_only_repeats_work(raw: Path, prepared: Path, tmp_path: Path, damage: bytes) -> None:
    out = _interrupted(raw, tmp_path / "out")
    (out / JOURNAL).write_bytes((out / JOURNAL).read_bytes() + damage)
    (out / "images" / "400.png").unlink()  # in the journal, but gone
    list(prepare(read_source(raw), out, **OPTIONS))
    assert read_json(out / "dataset.json")["hash"] == read_json(prepared / "dataset.json")["hash"]


@pytest.mark.parametrize("change", [{"reason": "x"}, {"mask": ""}])
def test_a_changed_journal_drops_no_sample(raw: Path, prepared: Path, tmp_path: Path, change: dict[str, str]) -> None:
    out = _interrupted(raw, tmp_path / "out")
    settings, *lines = (out / JOURNAL).read_text().splitlines()
    changed = [settings, *(json.dumps(json.loads(line) | change) for line in lines)]
    (out / JOURNAL).write_text("\n".join(changed) + "\n")
    list(prepare(read_source(raw), out, **OPTIONS))
    assert read_json(out / "dataset.json")["hash"] == read_json(prepared / "dataset.json")["hash"]


def test_files_of_a_killed_run_are_replaced(raw: Path, prepared: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"size": 64, "image_format": "png", "workers": 1, "overwrite": False}
    out = tmp_path / "out"
    out.mkdir()
    (out / "..prepare-0123abcd.tmp.jsonl").touch()  # killed before the journal had its name
    list(prepare(read_source(raw), out, **options))
    assert sorted(p.name for p in out.iterdir()) == ["dataset.json", "images", "manifest.csv", "masks", "rejected.csv"]
    # Killed after dataset.json was written, before the journal was removed.
    lines = [{"source": "CelebAMask-HQ", "listing": _listing(read_source(raw)), "size": 64, "image_format": "png"}]
    (out / JOURNAL).write_text(json.dumps(lines[0]) + "\n")
    (out / "images" / ".0-0123abcd.tmp.png").touch()
    list(prepare(read_source(raw), out, **options))
    assert read_json(out / "dataset.json") == {**read_json(prepared / "dataset.json"), "name": "out"}
    assert not list(out.rglob(".*"))
    # Killed after everything, before its lock was removed.
    (tmp_path / ".out.lock").touch()
    assert list(prepare(read_source(raw), out, **options)) == []
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"samples": []}'])
def test_a_damaged_description_is_rejected_like_a_good_one(
    prepared: Path, raw: Path, tmp_path: Path, text: str
) -> None:
    out = _copy(prepared, tmp_path / "out")
    (out / "dataset.json").write_text(text)
    with pytest.raises(InputError, match="an unknown number of samples"):
        list(prepare(read_source(raw), out, size=64, image_format="png", workers=1, overwrite=False))


def test_a_full_disk_is_one_line_and_the_command_resumes(
    raw: Path, prepared: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = Path.write_bytes, []

    def full(self: Path, data: bytes) -> int:
        count.append(self)
        if len(count) > 9:
            real(self, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, data)

    arguments = ("prep-data", raw, tmp_path / "out", "--size", 64, "--workers", 1, "-q")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        outcome = maskgan(*arguments)
    assert outcome.code == 1
    assert outcome.err.startswith(f"maskgan: {tmp_path / 'out'}") and "no space left on device" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not list((tmp_path / "out").rglob(".*.tmp*"))
    assert maskgan(*arguments).code == 0
    assert read_json(tmp_path / "out" / "dataset.json")["hash"] == read_json(prepared / "dataset.json")["hash"]


def test_a_second_preparation_stops_with_the_lock_holder(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    first = prepare(read_source(raw), tmp_path / "out", size=64, image_format="png", workers=1, overwrite=False)
    next(first)
    outcome = maskgan("prep-data", raw, tmp_path / "out", "--size", 64)
    assert outcome.code == 2
    assert "found maskgan prep-data (process" in outcome.err
    first.close()  # type: ignore[attr-defined]
    assert maskgan("prep-data", raw, tmp_path / "out", "--size", 64).code == 0


def test_a_jpeg_of_the_right_size_is_copied(raw: Path, tmp_path: Path, maskgan: Command) -> None:
    root = _copy(raw, tmp_path / "raw")
    images = root / "CelebA-HQ-img"
    grey = Image.open(images / "400.jpg").convert("L")
    grey.save(images / "400.jpg")
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(images / "800.jpg").save(images / "800.jpg", exif=exif)
    (images / "1200.jpg").write_bytes((images / "1200.jpg").read_bytes()[:1000])
    assert maskgan("prep-data", root, tmp_path / "out", "--size", 128, "--format", "jpg").code == 0
    made = tmp_path / "out" / "images"
    assert (made / "0.jpg").read_bytes() == (images / "0.jpg").read_bytes()
    assert (made / "400.jpg").read_bytes() != (images / "400.jpg").read_bytes(), "grey becomes RGB"
    turned = read_image(made / "800.jpg").astype(int) - read_image(images / "800.jpg")
    assert abs(turned).mean() < 3, "turned as its EXIF says"
    assert not (made / "1200.jpg").exists()
    assert "truncated" in (tmp_path / "out" / "rejected.csv").read_text()
    assert maskgan("prep-data", root, tmp_path / "small", "--size", 64, "--format", "jpg").code == 0
    assert read_image(tmp_path / "small" / "images" / "0.jpg").shape == (64, 64, 3)
