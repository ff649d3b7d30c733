"""Real faces in larger pictures, such as phones take: each is found, edited, and pasted back at its position.

The faces are CelebAMask-HQ's, of ../shared/data (they may not be redistributed).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from maskgan_cli.data.alignment import CROP
from maskgan_cli.data.crop import oriented_square
from maskgan_cli.editing.faces.cutouts import Cutout
from maskgan_cli.files import read_image, read_note, read_photo, write_image
from maskgan_cli.judges.finder import FaceFinder
from tests.conftest import Command
from tests.squares import in_square

FACES = Path(__file__).parents[3] / "shared" / "data" / "celebamask-mini" / "CelebA-HQ-img"
KINDS = ("plain", "turned", "turned back", "small", "large", "two faces", "dark", "grey", "EXIF-turned", "16-bit")
SHAPE = (900, 760)  # width, height
COUNT = 60

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FACES.is_dir(), reason="no ../shared/data/celebamask-mini (850 faces of CelebAMask-HQ)"),
]


def _photo(number: int, face: Path, other: Path) -> tuple[Image.Image, Image.Exif, np.ndarray]:
    """A picture with a face in it, its EXIF data, and the position between the eyes after EXIF orientation."""
    kind, rng = KINDS[number % len(KINDS)], np.random.default_rng(number)
    small = Image.fromarray(rng.integers(60, 200, (6, 8, 3), np.uint8))
    photo = small.resize(SHAPE, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(9))
    side = {"small": 150, "large": 560}.get(kind, int(rng.integers(240, 380)))
    angle = {"turned": 18.0, "turned back": -27.0}.get(kind, 0.0)
    middle = np.array([SHAPE[0] * (0.35 if kind == "two faces" else 0.5), SHAPE[1] * 0.5]) + rng.uniform(-30, 30, 2)
    between = _put(photo, face, side, angle, middle)
    if kind == "two faces":
        _put(photo, other, int(side * 0.6), 0.0, np.array([SHAPE[0] * 0.8, SHAPE[1] * 0.4]))
    exif = Image.Exif()
    if kind == "dark":
        photo = Image.fromarray((np.asarray(photo) * 0.35).astype(np.uint8))
    elif kind == "grey":
        photo = photo.convert("L")
    elif kind == "16-bit":
        photo = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    elif kind == "EXIF-turned":
        exif[0x0112], photo = 6, photo.transpose(Image.Transpose.ROTATE_90)
    return photo, exif, between


def _put(photo: Image.Image, face: Path, side: int, angle: float, middle: np.ndarray) -> np.ndarray:
    """Paste a face crop, rotated around its centre, with a soft edge; returns the position between its eyes."""
    with Image.open(face) as image:
        crop = image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    away = np.minimum(np.arange(side), np.arange(side)[::-1]) / (0.08 * side)
    soft = (np.clip(np.minimum.outer(away, away), 0, 1) * 255).astype(np.uint8)
    crop.putalpha(Image.fromarray(soft))
    turned = crop.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    photo.paste(turned, tuple(np.round(middle - np.array(turned.size) / 2).astype(int).tolist()), turned)
    x, y = (CROP[:2].mean(0) - 0.5) * side
    turn = math.radians(-angle)  # Pillow rotates counterclockwise, and y points down
    return middle + np.array([x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)])


def test_sixty_photos_are_edited_where_their_faces_are(tmp_path: Path, maskgan: Command) -> None:
    faces, finder = sorted(FACES.iterdir()), FaceFinder(torch.device("cpu"))
    photos, eyes = [], []
    for number in range(COUNT):
        picture, exif, between = _photo(number, faces[10 * number], faces[10 * number + 5])
        photos.append(tmp_path / f"{number:02d}.png")
        picture.save(photos[-1], exif=exif)
        eyes.append(between)
    (tmp_path / "list.csv").write_text("source\n" + "".join(f"{photo}\n" for photo in photos))
    outcome = maskgan(
        "reshape",
        "--pairs",
        tmp_path / "list.csv",
        "--add",
        "glasses",
        "-o",
        tmp_path / "out",
        "--json",
        "--device",
        "cpu",
        "-q",
    )
    document = json.loads(outcome.out)
    failed = {Path(one["file"]).stem: one["reason"] for one in document["failures"]}
    away = []
    for number, photo in enumerate(photos):
        if photo.stem in failed:
            continue
        before, after = read_photo(photo), read_photo(tmp_path / "out" / photo.name)
        assert after.orientation == before.orientation and after.is_grey == before.is_grey, photo
        changed = (after.picture != before.picture).any(-1)
        which = read_note(tmp_path / "out" / photo.name)["face"]
        square = oriented_square(finder.find_all(before.picture)[which - 1].points)
        assert changed.any(), photo
        assert not changed[~in_square(square, changed.shape)].any(), photo
        rows, columns = np.nonzero(changed)
        side = np.hypot(*(square[3] - square[0]))
        away.append(np.hypot(columns.mean() - eyes[number][0], rows.mean() - eyes[number][1]) / side)
    assert not failed, Counter(KINDS[int(name) % len(KINDS)] for name in failed)
    assert np.max(away) < 0.15


def test_an_archive_with_files_without_faces(tmp_path: Path, maskgan: Command) -> None:
    archive, rng = tmp_path / "archive", np.random.default_rng(0)
    faces = sorted(FACES.iterdir())
    (archive / "deeper").mkdir(parents=True)
    for number in range(33):
        photo, exif, _ = _photo(number, faces[20 * number + 1], faces[20 * number + 6])
        photo.save((archive / "deeper" if number % 3 == 0 else archive) / f"{number:02d}.png", exif=exif)
    whole = (archive / "01.png").read_bytes()
    (archive / "text.jpg").write_text("no picture")
    (archive / "empty.png").write_bytes(b"")
    (archive / "cut.png").write_bytes(whole[: len(whole) // 2])
    (archive / "moving.png").write_bytes(b"GIF89a" + bytes(100))
    write_image(archive / "wall.png", np.full((300, 400, 3), 130, np.uint8))
    write_image(archive / "noise.png", rng.integers(0, 256, (300, 400, 3), np.uint8))
    write_image(archive / "sky.jpg", np.tile(np.linspace(90, 230, 300)[:, None, None], (1, 400, 3)).astype(np.uint8))
    outcome = maskgan("align", archive, "--recursive", "-o", tmp_path / "faces", "--size", 128, "--json", "-q")
    assert outcome.code == 1
    document = json.loads(outcome.out)
    assert (document["done"], document["failed"]) == (33, 7)
    assert len(list((tmp_path / "faces").rglob("*.crop.json"))) == len(document["results"]) == 33
    reasons = {Path(one["file"]).name: one["reason"] for one in document["failures"]}
    assert set(reasons) == {"text.jpg", "empty.png", "cut.png", "moving.png", "wall.png", "noise.png", "sky.jpg"}
    assert all(name in reason and "found" in reason for name, reason in reasons.items())


@pytest.mark.parametrize(("share", "few", "most"), [(0.5, 0.02, 4), (1.0, 0.3, 16)])
def test_aligned_pasted_and_aligned_again(
    share: float, few: float, most: int, tmp_path: Path, maskgan: Command
) -> None:
    """An unedited crop is pasted back unchanged, and so is an edit if the photo is finer than the crop.

    A photo that is as coarse as its crop loses some of an edit in two interpolations: in most pixels less than a level.
    """
    faces, finder = sorted(FACES.iterdir()), FaceFinder(torch.device("cpu"))
    for number in (0, 1, 2, 4, 8):
        photo, exif, _ = _photo(number, faces[10 * number], faces[10 * number + 5])
        path = tmp_path / f"{number}.png"
        photo.save(path, exif=exif)
        read = read_photo(path)
        found = finder.find_all(read.picture)[0]
        side = round(share * float(np.hypot(*np.diff(oriented_square(found.points)[[0, 3]], axis=0)[0])))
        crop, back = tmp_path / "faces" / path.name, tmp_path / "back" / path.name
        assert maskgan("align", path, "-o", crop.parent, "--size", side, "--face", "1", "-q").code == 0
        assert maskgan("paste", crop, crop, "-o", back, "-q").code == 0
        assert np.array_equal(read_photo(back).picture, read.picture)
        assert np.array_equal(Cutout.of(read_photo(back), found, side).picture, read_image(crop))
        y, x = np.mgrid[:side, :side] / side
        bump = 24 * np.exp(-((x - 0.5) ** 2 + (y - 0.7) ** 2) / (2 * 0.07**2))
        edited = np.clip(read_image(crop) + np.round(bump)[..., None], 0, 255).astype(np.uint8)
        write_image(tmp_path / "edited.png", edited, overwrite=True)
        assert maskgan("paste", crop, tmp_path / "edited.png", "-o", back, "-q", "--overwrite").code == 0
        off = np.abs(Cutout.of(read_photo(back), found, side).picture.astype(int) - edited).max(-1)
        inside = np.round(bump) > 0
        assert (off[inside] > 1).mean() <= few
        assert off[inside].max() <= most
        assert off[bump < 0.01].max() <= 1
