"""Tests of accessories and hair in sessions: the same pictures as the commands make, on the face and in its photo."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskgan_cli.data.crop import cut
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.accessories.put_on import AccessoryRenderer
from maskgan_cli.editing.faces.cutouts import Cutout
from maskgan_cli.editing.faces.face import Face
from maskgan_cli.editing.file_edits import reshape_edits, swap_edits
from maskgan_cli.editing.masks.library import item
from maskgan_cli.editing.masks.reshape import Reshaping
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editing.options import Blend
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.archive import command, pack, unpack
from maskgan_cli.editor.edited_face import EditedFace
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.session import RenderOptions, Session
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, encode_image, read_image, read_note
from maskgan_cli.labels import ID, LabelMap
from tests.conftest import Command


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session of a rendered face, with another one whose hair can be taken."""
    session = Session.begin(tmp_path / "store", example_faces.rendered("rendered-0"), "a face")
    session.add_other(example_faces.rendered("rendered-1"))
    return session


def _paint(session: Session, models: Models, options: RenderOptions, **changes: Any) -> Picture:
    settings = {"revision": 1, "preview": False, **changes}
    data = session.render(models, settings.pop("labels", session.labels), options, **settings)
    return np.asarray(Image.open(io.BytesIO(data)))


def _by_command(session: Session, models: Models, weights: Path, folder: Path, maskgan: Command) -> Picture:
    """What the copied command makes in the unpacked session."""
    with zipfile.ZipFile(io.BytesIO(pack(session, models))) as file:
        file.extractall(folder)
    words = command(session).split()[1:]
    outcome = maskgan(
        *[folder / word if word.endswith(".png") else word for word in words], "-w", weights, "--overwrite"
    )
    assert outcome.code == 0, outcome.err
    return read_image(folder / "result.png")


def _dressed(face: EditedFace) -> EditedFace:
    """A face with dark lines around its eyes, which its mask calls glasses."""
    labels = wear(face.labels, item("glasses-square"))
    picture, region = face.picture.copy(), labels == ID["eye_g"]
    inner = np.logical_and.reduce([np.roll(region, by, axis) for axis in (0, 1) for by in (-3, 3)])
    picture[region & ~inner] = 30
    return EditedFace(picture, labels)


@pytest.mark.parametrize("name", ["glasses-round", "hat-fedora", "earrings-hoop", "necklace-pearls"])
def test_accessories_are_those_of_the_commands(
    name: str, session: Session, models: Models, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    picture = _paint(session, models, RenderOptions(items=(name,)))
    face = session.face
    assert (picture != face.picture).any(-1).sum() > 40
    outcome = maskgan(
        "reshape",
        session.folder / "face.png",
        "--mask",
        session.folder / "face.mask.png",
        "--crop",
        "--blend",
        "--add",
        name,
        "-w",
        weights,
        "-o",
        tmp_path / "reshaped.png",
    )
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_image(tmp_path / "reshaped.png"), picture), "maskgan reshape makes the same"
    assert np.array_equal(_by_command(session, models, weights, tmp_path / "unpacked", maskgan), picture)
    note = read_note(tmp_path / "unpacked" / "result.png")
    assert (note["add"], note["accessories"]) == ([name], "drawn")
    assert session.note(models)["add"] == [name] and session.edited
    marked = session.mask(models)
    assert (marked != face.labels).any() and np.array_equal(session.labels, face.labels)


def test_hair_is_that_of_the_swap(
    session: Session, models: Models, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    labels, hair = session.swapped(session.labels, 1, (ID["hair"],))
    assert hair == 1
    picture = _paint(session, models, RenderOptions(hair=hair), labels=labels)
    files = [session.folder / name for name in ("face.png", "other-0.png")]
    outcome = maskgan(
        "swap",
        *files,
        "--parts",
        "hair",
        "--crop",
        "--blend",
        "-w",
        weights,
        "-o",
        tmp_path / "swapped.png",
        "--save-masks",
    )
    assert outcome.code == 0, outcome.err
    assert read_note(tmp_path / "swapped.png")["hair"] == "reference"
    assert np.array_equal(read_image(tmp_path / "swapped.png"), picture)
    assert np.array_equal(_by_command(session, models, weights, tmp_path / "unpacked", maskgan), picture)
    assert read_note(tmp_path / "unpacked" / "result.png")["hair"] == "reference"


def test_hair_of_another_face_takes_the_place_of_the_first_but_keeps_edits(session: Session) -> None:
    session.add_other(example_faces.rendered("rendered-2"))
    once, _ = session.swapped(session.labels, 2, (ID["hair"],))
    first, hair = session.swapped(session.labels, 1, (ID["hair"],))
    again, used = session.swapped(first, 2, (ID["hair"],), hair)
    assert used == 2 and np.array_equal(again, once) and not np.array_equal(first, once)
    first[200:204, 120:130] = ID["mouth"]
    edited, _ = session.swapped(first, 2, (ID["hair"],), hair)
    assert (edited != once).sum() == (first[200:204, 120:130] != once[200:204, 120:130]).sum()
    labels, kept = session.swapped(first, 2, (ID["nose"],), hair)
    assert kept == 1 and not np.array_equal(labels, first), "other parts leave the hair"


def test_hair_and_accessories_and_a_shape_together_are_those_of_the_command(
    session: Session, models: Models, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    labels, hair = session.swapped(session.labels, 1, (ID["hair"],))
    labels, hair = session.swapped(labels, 1, (ID["mouth"],), hair)
    labels[150:156, 118:134] = ID["mouth"]
    options = RenderOptions(hair=hair, mouth=1, items=("glasses-sun", "hat-beanie"))
    picture = _paint(session, models, options, labels=labels)
    assert np.array_equal(_by_command(session, models, weights, tmp_path / "unpacked", maskgan), picture)
    again = unpack(pack(session, models), tmp_path / "elsewhere")
    assert np.array_equal(again.picture(models), picture), "and the session file keeps all of it"
    bare = _paint(session, models, RenderOptions(finish="bare", hair=hair, items=("hat-beanie",)), labels=labels)
    assert np.array_equal(_by_command(session, models, weights, tmp_path / "bare", maskgan), bare)
    assert session.note(models)["accessories"] == "painted"


@pytest.mark.parametrize("options", [RenderOptions(remove_glasses=True), RenderOptions(items=("glasses-round",))])
def test_glasses_of_the_face_are_filled_in_as_by_the_commands(
    options: RenderOptions, models: Models, weights: Path, tmp_path: Path, maskgan: Command
) -> None:
    session = Session.begin(tmp_path / "store", _dressed(example_faces.rendered("rendered-0")), "a face with glasses")
    how = Reshaping(add=options.items, remove=("glasses",) if options.remove_glasses else ())
    face = Face(session.folder / "face.png", None, session.face.picture, session.face.labels)
    edit = reshape_edits({"source": face.image}, how, blend=Blend(True), read=lambda *_: face)
    assert edit.labels is not None
    labels = session.labels if options.items else edit.labels
    picture = _paint(session, models, options, labels=labels)
    painting = models.paint(edit.labels, models.encode(edit.request.style_picture, edit.request.style_labels))
    assert np.array_equal(edit.finish(painting), picture)
    assert np.array_equal(_by_command(session, models, weights, tmp_path / "unpacked", maskgan), picture)


def test_the_whole_photo_has_what_the_commands_put_into_it(models: Models, tmp_path: Path) -> None:
    """With the page's size of the crop, which for the command is that of the face in the photo."""
    rendered = example_faces.rendered("rendered-0")
    photo = np.pad(resize_image(rendered.picture, 256), ((60, 60), (70, 50), (0, 0)), mode="edge")
    square = np.array([[70.0, 60], [70, 316], [326, 316], [326, 60]])
    crop, labels = cut(photo, square, 256), resize_labels(rendered.labels, 256)
    data = encode_image(photo, ".png")
    session = Session.begin(tmp_path / "store", EditedFace(crop, labels, square), "a photo", data)
    session.add_other(example_faces.rendered("rendered-1"))
    path = session.folder / "photo"
    cutout = Cutout(Photo(path, photo), square, 256, np.zeros((5, 2)))
    face = Face(path, None, crop, labels, photo=cutout.photo, cutout=cutout)
    other = Face(path, None, session.others[0].picture, session.others[0].labels)

    def read(_: Path, __: Path | None, role: str) -> Face:
        return face if role == "source" else other

    names = ("hat-sun", "glasses-square")
    edit: Any = reshape_edits({"source": path}, Reshaping(add=names), blend=Blend(), read=read)
    _paint(session, models, RenderOptions(items=names))
    made = session.whole(models)
    painting = models.paint(edit.labels, models.encode(crop, labels))
    assert np.array_equal(edit.finish(painting), made)
    assert (made != photo).any(-1)[:60].any(), "the hat reaches beyond the crop"

    swap = swap_edits({"source": path, "target": path}, [ID["hair"]], blend=Blend(), read=read)
    mask, hair = session.swapped(labels, 1, (ID["hair"],))
    assert swap.labels is not None and np.array_equal(swap.labels, mask)
    _paint(session, models, RenderOptions(hair=hair), labels=mask)
    assert np.array_equal(swap.finish(None), session.whole(models))


def test_previews_lay_accessories_over_the_face_as_they_were_drawn(
    session: Session, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    drawn = AccessoryRenderer._drawn

    def counted(self: AccessoryRenderer, *values: Any) -> Any:
        sizes.append(len(self.picture))
        return drawn(self, *values)

    monkeypatch.setattr(AccessoryRenderer, "_drawn", counted)
    options = RenderOptions(items=("glasses-square",))
    _paint(session, models, options, preview=True)
    full = _paint(session, models, options)
    size = len(full)
    assert sizes.count(size) == len(sizes), "a face of 256 pixels is a preview too"
    once = len(sizes)
    painted = session.labels.copy()
    painted[190:196, 120:130] = ID["mouth"]
    for brush in (True, False):
        near = _paint(session, models, options, labels=painted, preview=True, brush=brush)
        assert np.abs(near.astype(int) - full)[:150].mean() < 3, "JPEG"
    _paint(session, models, options, labels=painted)
    assert len(sizes) == once, "an edit that keeps the pose keeps the glasses"
    session.result(models)
    session.mask(models)
    moved = np.roll(session.labels, 20, 1)
    _paint(session, models, options, labels=moved, preview=True)
    assert len(sizes) == once, "a preview shows them where they were drawn last"
    again = _paint(session, models, options, labels=moved)
    assert len(sizes) == once + 1
    near = _paint(session, models, options, labels=moved, preview=True)
    assert len(sizes) == once + 1 and np.abs(near.astype(int) - again).mean() < 4, "and then where they are now"


def test_options_of_requests_are_checked(session: Session, models: Models) -> None:
    for options in (RenderOptions(items=("moustache",)), RenderOptions(hair=2), RenderOptions(mouth=-1)):
        with pytest.raises(InputError):
            _paint(session, models, options)


def test_the_mask_is_returned_without_accessories_as_it_is(session: Session, models: Models) -> None:
    def same(labels: LabelMap) -> bool:
        return np.array_equal(session.mask(models), labels)

    assert same(session.labels)
    _paint(session, models, RenderOptions(items=("hat-beanie",)))
    assert not same(session.labels) and (session.mask(models) == ID["hat"]).sum() > 1000
