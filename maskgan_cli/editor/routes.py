"""The sessions' routes: each reads its request, has the worker do it, answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from maskgan_cli.editing.interpolate import encode_animation, positions
from maskgan_cli.editor import library
from maskgan_cli.editor.archive import command, is_archive, unpack
from maskgan_cli.editor.compose import Composer, Composition, slider_range
from maskgan_cli.editor.desk import AtDesk, Desk, attached, png, raw
from maskgan_cli.editor.download import stem
from maskgan_cli.editor.face import Face, face_of
from maskgan_cli.editor.photos import for_screen, patches_of, turned
from maskgan_cli.editor.session import Finish, Session, encode
from maskgan_cli.editor.uploads import decode_picture, plain, read_body, read_mask, read_masks
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap, part_ids

router = APIRouter(prefix="/api")
_MOST_FRAMES: Final = 24

Name = Annotated[str, Path(max_length=64)]
Number = Annotated[int, Query(ge=0, le=99)]
Text = Annotated[str, Query(max_length=200)]
Turn = Annotated[int, Query(ge=0, le=270, multiple_of=90)]


@router.get("/examples/{name}.png")
async def example_picture(desk: AtDesk, name: Name) -> Response:
    """An example to look at."""
    return png(encode(library.thumbnail(name)))


@router.post("/sessions")
async def begin(
    desk: AtDesk, request: Request, example: Text = "", name: Text = "picture", turn: Turn = 0
) -> dict[str, Any]:
    """A new session with an example, or with the picture or the session file that is sent, turned clockwise."""

    def job(data: bytes) -> Session:
        if is_archive(data):
            return desk.shelf.add(unpack(data, desk.shelf.root))
        if example:
            face, photo = library.open_example(example, desk.studio)
            return desk.begin(face, library.title(example), None if photo is None else encode(photo))
        face = face_of(decode_picture(data := turned(data, turn) if turn else data), desk.studio)
        return desk.begin(face, plain(name), data)

    return await desk.work_on(request, lambda data: desk.describe(job(data)))


@router.get("/sessions/{name}")
async def state(desk: AtDesk, name: Name) -> dict[str, Any]:
    """What the page needs to know of a session."""
    return await desk.work(lambda: desk.describe(desk.shelf.get(name)))


@router.post("/sessions/{name}/choose")
async def choose(desk: AtDesk, name: Name, number: Number = 0, turn: Turn = 0) -> dict[str, Any]:
    """Another face of the session's photo, or the photo turned clockwise: a new session.

    It begins with what the photo shows now: edits of other faces are kept.
    """

    def job() -> dict[str, Any]:
        session = desk.shelf.get(name)
        session.chosen = True
        if not turn and number in (0, session.face.number):
            session.save()
            return desk.describe(session)
        session.photo()  # or there is nothing to choose from
        data = session.in_photo(desk.studio_of(session), session.suffix) if session.edited else session.photo_bytes()
        if turn:
            data = turned(data, turn)
        face = face_of(decode_picture(data), desk.studio, "the photo", None if turn else number)
        other = desk.begin(face, session.name, data, chosen=not turn)
        return desk.describe(other)

    return await desk.work(job)


@router.get("/sessions/{name}/face.png")
async def face_picture(desk: AtDesk, name: Name) -> Response:
    """The face as it was."""
    return png(await desk.work(lambda: encode(desk.shelf.get(name).face.picture)))


@router.get("/sessions/{name}/{which}.labels")
async def labels(desk: AtDesk, name: Name, which: Literal["face", "mask"]) -> Response:
    """The face's label map as it was, or the one that was painted last."""

    def job() -> bytes:
        session = desk.shelf.get(name)
        return (session.labels if which == "mask" else session.face.labels).tobytes()

    return raw(await desk.work(job))


@router.get("/sessions/{name}/command")
async def equivalent(desk: AtDesk, name: Name) -> dict[str, Any]:
    """The line that makes the result again, and whether that is exact: strength and feather are the editor's own."""

    def job() -> dict[str, Any]:
        session = desk.shelf.get(name)
        line = command(session, session.personal and desk.learning.file_of(session) is not None)
        return {"command": line, "exact": session.fade is None or session.bare}

    return await desk.work(job)


@router.post("/sessions/{name}/render")
async def render(
    desk: AtDesk, request: Request, name: Name, revision: Annotated[int, Query(ge=0, le=1 << 53)],
    style: Number = 0, finish: Finish = "seamless", preview: bool = False, mouth: Number = 0,
) -> Response:  # fmt: skip
    """The face in the shape of the label map that is sent; no content if a newer one came in the meantime."""
    data = await mask_sent(request)
    session = desk.shelf.get(name)
    session.revision = max(session.revision, revision)  # at once: what waits in the queue is older

    def job() -> tuple[bytes, float]:
        since = time.perf_counter()
        labels, fade = read_masks(data, session.side)
        made = session.render(
            desk.studio_of(session), labels, revision=revision, style=style, finish=finish, preview=preview, fade=fade,
            mouth=mouth,
        )  # fmt: skip
        return made, time.perf_counter() - since

    made, seconds = await desk.work(job)
    kind = "image/jpeg" if preview else "image/png"
    return attached(made, kind, "", {"x-milliseconds": f"{seconds * 1000:.0f}"})


@router.get("/sessions/{name}/whole.jpg")
async def whole(desk: AtDesk, name: Name, edited: bool = False) -> Response:
    """The whole photo for the screen, as it was or with the result in its place."""

    def job() -> bytes:
        session = desk.shelf.get(name)
        return for_screen(session.whole(desk.studio_of(session)) if edited else session.photo().picture)

    return attached(await desk.work(job), "image/jpeg", "")


@router.get("/sessions/{name}/patches")
async def patches(desk: AtDesk, name: Name) -> Response:
    """The face in patches of similar colour: a number of two bytes per pixel, the lower byte first."""
    return raw(await desk.work(lambda: patches_of(desk.shelf.get(name).face.picture)))


@router.post("/sessions/{name}/others")
async def add_other(desk: AtDesk, request: Request, name: Name, example: Text = "") -> dict[str, Any]:
    """Another face beside the session's: an example, or the picture that is sent."""

    def job(data: bytes) -> dict[str, Any]:
        session, studio = desk.shelf.get(name), desk.studio
        face: Face = library.open_example(example, studio)[0] if example else face_of(decode_picture(data), studio)
        return {"number": session.add_other(face), **session.state()}

    return await desk.work_on(request, job)


@router.get("/sessions/{name}/others/{number}.png")
async def other(desk: AtDesk, name: Name, number: int) -> Response:
    """Another face to look at."""
    return png(await desk.work(lambda: encode(desk.shelf.get(name).other(number).picture)))


@router.post("/sessions/{name}/swap")
async def swap(desk: AtDesk, request: Request, name: Name, other: Number, parts: Text) -> Response:
    """The label map that is sent, with parts of another face's shape."""
    try:
        ids = part_ids(parts)
    except ValueError as error:
        raise InputError("the parts", found=str(error)) from None
    return await changed(desk, request, name, lambda session, labels: session.swapped(labels, other, ids))


@router.post("/sessions/{name}/compose")
async def compose(
    desk: AtDesk, request: Request, name: Name, sliders: Text = "", items: Text = "", removed: Text = ""
) -> Response:
    """The base mask that is sent, with all sliders, things put on and things removed: see `Composition`."""
    how = Composition.parsed(sliders, items, removed)
    return await changed(desk, request, name, lambda session, labels: desk.composer(session, desk.studio, labels, how))


@router.get("/sessions/{name}/range")
async def slider(desk: AtDesk, name: Name, slider: Text) -> tuple[float, float] | None:
    """How far a slider is useful on this face; null where it can do nothing."""
    return await desk.work(lambda: slider_range(desk.shelf.get(name), desk.studio, slider))


@router.get("/sessions/{name}/animation.gif")
async def animation(
    desk: AtDesk, name: Name, other: Number, frames: Annotated[int, Query(ge=2, le=_MOST_FRAMES)] = 12
) -> Response:
    """The way from the face to another face's shape, as an endlessly repeated GIF to be kept.

    Each frame is a job of its own: edits in the page come between them.
    """
    session, pictures = await desk.work(lambda: desk.shelf.get(name)), []
    base = session.labels
    for share in positions(frames):
        how = Composition(((f"other-{other}", float(share)),))
        pictures.append(await desk.work(partial(_frame, desk, session, base, how)))
    data = await desk.work(lambda: encode_animation(pictures))
    return attached(data, "image/gif", f"{stem(session)}-animation.gif")


def _frame(desk: Desk, session: Session, base: LabelMap, how: Composition) -> Picture:
    labels = Composer()(session, desk.studio, base, how)
    return session.painted(desk.studio_of(session), labels, session.style)


@router.post("/sessions/{name}/parse")
async def parse(desk: AtDesk, name: Name) -> Response:
    """The face's label map as the parser sees it."""

    def job() -> bytes:
        labels, _ = desk.studio.parse(desk.shelf.get(name).face.picture)
        return labels.tobytes()

    return raw(await desk.work(job))


async def changed(desk: Desk, request: Request, name: str, change: Callable[[Session, LabelMap], LabelMap]) -> Response:
    """Answer a label map with another."""
    data = await mask_sent(request)

    def job() -> bytes:
        session = desk.shelf.get(name)
        return change(session, read_mask(data, session.side)).tobytes()

    return raw(await desk.work(job))


async def mask_sent(request: Request) -> bytes:
    """The label map in a request's body, not yet believed."""
    return await read_body(request.stream(), 1 << 20)
