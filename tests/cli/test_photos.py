"""Edits of photos: face crops are edited directly; in other photos the face is detected, edited and pasted back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from maskgan_cli.data.crop import oriented_square
from maskgan_cli.editing.compositing.registration import FAR
from maskgan_cli.files import read_image, read_label_map, read_note, read_photo, write_image, write_label_map
from maskgan_cli.judges.finder import FaceFinder
from maskgan_cli.labels import ID, part_ids
from tests.conftest import Command
from tests.squares import in_square


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """The landmarks of the astronaut's face (NASA, public domain)."""
    import torch

    found = FaceFinder(torch.device("cpu")).find(data.astronaut())
    assert found is not None
    return found


@pytest.fixture
def astronaut(tmp_path: Path) -> Path:
    return write_image(tmp_path / "astronaut.png", data.astronaut())


@pytest.fixture
def call(weights: Path, astronaut: Path, prepared: Path) -> tuple[str, ...]:
    """Arguments of a mouth swap with a drawn reference, an untrained generator and the bundled parser."""
    target = str(prepared / "images" / "400.png")
    return ("swap-mouth", str(astronaut), target, "--weights", str(weights), "--device", "cpu")


def test_a_photo_is_edited_in_place(
    call: tuple[str, ...], astronaut: Path, points: np.ndarray, tmp_path: Path, maskgan: Command
) -> None:
    outcome = maskgan(*call, "-o", tmp_path / "out.png", "--save-masks", "--sheet", tmp_path / "sheet.png")
    assert outcome.code == 0, outcome.err
    assert f"{astronaut}: face 1, 167 px wide, is cut out; edits are pasted back" in outcome.err.replace("\n", " ")
    before, after = read_image(astronaut), read_image(tmp_path / "out.png")
    changed = (before != after).any(-1)
    assert after.shape == before.shape
    assert changed.any()
    assert not changed[~in_square(oriented_square(points), before.shape)].any()
    middle = points[3:].mean(0)  # of the mouth
    rows, columns = np.nonzero(changed)
    assert np.hypot(columns.mean() - middle[0], rows.mean() - middle[1]) < 20
    mask = read_label_map(tmp_path / "out.mask.png")
    assert mask.shape == before.shape[:2]
    wider = oriented_square(points) + np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    assert not mask[~in_square(wider, mask.shape)].any()
    assert read_image(tmp_path / "sheet.png").shape[0] == 128


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_rotated_photo_is_edited_like_the_upright_one(
    turns: int, astronaut: Path, points: np.ndarray, tmp_path: Path, maskgan: Command
) -> None:
    side = write_image(tmp_path / "side.png", np.ascontiguousarray(np.rot90(read_image(astronaut), turns)))
    for photo in (astronaut, side):
        done = maskgan("align", photo, "-o", tmp_path / "crops", "--size", 128)
        assert done.code == 0, done.err
    upright, turned = (read_image(tmp_path / "crops" / f"{name}.png").astype(int) for name in ("astronaut", "side"))
    assert np.abs(upright - turned).mean() < 3, "the same crop, up to the finder's rounding"
    marked = write_image(tmp_path / "marked.png", (255 - turned).astype(np.uint8))
    done = maskgan("paste", tmp_path / "crops" / "side.png", marked, "-o", tmp_path / "back.png")
    assert done.code == 0, done.err
    back = np.rot90(read_image(tmp_path / "back.png"), -turns)
    changed = (back != read_image(astronaut)).any(-1)
    assert np.abs(np.argwhere(changed).mean(0)[::-1] - oriented_square(points).mean(0)).max() < 3


@pytest.mark.slow
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_swap_in_a_rotated_photo_is_pasted_back_in_its_direction(
    turns: int, call: tuple[str, ...], astronaut: Path, points: np.ndarray, tmp_path: Path, maskgan: Command
) -> None:
    before = read_image(astronaut)
    side = write_image(tmp_path / "side.png", np.ascontiguousarray(np.rot90(before, turns)))
    done = maskgan(call[0], side, *call[2:], "-o", tmp_path / "out.png", "--save-masks")
    assert done.code == 0, done.err
    after, mask = read_image(tmp_path / "out.png"), read_label_map(tmp_path / "out.mask.png")
    assert after.shape == np.rot90(before, turns).shape
    changed = (np.rot90(after, -turns) != before).any(-1)
    middle = points[3:].mean(0)  # of the mouth
    rows, columns = np.nonzero(changed)
    assert np.hypot(columns.mean() - middle[0], rows.mean() - middle[1]) < 20
    rows, columns = np.nonzero(np.isin(np.rot90(mask, -turns), part_ids("mouth")))
    assert np.hypot(columns.mean() - middle[0], rows.mean() - middle[1]) < 20, "the mask lies as the photo does"


def _deep(picture: np.ndarray) -> Image.Image:
    return Image.fromarray(np.asarray(Image.fromarray(picture).convert("L")).astype(np.uint16) * 257)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dark", "grey", "16-bit", "CMYK", "RGBA", "EXIF-turned", "turned", "scaled", "JPEG"])
def test_photos_of_all_formats(kind: str, call: tuple[str, ...], tmp_path: Path, maskgan: Command) -> None:
    picture, path, exif = data.astronaut(), tmp_path / "photo.png", Image.Exif()
    image = Image.fromarray(picture)
    if kind == "dark":
        image = Image.fromarray((picture * 0.4).astype(np.uint8))
    elif kind == "grey":
        image = image.convert("L")
    elif kind == "16-bit":
        image = _deep(picture)
    elif kind == "CMYK":
        image, path = image.convert("CMYK"), tmp_path / "photo.tif"
    elif kind == "RGBA":
        image.putalpha(Image.fromarray(np.tile(np.linspace(128, 255, 512), (512, 1)).astype(np.uint8)))
    elif kind == "EXIF-turned":
        exif[0x0112] = 8
        image = image.transpose(Image.Transpose.ROTATE_270)
    elif kind == "turned":
        image = image.rotate(20, Image.Resampling.BICUBIC, expand=True)
    elif kind == "scaled":
        image = image.resize((1200, 1200), Image.Resampling.BICUBIC)
    elif kind == "JPEG":
        path = tmp_path / "photo.jpg"
    image.save(path, exif=exif)
    import torch

    photo = read_photo(path)
    found = FaceFinder(torch.device("cpu")).find(photo.picture)
    assert found is not None
    outcome = maskgan(call[0], path, *call[2:], "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    result = read_photo(tmp_path / "out.png")
    assert result.orientation == photo.orientation
    changed = (result.picture != photo.picture).any(-1)
    assert changed.any()
    assert not changed[~in_square(oriented_square(found), changed.shape)].any()
    assert result.is_grey == photo.is_grey


def test_crop_and_photo_options(
    call: tuple[str, ...], astronaut: Path, tmp_path: Path, maskgan: Command, prepared: Path
) -> None:
    outcome = maskgan(*call, "-o", tmp_path / "out.png", "--crop", "-q")
    assert outcome.code == 2
    assert f"{astronaut}: expected a face that fills the picture, as in CelebA-HQ" in outcome.err
    outcome = maskgan(*call, "-o", tmp_path / "out.png", "--photo")
    if outcome.code == 0:  # the finder takes the drawn target for a face, or does not: it is searched
        assert "400.png: face 1" in outcome.err
    else:
        assert "400.png: expected a photo with a face" in outcome.err
    unsearched = maskgan(*call, "-o", tmp_path / "other.png")
    assert unsearched.code == 0
    assert "400.png" not in unsearched.err


def test_missing_faces_are_one_line(call: tuple[str, ...], tmp_path: Path, maskgan: Command) -> None:
    wall = write_image(tmp_path / "wall.png", np.full((90, 160, 3), 120, np.uint8))
    outcome = maskgan(call[0], wall, *call[2:], "-o", tmp_path / "out.png", "-q")
    assert outcome.code == 2
    assert outcome.err == f"maskgan: {wall}: expected a photo with a face, found no face; leave it out\n"
    outcome = maskgan(*call, "-o", tmp_path / "out.png", "-q", "--face", "2")
    assert "expected face 2, found 1 face" in outcome.err


def test_the_mask_of_a_photo_is_cropped_with_it(
    call: tuple[str, ...], astronaut: Path, points: np.ndarray, tmp_path: Path, maskgan: Command
) -> None:
    """The mask beside a result is used when the result is edited again."""
    assert maskgan(*call, "-o", tmp_path / "out.png", "--save-masks", "-q").code == 0
    again = maskgan("swap-mouth", tmp_path / "out.png", *call[2:], "-o", tmp_path / "again.png")
    assert again.code == 0, again.err
    assert "the face parser makes it" not in again.err
    write_label_map(tmp_path / "small.mask.png", np.full((64, 64), ID["skin"], np.uint8))
    refused = maskgan(*call, "-o", tmp_path / "b.png", "--src-mask", tmp_path / "small.mask.png", "-q")
    assert "expected a mask of its image's size 512x512, found 64x64" in refused.err


@pytest.mark.parametrize("gone", ["l_eye,r_eye", "skin"])
def test_a_given_mask_is_accepted_with_a_message(
    gone: str, call: tuple[str, ...], astronaut: Path, tmp_path: Path, maskgan: Command
) -> None:
    """Dark glasses hide the eyes, a beard the skin: the edit continues, and a message names the missing classes."""
    assert maskgan("parse", astronaut, "-q").code == 0
    mask = tmp_path / "astronaut.mask.png"
    labels = read_label_map(mask)
    for name in gone.split(","):
        labels = np.where(labels == ID[name], ID["eye_g" if name.endswith("eye") else "hair"], labels).astype(np.uint8)
    write_label_map(mask, labels)
    done = maskgan(*call, "-o", tmp_path / "out.png")
    assert done.code == 0, done.err
    assert "the mask of face 1 has " in done.err and "; edited all the same" in done.err
    listed = tmp_path / "pairs.csv"
    listed.write_text(f"source,target\n{astronaut},{call[2]}\n")
    done = maskgan("swap-mouth", "--pairs", listed, *call[3:], "-o", tmp_path / "results")
    assert done.code == 0, done.err


def test_render_and_style_copy_take_photos(
    call: tuple[str, ...], astronaut: Path, points: np.ndarray, tmp_path: Path, maskgan: Command
) -> None:
    square = oriented_square(points)
    inside = in_square(square, (512, 512))
    reached = in_square(square.mean(0) + (1 + 2 * FAR) * (square - square.mean(0)), (512, 512))
    styled = maskgan("style-copy", *call[1:], "-o", tmp_path / "styled.png", "-q")
    assert styled.code == 0, styled.err
    rendered = maskgan("render", call[2].replace("images", "masks"), astronaut, *call[3:], "-o", tmp_path / "r.png")
    assert rendered.code == 0, rendered.err
    for name, region in (("styled.png", inside), ("r.png", reached)):  # a photo moves beyond its crop's edge
        changed = (read_image(tmp_path / name) != read_image(astronaut)).any(-1)
        assert changed.any()
        assert not changed[~region].any()
    bare = maskgan(
        "render",
        call[2].replace("images", "masks"),
        astronaut,
        *call[3:],
        "-o",
        tmp_path / "bare.png",
        "--no-blend",
        "-q",
    )
    assert bare.code == 0
    assert read_image(tmp_path / "bare.png").shape == (64, 64, 3)


def test_a_list_continues_after_a_bad_photo(
    call: tuple[str, ...], astronaut: Path, tmp_path: Path, maskgan: Command
) -> None:
    write_image(tmp_path / "wall.png", np.full((90, 160, 3), 120, np.uint8))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    sources = ["wall.png", "astronaut.png", "broken.jpg", "nowhere.png"]
    lines = "".join(f"{tmp_path / source},{call[2]}\n" for source in sources)
    (tmp_path / "pairs.csv").write_text(f"source,target\n{lines}")
    outcome = maskgan(call[0], "--pairs", tmp_path / "pairs.csv", *call[3:], "-o", tmp_path / "out", "--json")
    assert outcome.code == 1, outcome.err
    document = json.loads(outcome.out)
    assert [Path(one["image"]).name for one in document["results"]] == ["astronaut__400.png"]
    assert (document["done"], document["failed"]) == (1, 3)
    assert [one["reason"].split(":")[0].rsplit("/", 1)[-1] for one in document["failures"]] == [
        "nowhere.png",
        "wall.png",
        "broken.jpg",
    ]


def test_every_face_of_a_photo(call: tuple[str, ...], points: np.ndarray, tmp_path: Path, maskgan: Command) -> None:
    """Each of two faces is edited as if it were alone in the photo, and no other pixels change."""
    pair = write_image(tmp_path / "pair.png", np.hstack([data.astronaut(), data.astronaut()[:, ::-1]]))
    before, pictures = read_image(pair), []
    for which in ("1", "2", "all"):
        out = tmp_path / f"{which}.png"
        outcome = maskgan(call[0], pair, *call[2:], "--face", which, "-o", out, "--save-masks")
        assert outcome.code == 0, outcome.err
        pictures.append(read_image(out))
        assert read_note(out)["face"] == ([1, 2] if which == "all" else int(which))
    first, second = ((picture != before).any(-1) for picture in pictures[:2])
    assert first[:, :512].any() and not first[:, 512:].any()
    assert second[:, 512:].any() and not second[:, :512].any()
    assert np.array_equal(pictures[2], np.hstack([pictures[0][:, :512], pictures[1][:, 512:]]))
    masks = [read_label_map(tmp_path / f"{which}.mask.png") for which in ("1", "2", "all")]
    assert np.array_equal(masks[2], np.where(masks[1] > 0, masks[1], masks[0]))
    again = maskgan(call[0], pair, *call[2:], "--face", "2", "-o", tmp_path / "1.png", "-q")
    assert again.code == 2 and "1.png: found a result that exists already" in again.err
    bare = maskgan(call[0], pair, *call[2:], "--face", "all", "--no-blend", "-o", tmp_path / "bare.png", "-q")
    assert "--face: expected one face, where the painting stays bare, found all" in bare.err


def test_a_grey_photo_is_not_taken_for_a_crop(tmp_path: Path, maskgan: Command) -> None:
    """The bundled parser finds a large face without eyes in this photo, which has a small face with eyes."""
    path = tmp_path / "grey.png"
    Image.fromarray(data.astronaut()).convert("L").save(path)
    outcome = maskgan("reshape", path, "--open-mouth", 12, "-o", tmp_path / "out.png")
    assert outcome.code == 0 and "face 1, 1" in outcome.err and "is cut out" in outcome.err, outcome.err
    before, after = read_image(path), read_image(tmp_path / "out.png")
    changed = (before != after).any(-1)
    assert 100 < changed.sum() < 5000 and (after == after[..., :1]).all()


def test_style_copy_of_a_photo_warns_about_an_artificial_head(
    call: tuple[str, ...], tmp_path: Path, maskgan: Command
) -> None:
    note = "astronaut.png: the whole head is generated, and may look artificial in the photo"
    outcome = maskgan("style-copy", *call[1:], "-o", tmp_path / "out.png")
    assert outcome.code == 0 and note in " ".join(outcome.err.split()), outcome.err
    outcome = maskgan("style-copy", call[2], call[1], *call[3:], "--crop", "--force", "-o", tmp_path / "bare.png")
    assert outcome.code == 0 and "head is generated" not in outcome.err
    assert "head is generated" not in maskgan(*call, "-o", tmp_path / "swap.png").err
