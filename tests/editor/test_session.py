"""Tests of sessions without a browser: saved data, downloads, and agreement with the command line."""

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
from maskgan_cli.editing.faces.framing import framed
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.archive import command, pack, unpack
from maskgan_cli.editor.edited_face import EditedFace, face_of
from maskgan_cli.editor.models import Files, Models
from maskgan_cli.editor.session import RenderOptions, Session
from maskgan_cli.editor.session_store import SessionStore
from maskgan_cli.editor.worker import Busy, Superseded, Worker
from maskgan_cli.errors import InputError
from maskgan_cli.files import encode_image, read_image, read_label_map, read_note, sha256, write_label_map
from maskgan_cli.labels import ID, part_ids
from maskgan_cli.weights.lookup import bundled
from tests.conftest import Command


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session of a rendered face with an edited mouth."""
    session = Session.begin(tmp_path / "store", example_faces.rendered("rendered-0"), "a face")
    session.labels[150:160, 110:150] = ID["mouth"]
    return session


def _paint(session: Session, models: Models, **changes: object) -> bytes:
    settings = {"revision": 1, "preview": False, "brush": False} | {
        name: changes.pop(name) for name in ("revision", "preview", "brush") if name in changes
    }
    return session.render(models, session.labels, RenderOptions(**changes), **settings)  # type: ignore[arg-type]


def _pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_saved_session_is_read_again(session: Session, models: Models) -> None:
    made = _paint(session, models)
    later = SessionStore(session.folder.parent).get(session.id)
    assert np.array_equal(later.labels, session.labels)
    assert later.result(models) == made
    assert oct(session.folder.stat().st_mode)[-3:] == "700"


@pytest.mark.parametrize(
    "change", [{"style": {}}, {"revision": "1"}, {"name": None}, {"parser": 1}, {"finish": "x"}, {"square": [1, 2]}]
)
def test_a_damaged_state_is_one_line(session: Session, change: dict[str, object]) -> None:
    state = session.folder / "session.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | change))
    with pytest.raises(InputError, match="the session: found files that cannot be read"):
        Session.resume(session.folder.parent, session.id)


def test_inconsistent_files_are_one_line(session: Session) -> None:
    write_label_map(session.folder / "mask.png", session.labels[:, :40])
    with pytest.raises(InputError, match="the session: found files that cannot be read"):
        Session.resume(session.folder.parent, session.id)


def test_a_seamless_result_changes_only_the_edited_region(session: Session, models: Models) -> None:
    picture = _pixels(_paint(session, models))
    assert np.array_equal(picture[:100], session.face.picture[:100])
    assert not np.array_equal(picture[150:160, 110:150], session.face.picture[150:160, 110:150])
    assert _pixels(_paint(session, models, finish="bare")).shape == (64, 64, 3)


def test_older_requests_are_superseded(session: Session, models: Models) -> None:
    session.revision = 5
    with pytest.raises(Superseded):
        _paint(session, models, revision=4)
    _paint(session, models, revision=5)


@pytest.mark.parametrize("finish", ["seamless", "bare"])
def test_the_command_reproduces_the_result(
    session: Session,
    models: Models,
    finish: str,
    weights: Path,
    tmp_path: Path,
    maskgan: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _paint(session, models, finish=finish)
    with zipfile.ZipFile(io.BytesIO(pack(session, models))) as file:
        file.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path / "unpacked")
    shown = read_image(Path("result.png"))
    words = command(session).split()[1:]
    outcome = maskgan(*words, "--weights", weights, "--overwrite")
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_image(Path("result.png")), shown)


def test_the_inside_of_a_mouth_comes_from_the_mouths_face(
    models: Models, weights: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session.begin(tmp_path / "store", example_faces.rendered("rendered-2"), "a closed mouth")
    session.add_other(example_faces.rendered("rendered-0"))  # which is open
    session.labels, _ = session.swapped(session.labels, 1, part_ids("mouth"))
    own = _pixels(_paint(session, models))
    assert session.note(models)["blend"] == "move" and session.note(models)["inside"] == "photo"
    taken = _pixels(_paint(session, models, mouth=1))
    assert (taken != own)[session.labels == ID["mouth"]].any()
    note = session.note(models)
    assert note["inside"] == "reference" and note["inputs"]["reference"] == sha256(session.folder / "other-0.png")
    assert np.array_equal(_pixels(SessionStore(session.folder.parent).get(session.id).result(models)), taken)
    with zipfile.ZipFile(io.BytesIO(pack(session, models))) as file:
        file.extractall(tmp_path / "unpacked")
    monkeypatch.chdir(tmp_path / "unpacked")
    outcome = maskgan(*command(session).split()[1:], "--weights", weights, "--overwrite")
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_image(Path("result.png")), taken)
    assert read_note(Path("result.png"))["inside"] == "reference"


def test_the_mask_of_another_person_is_recorded_as_painted(session: Session, models: Models) -> None:
    tiles = np.random.default_rng(1).integers(0, 19, (8, 8)).astype(np.uint8)
    session.labels = np.kron(tiles, np.ones((32, 32), np.uint8))
    _paint(session, models)
    assert session.note(models)["blend"] == "seamless"
    _paint(session, models, finish="bare")
    assert session.note(models)["blend"] is None


def test_a_session_file_has_provenance_and_can_be_opened(session: Session, models: Models, tmp_path: Path) -> None:
    session.add_other(example_faces.rendered("rendered-1"))
    _paint(session, models, style=1)
    data = pack(session, models)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        state = json.loads(file.read("session.json"))
    assert state["made_with"]["weights"] == models.weights.sha256
    assert set(state["sha256"]) == {
        "face.png",
        "face.mask.png",
        "mask.png",
        "other-0.png",
        "other-0.mask.png",
        "result.png",
    }
    again = unpack(data, tmp_path / "elsewhere")
    assert np.array_equal(again.labels, session.labels)
    assert np.array_equal(_pixels(again.result(models)), _pixels(session.result(models)))


def _changed(data: bytes, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return buffer.getvalue()


def test_a_changed_session_file_is_rejected(session: Session, models: Models, tmp_path: Path) -> None:
    data, root = pack(session, models), tmp_path / "elsewhere"
    for bad in (
        b"PK\x03\x04",
        data[:-500],
        _changed(data, "mask.png", b"x"),
        _changed(data, "session.json", b"{}"),
        _changed(data, "session.json", b"["),
    ):
        with pytest.raises(InputError, match="the session file"):
            unpack(bad, root)
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("../../evil.png", b"x")
    assert unpack(buffer.getvalue(), root).folder.parent == root
    assert not list(tmp_path.rglob("evil.png"))
    assert len(list(root.iterdir())) == 1


def test_a_face_is_pasted_into_its_photo(models: Models, tmp_path: Path) -> None:
    photo = example_faces.photo()
    square = np.array([[140.0, 20.0], [130.0, 190.0], [300.0, 200.0], [310.0, 30.0]])
    face = cut(photo, square, 256)
    labels = np.where(np.isin(np.arange(256), range(60, 200)), ID["skin"], ID["background"]).astype(np.uint8)
    labels = np.repeat(labels[None], 256, 0)
    session = Session.begin(tmp_path, EditedFace(face, labels, square), "a photo", encode_image(photo, ".png"))
    assert np.array_equal(_pixels(session.in_photo(models)), photo)
    session.labels[120:136, 100:140] = ID["mouth"]
    session.save()
    rows, columns = np.nonzero((_pixels(session.in_photo(models)) != photo).any(-1))
    middle = square[0] + (square[3] - square[0]) * 120 / 256 + (square[1] - square[0]) * 128 / 256
    assert abs(rows.mean() - middle[1]) < 4 and abs(columns.mean() - middle[0]) < 4 and len(rows) < 6000
    session.options = RenderOptions(
        finish="bare"
    )  # the painting takes the person's place, and nothing beyond the face's square
    changed = (_pixels(session.in_photo(models)) != photo).any(-1)
    assert changed[110, 220] and not changed[:, 315:].any() and not changed[205:].any()


def test_swapped_parts_equal_those_of_the_command(
    session: Session, models: Models, weights: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.add_other(example_faces.rendered("rendered-1"))
    _paint(session, models)
    swapped, _ = session.swapped(session.labels, 1, part_ids("nose,mouth"))
    monkeypatch.chdir(session.folder)
    outcome = maskgan(
        "swap",
        "face.png",
        "other-0.png",
        "--src-mask",
        "mask.png",
        "--tgt-mask",
        "other-0.mask.png",
        "--parts",
        "nose,mouth",
        "-w",
        weights,
        "-o",
        tmp_path / "swapped.png",
        "--save-masks",
    )
    assert outcome.code == 0, outcome.err
    assert np.array_equal(read_label_map(tmp_path / "swapped.mask.png"), swapped)


def test_provenance_records_an_edited_mask(session: Session, models: Models, tmp_path: Path) -> None:
    (tmp_path / "result.png").write_bytes(_paint(session, models))
    note = read_note(tmp_path / "result.png")
    painted = int((session.labels != session.face.labels).sum())
    assert note["mask"] == {"made_by": "hand", "pixels_painted": painted}
    files = {"mask": "mask.png", "style_image": "face.png", "style_mask": "face.mask.png"}
    assert note["inputs"] == {role: sha256(session.folder / file) for role, file in files.items()}
    assert (note["weights"], note["version"]) == (models.weights.sha256, __version__)
    session.labels = session.face.labels.copy()
    (tmp_path / "result.png").write_bytes(_paint(session, models))
    assert read_note(tmp_path / "result.png")["mask"] == {"made_by": "its file", "pixels_painted": 0}


def test_the_full_picture_reuses_the_previews_output(
    session: Session, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = models.paint
    monkeypatch.setattr(models, "paint", lambda labels, style: (calls.append(1), real(labels, style))[1])
    _paint(session, models, preview=True)
    _paint(session, models)
    assert len(calls) == 1
    session.labels[0, 0] ^= 1
    _paint(session, models)
    assert len(calls) == 2


def test_a_stroke_is_previewed_by_painting_its_surroundings(session: Session, tmp_path: Path) -> None:
    """With the bundled generator, because the very small one paints every area whole."""
    dmn, vae, parser = (bundled(kind) for kind in ("dmn", "vae", "parser"))
    assert dmn and vae and parser
    models = Models(Files(dmn, vae, parser), "cpu")
    _paint(session, models)
    session.labels = session.labels.copy()
    session.labels[60:72, 120:132] = ID["hair"]
    areas: list[list[tuple[int, ...]]] = []
    models.network.backbone.register_forward_hook(
        lambda _, inputs, __: areas.append([tuple(planes.shape[2:]) for planes in inputs])
    )
    near = _pixels(_paint(session, models, revision=2, preview=True, brush=True))
    exact = _pixels(_paint(session, models, revision=3))
    assert areas == [[(128, 128), (16, 16)], [(256, 256), (32, 32)]], "the preview paints the surroundings only"
    assert np.abs(near.astype(int) - session.face.picture)[60:72, 120:132].mean() > 10, "it shows the stroke"
    assert np.abs(near.astype(int) - exact)[160:].mean() < 3, "JPEG, elsewhere"
    fresh = Session.begin(tmp_path / "fresh", example_faces.rendered("rendered-0"), "a face")
    fresh.labels = session.labels
    assert np.array_equal(_pixels(_paint(fresh, models)), exact), "the full picture does not depend on previews"


@pytest.mark.parametrize("side", [256, 300])
def test_crops_are_recognised_as_by_the_commands(models: Models, side: int) -> None:
    face = example_faces.rendered("rendered-0")
    whole = face_of(resize_image(face.picture, side), models)
    assert whole.square is None and whole.picture.shape == (256, 256, 3)
    found = face_of(example_faces.photo(), models)  # square, too, but not framed as crops are
    assert found.square is not None and framed(found.labels, lambda: None)
    grey = np.repeat(example_faces.photo()[..., :1], 3, -1)  # in whose walls the parser sees hair
    assert face_of(grey, models).square is not None


def test_the_workers_queue_is_bounded() -> None:
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
