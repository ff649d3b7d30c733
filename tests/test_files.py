"""What is read, what is refused, and that nothing half-written is ever left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli import files
from maskgan_cli.errors import InputError
from maskgan_cli.labels import NUM_CLASSES, PALETTE, colourise, convert

IDS = np.arange(NUM_CLASSES, dtype=np.uint8).repeat(2).reshape(2, 19).copy()


def _saved(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


def test_label_maps_survive_a_round_trip_and_show_their_colours(tmp_path: Path) -> None:
    path = files.write_label_map(tmp_path / "m.png", IDS)
    assert (files.read_label_map(path) == IDS).all()
    with Image.open(path) as image:
        assert image.mode == "P"
        assert (np.asarray(image.convert("RGB")) == colourise(IDS)).all()


def test_plain_colour_coded_and_palette_masks_read_alike(tmp_path: Path) -> None:
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
def test_other_masks_are_refused_by_their_values(tmp_path: Path, image: Image.Image, message: str) -> None:
    path = _saved(tmp_path / "mask.png", image)
    with pytest.raises(InputError, match=message) as caught:
        files.read_label_map(path)
    assert str(path) in str(caught.value)


def test_a_lossy_colour_mask_is_refused_with_the_colours_that_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mask.jpg"
    Image.fromarray(colourise(IDS.repeat(8, 0))).save(path)
    with pytest.raises(InputError, match=r"colours #.* and \d+ more; save it as a palette PNG"):
        files.read_label_map(path)


def test_truncated_misnamed_and_missing_pictures_are_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(whole)
    truncated = tmp_path / "truncated.jpg"
    truncated.write_bytes(whole.read_bytes()[:900])
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    for path, found in ((truncated, "truncated"), (text, "no picture"), (tmp_path / "none.png", "no such file")):
        with pytest.raises(InputError, match=found):
            files.read_image(path)


def test_exif_orientation_is_obeyed(tmp_path: Path) -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    picture[0, 0] = 255
    image = Image.fromarray(picture)
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees
    image.save(tmp_path / "turned.png", exif=exif)
    read = files.read_image(tmp_path / "turned.png")
    assert read.shape == (3, 2, 3)
    assert read[0, 1].tolist() == [255, 255, 255]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    files.write_json(path, {"old": True})
    with pytest.raises(RuntimeError), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert files.read_json(path) == {"old": True}
    assert [p.name for p in tmp_path.iterdir()] == ["result.json"]


def test_existing_results_stay_unless_overwriting_is_asked_for(tmp_path: Path) -> None:
    path = files.write_json(tmp_path / "a.json", 1)
    with pytest.raises(InputError, match="--overwrite"):
        files.write_json(path, 2, overwrite=False)
    assert files.read_json(path) == 1


def test_an_unwritable_place_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a place that can be written"):
        files.write_json(tmp_path / "file" / "inside.json", 1)
    with pytest.raises(InputError, match="found a folder"):
        files.write_json(tmp_path, 1)


def test_part_files_count_every_colour(tmp_path: Path) -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 1, 2] = 1
    for name, image in {"rgb": Image.fromarray(picture), "l": Image.fromarray(picture.max(-1))}.items():
        part = files.read_part(_saved(tmp_path / f"{name}.png", image))
        assert part.tolist() == [[False, True], [False, False]], name
