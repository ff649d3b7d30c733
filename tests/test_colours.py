"""Tests of colour profiles, transparency and metadata: they are kept, converted, or dropped with a message."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from maskgan_cli.errors import OmissionWarning
from maskgan_cli.files import read_label_map, read_part, read_photo, write_photo
from maskgan_cli.labels import ID, PALETTE

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KEEP = (".png", ".jpg", ".webp", ".tif")


def _tag(kind: bytes, body: bytes) -> bytes:
    return kind + bytes(4) + body + bytes(-len(body) % 4)


def _xyz(*values: float) -> bytes:
    return _tag(b"XYZ ", struct.pack(">3i", *(round(v * 65536) for v in values)))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile (version 2) of a display."""
    place, table, body = 132 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        table += name + struct.pack(">2I", place + len(body), len(data))
        body += data
    white = struct.pack(">3i", 63190, 65536, 54061)
    head = struct.pack(">I", place + len(body)) + bytes(4) + bytes.fromhex("02100000") + b"mntr" + space + b"XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _text(word: bytes) -> bytes:
    return _tag(b"desc", struct.pack(">I", len(word) + 1) + word + b"\0" + bytes(78))


GAMMA = _tag(b"curv", struct.pack(">IH", 1, round(2.2 * 256)))
LINEAR = _tag(b"curv", struct.pack(">I", 0))
ABOUT = {b"desc": _text(b"test"), b"cprt": _tag(b"text", b"none\0"), b"wtpt": _xyz(0.9642, 1, 0.8249)}
P3 = _profile(
    b"RGB ",
    ABOUT
    | {
        b"rXYZ": _xyz(0.5151, 0.2412, -0.0011),
        b"gXYZ": _xyz(0.2920, 0.6922, 0.0419),
        b"bXYZ": _xyz(0.1571, 0.0666, 0.7841),
        b"rTRC": GAMMA,
        b"gTRC": GAMMA,
        b"bTRC": GAMMA,
    },
)
GREY = _profile(b"GRAY", ABOUT | {b"kTRC": LINEAR})


def _patches() -> np.ndarray:
    """A picture of large areas in strong colours, which JPEG preserves."""
    colours = np.array([[230, 30, 40], [40, 210, 60], [50, 60, 220], [200, 190, 30]], np.uint8)
    return np.repeat(np.repeat(colours.reshape(2, 2, 3), 32, 0), 32, 1)


def _seen(path: Path) -> np.ndarray:
    """The colours in sRGB that a program with colour management shows."""
    with Image.open(path) as file:
        profile, shown = file.info.get("icc_profile"), file.convert("RGB")
    if profile:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(shown, given, ImageCms.createProfile("sRGB"), inPlace=True)
    return np.asarray(shown)[8::32, 8::32].astype(int)


@pytest.mark.parametrize("suffix", [*KEEP, ".bmp"])
def test_wide_gamut_photos_keep_their_colours(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(_patches()).save(tmp_path / "p3.png", icc_profile=P3)
    photo = read_photo(tmp_path / "p3.png")
    out = write_photo(tmp_path / f"out{suffix}", photo.picture, photo)
    assert np.abs(_seen(tmp_path / "p3.png") - _patches()[8::32, 8::32]).max() > 10, "P3 is not sRGB"
    assert np.abs(_seen(out) - _seen(tmp_path / "p3.png")).max() <= 6  # JPEG and WebP round


@pytest.mark.parametrize("suffix", KEEP)
def test_a_grey_profile_is_converted_and_not_written_to_rgb_files(suffix: str, tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64), 64, np.uint8)).save(tmp_path / "grey.png", icc_profile=GREY)
    photo = read_photo(tmp_path / "grey.png")
    assert photo.picture[0, 0].tolist() == [137] * 3, "64 of linear light is 137 in sRGB"
    assert "converted to sRGB" in photo.remarks[0]
    with Image.open(write_photo(tmp_path / f"out{suffix}", photo.picture, photo)) as out:
        assert out.mode == "RGB" and not out.info.get("icc_profile")


def _tiff(path: Path) -> Path:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x010F], tags[0x0131] = "a camera", "a scanner"
    tags.tagtype[60000], tags[60000] = 1, bytes(70_000)  # a program's own, too long for a JPEG
    Image.fromarray(_patches()).save(path, tiffinfo=tags, icc_profile=SRGB, dpi=(300, 300))
    return path


@pytest.mark.parametrize("suffix", KEEP)
def test_descriptive_tags_of_a_tiff_are_kept(suffix: str, tmp_path: Path) -> None:
    photo = read_photo(_tiff(tmp_path / "scan.tif"))
    with Image.open(write_photo(tmp_path / f"out{suffix}", photo.picture, photo)) as out:
        assert out.info["icc_profile"] == SRGB
        assert out.getexif()[0x010F] == "a camera"
        if suffix != ".webp":  # which has no place for it but EXIF
            assert [round(float(value)) for value in out.info["dpi"]] == [300, 300]
        if suffix != ".tif":
            assert not {0x0111, 0x0117, 60000} & set(out.getexif())
        else:
            assert np.array_equal(np.asarray(out), _patches())


def test_transparency_is_kept(tmp_path: Path) -> None:
    stored = np.concatenate([_patches(), np.full((64, 64, 1), 255, np.uint8)], -1)
    stored[:20, :, 3], stored[20:24, :, 3] = 0, 128
    Image.fromarray(stored).save(tmp_path / "cut.png")
    photo = read_photo(tmp_path / "cut.png")
    assert (photo.picture[:20] == 255).all()
    assert "transparency" in photo.remarks[0]
    edited = photo.picture.copy()
    edited[40:50, 40:50] = 7
    for suffix in (".png", ".tif"):
        with Image.open(write_photo(tmp_path / f"out{suffix}", edited, photo)) as out:
            wanted = stored.copy()
            wanted[40:50, 40:50, :3] = 7
            assert np.array_equal(np.asarray(out), wanted)
    with Image.open(write_photo(tmp_path / "out.jpg", edited, photo)) as out:
        assert np.asarray(out)[:16].min() > 245, "white"


@pytest.mark.parametrize("suffix", [".tif", ".webp", ".png"])
def test_further_frames_are_reported(suffix: str, tmp_path: Path) -> None:
    frames = [Image.fromarray(_patches()), Image.fromarray(255 - _patches())]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    (remark,) = read_photo(tmp_path / f"a{suffix}").remarks
    assert remark == f"{tmp_path / f'a{suffix}'}: has 2 frames or pages; the first is read"


def test_transparent_pixels_of_a_mask_are_background(tmp_path: Path) -> None:
    labels = np.full((8, 8), ID["skin"], np.uint8)
    labels[:4] = ID["hair"]
    erased = np.zeros((8, 8), bool)
    erased[:2] = True
    wanted = np.where(erased, 0, labels)
    colours = PALETTE[labels].copy()
    colours[0] = 99  # not a palette colour, but transparent
    alpha = np.where(erased, 0, 255).astype(np.uint8)[..., None]
    Image.fromarray(np.concatenate([colours, alpha], -1)).save(tmp_path / "rgba.png")
    assert np.array_equal(read_label_map(tmp_path / "rgba.png"), wanted)

    indices = np.where(erased, 30, labels).astype(np.uint8)
    palette = Image.fromarray(indices, mode="P")
    palette.putpalette(np.concatenate([PALETTE, np.full((20, 3), 99, np.uint8)]).tobytes())
    palette.save(tmp_path / "palette.png", transparency=30)
    assert np.array_equal(read_label_map(tmp_path / "palette.png"), wanted)

    part = np.full((8, 8, 4), 255, np.uint8)
    part[..., 3:] = alpha
    Image.fromarray(part).save(tmp_path / "00001_hair.png")
    found = read_part(tmp_path / "00001_hair.png")
    assert (found.box[0], found.region.all()) == (slice(2, 8), True)


@pytest.mark.parametrize(
    ("tag", "left"), [(0x927C, "its EXIF data without the maker's notes"), (0xA420, "none of its")]
)
def test_exif_data_that_are_too_long_for_jpeg(tag: int, left: str, tmp_path: Path) -> None:
    """The maker's notes are dropped first; if the rest is still too long, only the orientation is kept."""
    exif, pixels = Image.Exif(), np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 255
    exif[0x010F], exif[0x0112] = "a camera", 6
    exif.get_ifd(0x8769)[tag] = bytes(70_000) if tag == 0x927C else "x" * 70_000
    exif.get_ifd(0x8769)[0x829A] = 0.5
    Image.fromarray(pixels).save(tmp_path / "in.png", exif=exif)
    photo = read_photo(tmp_path / "in.png")
    with pytest.warns(OmissionWarning, match=rf"in.png: has 70,\d+ bytes of EXIF data.*; the JPEG gets {left}"):
        write_photo(tmp_path / "out.jpg", photo.picture, photo)
    result = read_photo(tmp_path / "out.jpg")
    assert result.orientation == 6
    assert np.abs(result.picture.astype(int) - photo.picture).max() < 10
    with Image.open(tmp_path / "out.jpg") as out:
        assert out.getexif().get(0x010F) == ("a camera" if tag == 0x927C else None)
        assert out.getexif().get_ifd(0x8769).get(0x829A) == (0.5 if tag == 0x927C else None)
    write_photo(tmp_path / "out.png", photo.picture, photo)  # without a warning, which would be an error
    with Image.open(tmp_path / "out.png") as out:
        assert len(out.getexif().get_ifd(0x8769)[tag]) == 70_000
