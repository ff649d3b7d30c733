"""Routes of sessions. Each route reads a request, runs a function in the worker thread, and responds."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from maskgan_cli.editing.masks.interpolate import encode_animation, positions
from maskgan_cli.editor import example_faces
from maskgan_cli.editor.archive import command, is_archive, unpack
from maskgan_cli.editor.composed_mask import Composer, Composition, slider_range
from maskgan_cli.editor.download import stem
from maskgan_cli.editor.edited_face import EditedFace, face_of
from maskgan_cli.editor.request_context import Context, RequestContext, attached, png, raw
from maskgan_cli.editor.session import Finish, RenderOptions, Session, encode
from maskgan_cli.editor.session_photos import for_screen, patches_of, turned
from maskgan_cli.editor.uploads import decode_picture, display_name, read_body, read_mask, read_masks
from maskgan_cli.editor.video import encode_video, video_library
from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap, part_ids

router = APIRouter(prefix="/api")
_MAX_FRAMES: Final = 24

Name = Annotated[str, Path(max_length=64)]
Number = Annotated[int, Query(ge=0, le=99)]
Text = Annotated[str, Query(max_length=200)]
Turn = Annotated[int, Query(ge=0, le=270, multiple_of=90)]


@router.get("/examples/{name}.png")
async def example_picture(context: Context, name: Name) -> Response:
    """Respond with a picture (PNG) of an example face, for the list of examples."""
    return png(encode(example_faces.thumbnail(name)))


@router.post("/sessions")
async def begin(
    context: Context, request: Request, example: Text = "", name: Text = "picture", turn: Turn = 0
) -> dict[str, Any]:
    """Start a session and return the state of the session: see `RequestContext.describe`.

    The session starts with the example face ``example``, with an uploaded picture (rotated clockwise by ``turn``
    degrees), or from an uploaded session file.
    """

    def job(data: bytes) -> Session:
        if is_archive(data):
            return context.store.add(unpack(data, context.store.root))
        if example:
            face, photo = example_faces.open_example(example, context.models)
            return context.begin(face, example_faces.title(example), None if photo is None else encode(photo))
        face = face_of(decode_picture(data := turned(data, turn) if turn else data), context.models)
        return context.begin(face, display_name(name), data)

    return await context.work_on(request, lambda data: context.describe(job(data)))


@router.get("/sessions/{name}")
async def state(context: Context, name: Name) -> dict[str, Any]:
    """Return the state of a session as a dict: see `RequestContext.describe`."""
    return await context.work(lambda: context.describe(context.store.get(name)))


@router.post("/sessions/{name}/choose")
async def choose(context: Context, name: Name, number: Number = 0, turn: Turn = 0) -> dict[str, Any]:
    """Choose the face ``number`` of the photo, or rotate the photo clockwise by ``turn`` degrees.

    Faces are counted from the left; number 0 keeps the face. If the face or the rotation changes, a new session starts
    from the edited photo, so that edits of the photo's other faces are kept. Returns the state of the new session. If
    nothing changes, returns the state of the present session.
    """

    def job() -> dict[str, Any]:
        session = context.store.get(name)
        session.chosen = True
        if not turn and number in (0, session.face.number):
            session.save()
            return context.describe(session)
        session.photo()  # raises an error if the session has no photo
        data = session.in_photo(context.models_of(session), session.suffix) if session.edited else session.photo_bytes()
        if turn:
            data = turned(data, turn)
        face = face_of(decode_picture(data), context.models, "the photo", None if turn else number)
        other = context.begin(face, session.name, data, chosen=not turn)
        return context.describe(other)

    return await context.work(job)


@router.get("/sessions/{name}/face.png")
async def face_picture(context: Context, name: Name) -> Response:
    """Respond with the face before editing (PNG)."""
    return png(await context.work(lambda: encode(context.store.get(name).face.picture)))


@router.get("/sessions/{name}/{which}.labels")
async def labels(context: Context, name: Name, which: Literal["face", "mask"]) -> Response:
    """Respond with the label map before editing (``face``) or with the latest edited one (``mask``)."""

    def job() -> bytes:
        session = context.store.get(name)
        return (session.labels if which == "mask" else session.face.labels).tobytes()

    return raw(await context.work(job))


@router.get("/sessions/{name}/command")
async def equivalent(context: Context, name: Name) -> dict[str, Any]:
    """Return a dict: ``command``, a command line that reproduces the result; ``exact``, whether it does so exactly.

    If the edit has a strength or a feather (soft border), the command's result differs, because the command has no
    options for these.
    """

    def job() -> dict[str, Any]:
        session = context.store.get(name)
        line = command(session, session.personal and context.learning.file_of(session) is not None)
        return {"command": line, "exact": session.options.fade is None or session.options.bare}

    return await context.work(job)


@router.post("/sessions/{name}/render")
async def render(
    context: Context,
    request: Request,
    name: Name,
    revision: Annotated[int, Query(ge=0, le=1 << 53)],
    style: Number = 0,
    finish: Finish = "seamless",
    preview: bool = False,
    mouth: Number = 0,
    hair: Number = 0,
    items: Text = "",
    remove_glasses: bool = False,
    brush: bool = False,
) -> Response:
    """Respond with the face, rendered with an edited label map; without content if a newer request has arrived.

    The body has the label map and the opacity: see `read_masks`. ``revision`` is the number of the request. For the
    other parameters, see `RenderOptions` and `Session.render`; ``items`` are separated by commas.
    """
    data = await mask_sent(request)
    session = context.store.get(name)
    session.revision = max(session.revision, revision)  # set now, so that older jobs in the queue are skipped

    def job() -> tuple[bytes, float]:
        since = time.perf_counter()
        labels, fade = read_masks(data, session.side)
        names = tuple(name for name in items.split(",") if name)
        options = RenderOptions(style, finish, fade, mouth, hair, names, remove_glasses)
        made = session.render(
            context.models_of(session), labels, options, revision=revision, preview=preview, brush=brush
        )
        return made, time.perf_counter() - since

    made, seconds = await context.work(job)
    kind = "image/jpeg" if preview else "image/png"
    return attached(made, kind, "", {"x-milliseconds": f"{seconds * 1000:.0f}"})


@router.get("/sessions/{name}/whole.jpg")
async def whole(context: Context, name: Name, edited: bool = False) -> Response:
    """Respond with the whole photo (JPEG) before or after editing, scaled down for the screen."""

    def job() -> bytes:
        session = context.store.get(name)
        return for_screen(session.whole(context.models_of(session)) if edited else session.photo().picture)

    return attached(await context.work(job), "image/jpeg", "")


@router.get("/sessions/{name}/patches")
async def patches(context: Context, name: Name) -> Response:
    """Respond with the superpixels of the face before editing: see `patches_of`."""
    return raw(await context.work(lambda: patches_of(context.store.get(name).face.picture)))


@router.post("/sessions/{name}/others")
async def add_other(context: Context, request: Request, name: Name, example: Text = "") -> dict[str, Any]:
    """Add another face to the session; return the number of the added face and the session's state.

    The face is that of the example ``example``. If ``example`` is empty, the face is detected in the uploaded picture.
    """

    def job(data: bytes) -> dict[str, Any]:
        session, models = context.store.get(name), context.models
        face: EditedFace = (
            example_faces.open_example(example, models)[0] if example else face_of(decode_picture(data), models)
        )
        return {"number": session.add_other(face), **session.state()}

    return await context.work_on(request, job)


@router.get("/sessions/{name}/others/{number}.png")
async def other(context: Context, name: Name, number: int) -> Response:
    """Respond with the picture (PNG) of another face of the session, counted from 1."""
    return png(await context.work(lambda: encode(context.store.get(name).other(number).picture)))


@router.post("/sessions/{name}/swap")
async def swap(
    context: Context, request: Request, name: Name, other: Number, parts: Text, hair: Number = 0
) -> Response:
    """Respond with the request's label map, in which ``parts`` are replaced by the parts of the face ``other``.

    ``hair`` is the number of the other face whose hair is in the photo before the replacement (0 for none). The header
    ``x-hair`` of the response contains this number after the replacement.
    """
    try:
        ids = part_ids(parts)
    except ValueError as error:
        raise InputError("the parts", found=str(error)) from None
    data = await mask_sent(request)

    def job() -> tuple[bytes, int]:
        session = context.store.get(name)
        labels, used = session.swapped(read_mask(data, session.side), other, ids, hair)
        return labels.tobytes(), used

    made, used = await context.work(job)
    return attached(made, "application/octet-stream", "", {"x-hair": str(used)})


@router.post("/sessions/{name}/compose")
async def compose(context: Context, request: Request, name: Name, sliders: Text = "", removed: Text = "") -> Response:
    """Respond with the request's label map, after accessories are removed and sliders applied: see `Composition`."""
    how = Composition.parsed(sliders, removed)
    return await changed(
        context, request, name, lambda session, labels: context.composer(session, context.models, labels, how)
    )


@router.get("/sessions/{name}/range")
async def slider(context: Context, name: Name, slider: Text) -> tuple[float, float] | None:
    """Return the lowest and highest amount of a slider at which the face looks human: see `slider_range`."""
    return await context.work(lambda: slider_range(context.store.get(name), context.models, slider))


@router.get("/sessions/{name}/animation.{kind}")
async def animation(
    context: Context,
    name: Name,
    kind: Literal["gif", "mp4"],
    other: Number,
    frames: Annotated[int, Query(ge=2, le=_MAX_FRAMES)] = 12,
) -> Response:
    """Respond with a download: an animation (GIF or MP4) in which the face's shape changes into another face's shape.

    ``other`` is the number of the other face, counted from 1. Each frame is a separate job of the worker thread, so
    that edits on the page do not wait for the whole animation.
    """
    if kind == "mp4":
        video_library()  # raises an error before the frames are painted
    session, pictures = await context.work(lambda: context.store.get(name)), []
    base = session.labels
    for share in positions(frames):
        how = Composition(((f"other-{other}", float(share)),))
        pictures.append(await context.work(partial(_frame, context, session, base, how)))
    encode_frames, media = (encode_animation, "image/gif") if kind == "gif" else (encode_video, "video/mp4")
    data = await context.work(lambda: encode_frames(pictures))
    return attached(data, media, f"{stem(session)}-animation.{kind}")


def _frame(context: RequestContext, session: Session, base: LabelMap, how: Composition) -> Picture:
    labels = Composer()(session, context.models, base, how)
    return session.painted(context.models_of(session), labels)


@router.post("/sessions/{name}/parse")
async def parse(context: Context, name: Name) -> Response:
    """Respond with the label map that the face parser predicts for the face before editing."""

    def job() -> bytes:
        labels, _ = context.models.parse(context.store.get(name).face.picture)
        return labels.tobytes()

    return raw(await context.work(job))


async def changed(
    context: RequestContext, request: Request, name: str, change: Callable[[Session, LabelMap], LabelMap]
) -> Response:
    """Apply a function to the label map in the request's body, and respond with the new label map.

    Args:
        context: the objects that the routes share.
        request: the request.
        name: id of the session.
        change: function that receives the session and the label map (S, S), and returns the new label map (S, S).
    """
    data = await mask_sent(request)

    def job() -> bytes:
        session = context.store.get(name)
        return change(session, read_mask(data, session.side)).tobytes()

    return raw(await context.work(job))


async def mask_sent(request: Request) -> bytes:
    """Return the body of a request that contains a label map, as bytes; the content is not checked here."""
    return await read_body(request.stream(), 1 << 20)
