"""Tests of reading and writing files: formats, rejected input, and atomic writes."""

from __future__ import annotations

import errno
import os
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli import files
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.labels import NUM_CLASSES, PALETTE, colourise, convert

IDS = np.arange(NUM_CLASSES, dtype=np.uint8).repeat(2).reshape(2, 19).copy()


def _saved(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


def test_label_maps_round_trip_and_have_the_palettes_colours(tmp_path: Path) -> None:
    path = files.write_label_map(tmp_path / "m.png", IDS)
    assert (files.read_label_map(path) == IDS).all()
    with Image.open(path) as image:
        assert image.mode == "P"
        assert (np.asarray(image.convert("RGB")) == colourise(IDS)).all()


def test_grey_colour_and_palette_masks_are_read_alike(tmp_path: Path) -> None:
    shuffled = Image.fromarray((18 - IDS).astype(np.uint8), mode="P")
    shuffled.putpalette(PALETTE[::-1].tobytes())  # same colours under other indices
    foreign = Image.fromarray(IDS, mode="P")
    foreign.putpalette(bytes(range(100, 100 + 57)))  # other colours: the indices are the ids
    for name, image in {
        "plain": Image.fromarray(IDS),
        "colour": Image.fromarray(colourise(IDS)),
        "rgba": Image.fromarray(colourise(IDS)).convert("RGBA"),
        "shuffled": shuffled,
        "foreign": foreign,
    }.items():
        assert (files.read_label_map(_saved(tmp_path / f"{name}.png", image)) == IDS).all(), name


def test_a_mask_in_the_parsers_order_is_renumbered_but_colours_are_not(tmp_path: Path) -> None:
    other = convert(IDS, "celebamask", "parser")
    plain = _saved(tmp_path / "plain.png", Image.fromarray(other))
    colour = _saved(tmp_path / "colour.png", Image.fromarray(colourise(IDS)))
    assert (files.read_label_map(plain, order="parser") == IDS).all()
    assert (files.read_label_map(colour, order="parser") == IDS).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.fromarray(np.full((4, 4), 19, np.uint8)), "expected class ids 0 to 18, found value 19"),
        (Image.fromarray(np.full((4, 4), 300, np.uint16)), "16-bit"),
        (Image.new("RGB", (4, 4), (1, 2, 3)), "#010203"),
        (Image.new("1", (4, 4)), "mode 1"),
    ],
)
def test_masks_with_invalid_values_are_rejected(tmp_path: Path, image: Image.Image, message: str) -> None:
    path = _saved(tmp_path / "mask.png", image)
    with pytest.raises(InputError, match=message) as caught:
        files.read_label_map(path)
    assert str(path) in str(caught.value)


def test_lossy_colour_mask_is_rejected_with_the_invalid_colours(tmp_path: Path) -> None:
    path = tmp_path / "mask.jpg"
    Image.fromarray(colourise(IDS.repeat(8, 0))).save(path)
    with pytest.raises(InputError, match=r"colours #.* and \d+ more; save it as a palette PNG"):
        files.read_label_map(path)


def test_truncated_misnamed_and_missing_pictures_are_rejected(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    truncated = tmp_path / "truncated.jpg"
    truncated.write_bytes(whole.read_bytes()[:900])
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for path, found in ((truncated, "truncated"), (text, "no picture"), (tmp_path / "none.png", "no such file")):
        with pytest.raises(InputError, match=found):
            files.read_image(path)


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_a_file_that_is_replaced_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    kept = tmp_path / "there" / "kept.bin"
    kept.write_bytes(b"before")
    kept.chmod(0o640)
    (tmp_path / "link.bin").symlink_to(kept)
    files.write_bytes(tmp_path / "link.bin", b"after")
    assert (tmp_path / "link.bin").is_symlink()
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b"after", 0o640)
    assert [path.name for path in kept.parent.iterdir()] == ["kept.bin"]


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[0, 0] = 255
    image = Image.fromarray(picture)
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees
    image.save(tmp_path / "turned.png", exif=exif)
    read = files.read_image(tmp_path / "turned.png")
    assert read.shape == (3, 2, 3)
    assert read[0, 1].tolist() == [255, 255, 255]


def test_failed_write_keeps_the_old_file_and_leaves_no_partial_file(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    files.write_json(path, {"old": True})
    with pytest.raises(RuntimeError), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert files.read_json(path) == {"old": True}
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_existing_results_are_kept_without_overwrite(tmp_path: Path) -> None:
    path = files.write_json(tmp_path / "a.json", 1)
    with pytest.raises(InputError, match="--overwrite"):
        files.write_json(path, 2, overwrite=False)
    assert files.read_json(path) == 1


def test_unwritable_location_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a place that can be written"):
        files.write_json(tmp_path / "file" / "inside.json", 1)
    with pytest.raises(InputError, match="found a folder"):
        files.write_json(tmp_path, 1)


def test_part_files_use_all_colour_channels(tmp_path: Path) -> None:
    """In every mode, a pixel belongs to the part if a colour channel is nonzero and it is opaque."""
    picture = np.zeros((3, 4, 3), np.uint8)
    picture[0, 1, 2], picture[2, 2, 0] = 1, 255
    grey = Image.fromarray(picture.max(-1))
    alpha = np.where(picture.max(-1) > 0, np.uint8(255), np.uint8(0))
    clear = Image.fromarray(np.dstack([picture, alpha]))
    for name, image in {
        "rgb": Image.fromarray(picture),
        "l": grey,
        "p": grey.convert("P"),
        "rgba": clear,
        "la": Image.merge("LA", [grey, clear.getchannel("A")]),
        "1": grey.point([0] + [255] * 255).convert("1"),
        "16": Image.fromarray(picture.max(-1).astype(np.uint16) * 200),
    }.items():
        part = files.read_part(_saved(tmp_path / f"{name}.png", image))
        where = np.zeros(part.shape, bool)
        where[part.box] = part.region
        assert where.tolist() == (picture.max(-1) > 0).tolist(), name


def test_part_is_read_at_its_position(tmp_path: Path) -> None:
    picture = np.zeros((8, 6), np.uint8)
    picture[2:4, 1:5] = 255
    part = files.read_part(_saved(tmp_path / "part.png", Image.fromarray(picture)))
    assert (part.shape, part.region.shape) == ((8, 6), (2, 4))
    empty = files.read_part(_saved(tmp_path / "empty.png", Image.fromarray(picture * 0)))
    assert (empty.shape, empty.region.size) == ((8, 6), 0)


@pytest.mark.parametrize("side", [64, 512])
def test_label_maps_of_faces_round_trip_and_are_small(side: int, tmp_path: Path) -> None:
    y, x = np.mgrid[:side, :side] / side - 0.5
    labels = np.zeros((side, side), np.uint8)
    for value, (cx, cy, radius) in {
        13: (0, 0, 0.45),
        1: (0.02, 0.05, 0.3),
        4: (0.1, 0, 0.05),
        11: (0, 0.2, 0.08),
    }.items():
        labels[(x - cx) ** 2 + 0.7 * (y - cy) ** 2 < radius**2] = value
    path = files.write_label_map(tmp_path / "mask.png", labels)
    assert (files.read_label_map(path) == labels).all()
    plain = tmp_path / "plain.png"
    files.palette_image(labels).save(plain)
    assert path.stat().st_size <= 1.15 * plain.stat().st_size


# ------------------------------------------------------------------------------- pictures of other kinds


def test_grey_pictures_of_16_bits_and_floats_are_scaled(tmp_path: Path) -> None:
    wide = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)  # 257 = 65535 / 255
    arrays: dict[str, Any] = {
        "16.png": wide,
        "16.tif": wide,
        "32.tif": wide.astype(np.int32),
        "float.tif": (wide / 65535).astype(np.float32),
    }
    for name, array in arrays.items():
        read = files.read_image(_saved(tmp_path / name, Image.fromarray(array)))
        assert (read == np.arange(256).reshape(16, 16)[..., None]).all(), name


@pytest.mark.parametrize("values", [[0.0, 255.0], [-1.0, 1.0], [0.0, np.nan]])
def test_floats_outside_the_grey_range_are_rejected(tmp_path: Path, values: list[float]) -> None:
    path = _saved(tmp_path / "f.tif", Image.fromarray(np.array([values], np.float32)))
    with pytest.raises(InputError, match="expected grey values from 0 to 1"):
        files.read_image(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif"])
def test_every_supported_format_is_written_and_read(tmp_path: Path, name: str) -> None:
    picture = np.full((32, 32, 3), [200, 100, 50], np.uint8)
    read = files.read_image(files.write_image(tmp_path / name, picture)).astype(int)
    assert read.shape == picture.shape
    assert np.abs(read - picture).max() <= 3


def test_a_phones_jpeg_of_several_pictures_is_read_as_its_first(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (16, 16), (255, 0, 0)), Image.new("RGB", (16, 16), (0, 0, 255))
    first.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[second])
    assert files.read_image(tmp_path / "phone.jpg")[0, 0, 0] > 250


@pytest.mark.parametrize("read", [files.read_image, files.read_photo, files.read_label_map, files.read_part])
def test_a_damaged_palette_is_one_line(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("P", (4, 4), 1).save(path)
    data = path.read_bytes()
    chunk, place = b"tRNS" + bytes(300), data.index(b"IDAT") - 4  # more alphas than a palette has colours
    path.write_bytes(
        data[:place] + struct.pack(">I", 300) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[place:]
    )
    with pytest.raises(InputError, match="found a damaged palette"):
        read(path)
    start = data.index(b"PLTE") - 4
    path.write_bytes(data[:start] + data[start + 12 + int.from_bytes(data[start : start + 4], "big") :])
    with pytest.raises(InputError, match="found a palette picture without its palette"):
        read(path)


@pytest.mark.parametrize(
    ("start", "found"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", "PostScript"),
        (b"%PDF-1.4", "a PDF"),
        (b"\0\0\0\x20ftypavif", "an AVIF picture"),
        (b"\0\0\0\x20ftypheic", "a HEIC picture"),
        (b"", "an empty file"),
    ],
)
def test_unsupported_formats_are_named_and_not_opened(
    tmp_path: Path, start: bytes, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.check_call", started)
    monkeypatch.setattr("subprocess.Popen", started)
    (tmp_path / "a.png").write_bytes(start)
    with pytest.raises(InputError, match=f"found {found}.*; save it as PNG or JPEG"):
        files.read_image(tmp_path / "a.png")


def test_picture_above_the_limit_is_rejected_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _saved(tmp_path / "large.png", Image.new("1", (9000, 9000)))
    tracemalloc.start()
    try:
        with pytest.raises(
            InputError, match=r"at most 64 megapixels, found 9000x9000 \(81.0 megapixels\).*MASKGAN_MAX"
        ):
            files.read_image(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    small = _saved(tmp_path / "small.png", Image.new("L", (1000, 1001)))
    monkeypatch.setenv("MASKGAN_MAX_MEGAPIXELS", "1")
    with pytest.raises(InputError, match="at most 1 megapixels"):
        files.read_label_map(small)
    monkeypatch.setenv("MASKGAN_MAX_MEGAPIXELS", "1.1")
    assert files.read_label_map(small).shape == (1001, 1000)
    monkeypatch.setenv("MASKGAN_MAX_MEGAPIXELS", "many")
    with pytest.raises(
        InputError, match="MASKGAN_MAX_MEGAPIXELS: expected a number of megapixels above 0, found 'many'"
    ):
        files.read_label_map(small)


def test_large_colour_mask_uses_a_few_bytes_per_pixel(tmp_path: Path) -> None:
    labels = np.zeros((2000, 2000), np.uint8)
    labels[::3] = 18
    path = _saved(tmp_path / "m.png", Image.fromarray(colourise(labels)))
    files.read_label_map(path)  # builds the colour table
    tracemalloc.start()
    try:
        assert (files.read_label_map(path) == labels).all()
        assert tracemalloc.get_traced_memory()[1] < 10 * labels.size
    finally:
        tracemalloc.stop()


def test_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(InputError, match="found no regular file"):
        files.read_image(tmp_path / "a.png")


def test_corrupt_exif_data_are_ignored(tmp_path: Path) -> None:
    picture = np.full((8, 8, 3), 77, np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert (files.read_image(tmp_path / "a.png") == picture).all()


# ------------------------------------------------------------------------------------------------ texts


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffid,split\n1,train\n".encode())
    assert files.read_csv(tmp_path / "a.csv") == [{"id": "1", "split": "train"}]
    (tmp_path / "a.json").write_bytes("\ufeff[1]".encode())
    assert files.read_json(tmp_path / "a.json") == [1]


def test_short_rows_are_filled_and_long_rows_are_errors(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,split\n1\n")
    assert files.read_csv(tmp_path / "a.csv") == [{"id": "1", "split": ""}]
    (tmp_path / "a.csv").write_text("id,split\n1,train\n2,val,more,still\n")
    with pytest.raises(InputError, match="line 3: expected 2 values, as in the header, found 4"):
        files.read_csv(tmp_path / "a.csv")


def test_json_nested_too_deep_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000 + "]" * 100_000)
    with pytest.raises(InputError, match="expected a JSON file, found a document that is nested too deeply"):
        files.read_json(tmp_path / "a.json")


def test_newline_in_a_name_is_escaped(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        files.read_image(tmp_path / "two\nlines\x1b[31m\udcff.png")
    assert str(caught.value).endswith(
        r"two\nlines\x1b[31m\udcff.png: expected a picture, found no such file; check the path"
    )


# ---------------------------------------------------------------------------------------------- the disk


def test_full_disk_error_names_the_file_and_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files.write_json(tmp_path / "a.json", {"old": True})

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WorkError, match=r"a\.json: could not be written: no space left on device"):
        files.write_json(path, {"old": False})
    with pytest.raises(WorkError, match=r"b\.png: could not be written"):
        files.write_image(tmp_path / "b.png", np.zeros((4, 4, 3), np.uint8))
    assert files.read_json(path) == {"old": True}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_temporary_files_of_killed_processes_are_recognised(tmp_path: Path) -> None:
    mine = [".hidden", ".notes-12345678.txt", "a-12345678.tmp.png", ".a-1234567g.tmp"]
    for name in mine:
        (tmp_path / name).touch()
    for name in ("a.json", ".prepare.jsonl", "no suffix", "line\nbreak.png"):
        with files.atomic(tmp_path / name) as temporary:
            (tmp_path / "copies").mkdir(exist_ok=True)
            (tmp_path / "copies" / temporary.name).touch()
    assert len(list((tmp_path / "copies").iterdir())) == 4
    files.remove_leftovers(tmp_path / "copies", tmp_path, tmp_path / "nowhere")
    assert not list((tmp_path / "copies").iterdir())
    assert all((tmp_path / name).exists() for name in mine)


def test_picture_too_large_for_its_format_is_an_input_error() -> None:
    long = np.zeros((1, 16_384, 3), np.uint8)
    with pytest.raises(InputError, match=r"as \.webp: expected a size and metadata .* found 16384 x 1 pixels"):
        files.encode_image(long, ".webp")
    assert files.encode_image(long, ".png")
