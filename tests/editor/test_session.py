"""Sessions without a browser: what is kept, what goes out, and that the command line makes the same picture."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskgan_cli import __version__
from maskgan_cli.data.crop import cut
from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.framing import framed
from maskgan_cli.editor import library
from maskgan_cli.editor.archive import command, pack, unpack
from maskgan_cli.editor.face import Face, face_of
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.shelf import Shelf
from maskgan_cli.editor.studio import Studio
from maskgan_cli.editor.worker import Busy, Superseded, Worker
from maskgan_cli.errors import InputError
from maskgan_cli.files import encode_image, read_image, read_label_map, read_note, sha256, write_label_map
from maskgan_cli.labels import ID, part_ids
from tests.conftest import Command


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A rendered face whose mouth is painted over."""
    session = Session.begin(tmp_path / "shelf", library.rendered("rendered-0"), "a face")
    session.labels[150:160, 110:150] = ID["mouth"]
    return session


def _paint(session: Session, studio: Studio, **changes: object) -> bytes:
    settings = {"revision": 1, "style": 0, "finish": "seamless", "preview": False, **changes}
    return session.render(studio, session.labels, **settings)  # type: ignore[arg-type]


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_what_is_saved_is_there_for_the_next_program(session: Session, studio: Studio) -> None:
    made = _paint(session, studio)
    later = Shelf(session.folder.parent).get(session.id)
    assert np.array_equal(later.labels, session.labels)
    assert later.result(studio) == made
    assert oct(session.folder.stat().st_mode)[-3:] == "700"


@pytest.mark.parametrize(
    "change", [{"style": {}}, {"revision": "1"}, {"name": None}, {"parser": 1}, {"finish": "x"}, {"square": [1, 2]}]
)
def test_a_damaged_state_is_one_line(session: Session, change: dict[str, object]) -> None:
    state = session.folder / "session.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | change))
    with pytest.raises(InputError, match="the session: found files that cannot be read"):
        Session.resume(session.folder.parent, session.id)


def test_parts_that_do_not_fit_are_one_line(session: Session) -> None:
    write_label_map(session.folder / "mask.png", session.labels[:, :40])
    with pytest.raises(InputError, match="the session: found files that cannot be read"):
        Session.resume(session.folder.parent, session.id)


def test_a_seamless_result_leaves_the_rest_of_the_face_alone(session: Session, studio: Studio) -> None:
    picture = _pixels(_paint(session, studio))
    assert np.array_equal(picture[:100], session.face.picture[:100])
    assert not np.array_equal(picture[150:160, 110:150], session.face.picture[150:160, 110:150])
    assert _pixels(_paint(session, studio, finish="bare")).shape == (64, 64, 3)


def test_older_requests_give_way(session: Session, studio: Studio) -> None:
    session.revision = 5
    with pytest.raises(Superseded):
        _paint(session, studio, revision=4)
    _paint(session, studio, revision=5)


@pytest.mark.parametrize("finish", ["seamless", "bare"])
def test_the_command_makes_the_same_picture(
    session: Session, studio: Studio, finish: str, weights: Path, tmp_path: Path, maskgan: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    _paint(session, studio, finish=finish)
    with zipfile.ZipFile(io.BytesIO(pack(session, studio))) as file:
        file.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path / "unpacked")
    shown = read_image(Path("result.png"))
    words = command(session).split()[1:]
    outcome = maskgan(*words, "--weights", weights, "--overwrite")
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_image(Path("result.png")), shown)


def test_the_inside_of_a_mouth_is_taken_from_the_face_whose_mouth_it_is(
    studio: Studio, weights: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session.begin(tmp_path / "shelf", library.rendered("rendered-2"), "a closed mouth")
    session.add_other(library.rendered("rendered-0"))  # which is open
    session.labels = session.swapped(session.labels, 1, part_ids("mouth"))
    own = _pixels(_paint(session, studio))
    assert session.note(studio)["blend"] == "move" and session.note(studio)["inside"] == "painted"
    taken = _pixels(_paint(session, studio, mouth=1))
    assert (taken != own)[session.labels == ID["mouth"]].any()
    note = session.note(studio)
    assert note["inside"] == "reference" and note["inputs"]["reference"] == sha256(session.folder / "other-0.png")
    assert np.array_equal(_pixels(Shelf(session.folder.parent).get(session.id).result(studio)), taken)
    with zipfile.ZipFile(io.BytesIO(pack(session, studio))) as file:
        file.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path / "unpacked")
    outcome = maskgan(*command(session).split()[1:], "--weights", weights, "--overwrite")
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_image(Path("result.png")), taken)
    assert read_note(Path("result.png"))["inside"] == "reference"


def test_another_persons_mask_is_recorded_as_painted(session: Session, studio: Studio) -> None:
    tiles = np.random.default_rng(1).integers(0, 19, (8, 8)).astype(np.uint8)
    session.labels = np.kron(tiles, np.ones((32, 32), np.uint8))
    _paint(session, studio)
    assert session.note(studio)["blend"] == "seamless"
    _paint(session, studio, finish="bare")
    assert session.note(studio)["blend"] is None


def test_a_session_file_says_what_made_it_and_opens_again(session: Session, studio: Studio, tmp_path: Path) -> None:
    session.add_other(library.rendered("rendered-1"))
    _paint(session, studio, style=1)
    data = pack(session, studio)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        state = json.loads(file.read("session.json"))
    assert state["made_with"]["weights"] == studio.weights.sha256
    assert set(state["sha256"]) == {"face.png", "face.mask.png", "mask.png", "other-0.png", "other-0.mask.png",
                                    "result.png"}  # fmt: skip
    again = unpack(data, tmp_path / "elsewhere")
    assert np.array_equal(again.labels, session.labels)
    assert np.array_equal(_pixels(again.result(studio)), _pixels(session.result(studio)))


def _changed(data: bytes, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return buffer.getvalue()


def test_a_session_file_that_was_tampered_with(session: Session, studio: Studio, tmp_path: Path) -> None:
    data, root = pack(session, studio), tmp_path / "elsewhere"
    for bad in (b"PK\x03\x04", data[:-500], _changed(data, "mask.png", b"x"), _changed(data, "session.json", b"{}"),
                _changed(data, "session.json", b"[")):  # fmt: skip
        with pytest.raises(InputError, match="the session file"):
            unpack(bad, root)
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("../../evil.png", b"x")
    assert unpack(buffer.getvalue(), root).folder.parent == root
    assert not list(tmp_path.rglob("evil.png"))
    assert len(list(root.iterdir())) == 1


def test_a_face_back_in_its_photo(studio: Studio, tmp_path: Path) -> None:
    photo = library.photo()
    square = np.array([[140.0, 20.0], [130.0, 190.0], [300.0, 200.0], [310.0, 30.0]])
    face = cut(photo, square, 256)
    labels = np.where(np.isin(np.arange(256), range(60, 200)), ID["skin"], ID["background"]).astype(np.uint8)
    labels = np.repeat(labels[None], 256, 0)
    session = Session.begin(tmp_path, Face(face, labels, square), "a photo", encode_image(photo, ".png"))
    assert np.array_equal(_pixels(session.in_photo(studio)), photo)
    session.labels[120:136, 100:140] = ID["mouth"]
    session.save()
    rows, columns = np.nonzero((_pixels(session.in_photo(studio)) != photo).any(-1))
    middle = square[0] + (square[3] - square[0]) * 120 / 256 + (square[1] - square[0]) * 128 / 256
    assert abs(rows.mean() - middle[1]) < 4 and abs(columns.mean() - middle[0]) < 4 and len(rows) < 6000
    session.finish = "bare"  # the painting takes the person's place, and nothing beyond the face's square
    changed = (_pixels(session.in_photo(studio)) != photo).any(-1)
    assert changed[110, 220] and not changed[:, 315:].any() and not changed[205:].any()


def test_parts_are_swapped_as_the_command_swaps_them(
    session: Session, studio: Studio, weights: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.add_other(library.rendered("rendered-1"))
    _paint(session, studio)
    swapped = session.swapped(session.labels, 1, part_ids("hair,mouth"))
    monkeypatch.chdir(session.folder)
    outcome = maskgan(
        "swap", "face.png", "other-0.png", "--src-mask", "mask.png", "--tgt-mask", "other-0.mask.png",
        "--parts", "hair,mouth", "-w", weights, "-o", tmp_path / "swapped.png", "--save-masks",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_label_map(tmp_path / "swapped.mask.png"), swapped)


def test_a_result_says_that_its_mask_was_painted(session: Session, studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "result.png").write_bytes(_paint(session, studio))
    note = read_note(tmp_path / "result.png")
    painted = int((session.labels != session.face.labels).sum())
    assert note["mask"] == {"made_by": "hand", "pixels_painted": painted}
    files = {"mask": "mask.png", "style_image": "face.png", "style_mask": "face.mask.png"}
    assert note["inputs"] == {role: sha256(session.folder / file) for role, file in files.items()}
    assert (note["weights"], note["version"]) == (studio.weights.sha256, __version__)
    session.labels = session.face.labels.copy()
    (tmp_path / "result.png").write_bytes(_paint(session, studio))
    assert read_note(tmp_path / "result.png")["mask"] == {"made_by": "its file", "pixels_painted": 0}


def test_the_full_picture_takes_the_previews_painting(
    session: Session, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = studio.paint
    monkeypatch.setattr(studio, "paint", lambda labels, style: (calls.append(1), real(labels, style))[1])
    _paint(session, studio, preview=True)
    _paint(session, studio)
    assert len(calls) == 1
    session.labels[0, 0] ^= 1
    _paint(session, studio)
    assert len(calls) == 2


@pytest.mark.parametrize("side", [256, 300])
def test_a_crop_and_a_photo_are_told_apart_as_the_commands_do(studio: Studio, side: int) -> None:
    face = library.rendered("rendered-0")
    whole = face_of(resize_image(face.picture, side), studio)
    assert whole.square is None and whole.picture.shape == (256, 256, 3)
    found = face_of(library.photo(), studio)  # square, too, but not framed as crops are
    assert found.square is not None and framed(found.labels, lambda: None)
    grey = np.repeat(library.photo()[..., :1], 3, -1)  # in whose walls the parser sees hair
    assert face_of(grey, studio).square is not None


def test_the_worker_is_bounded() -> None:
    import threading

    worker, hold = Worker(waiting=2), threading.Event()
    first = worker.submit(hold.wait)
    while first.running() is False:
        pass
    waiting = [worker.submit(lambda: 1), worker.submit(lambda: 1 // 0)]
    with pytest.raises(Busy):
        worker.submit(lambda: 1)
    hold.set()
    assert waiting[0].result(5) == 1
    with pytest.raises(ZeroDivisionError):
        waiting[1].result(5)
    assert worker.submit(lambda: 2).result(5) == 2
    worker.close()
