"""Routes of downloads, earlier sessions, uploaded masks and the undo history."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.compositing.paste import cut_labels
from maskgan_cli.editor.archive import HISTORY, pack
from maskgan_cli.editor.download import stem
from maskgan_cli.editor.request_context import Context, attached, png, raw
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.uploads import decode_mask, read_body
from maskgan_cli.errors import InputError
from maskgan_cli.files import encode_png, palette_image, read_image, write_bytes
from maskgan_cli.labels import LabelMap

router = APIRouter(prefix="/api")

Name = Annotated[str, Path(max_length=64)]
_HISTORY_LIMIT: Final = 16 << 20  # maximum bytes, compressed
_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg"}


@router.get("/sessions")
async def sessions(context: Context, most: Annotated[int, Query(ge=1, le=100)] = 24) -> list[dict[str, Any]]:
    """List up to ``most`` saved sessions (id, name, time of saving, whether edited), the newest first."""
    entries = await context.work(lambda: context.store.entries()[:most])
    return [{key: entry[key] for key in ("id", "name", "saved", "edited")} for entry in entries]


@router.delete("/sessions/{name}")
async def delete(context: Context, name: Name) -> dict[str, str]:
    """Delete a session and its files; the response contains the session's id."""
    await context.work(lambda: context.store.remove(name))
    return {"deleted": name}


@router.get("/sessions/{name}/thumbnail.jpg")
async def thumbnail(context: Context, name: Name) -> Response:
    """Respond with a small picture (JPEG) of a session's latest result."""
    return attached(await context.work(lambda: context.store.get(name).thumbnail()), "image/jpeg", "")


@router.get("/sessions/{name}/mask.png")
async def mask(context: Context, name: Name) -> Response:
    """Respond with a download: the edited label map as a palette PNG."""
    session = await context.work(lambda: context.store.get(name))
    data = await context.work(lambda: encode_png(palette_image(session.mask(context.models_of(session)))))
    return png(data, download=f"{stem(session)}-mask.png")


@router.get("/sessions/{name}/result.png")
async def result(context: Context, name: Name) -> Response:
    """Respond with a download: the edited face (PNG) with its provenance."""
    session = await context.work(lambda: context.store.get(name))
    data = await context.work(lambda: session.result(context.models_of(session)))
    return png(data, download=f"{stem(session)}-{'face' if session.face.square is not None else 'edited'}.png")


@router.get("/sessions/{name}/strip.png")
async def strip(context: Context, name: Name) -> Response:
    """Respond with a download: the face before the edit, the mask, and the face after the edit in one picture."""
    session = await context.work(lambda: context.store.get(name))
    return png(
        await context.work(lambda: session.strip(context.models_of(session))),
        download=f"{stem(session)}-before-after.png",
    )


@router.get("/sessions/{name}/photo.{kind}")
async def photo(context: Context, name: Name, kind: Literal["png", "jpg"]) -> Response:
    """Respond with a download: the whole photo with the edit."""
    session = await context.work(lambda: context.store.get(name))
    data = await context.work(lambda: session.in_photo(context.models_of(session), f".{kind}"))
    return attached(data, _TYPES[kind], f"{stem(session)}-edited.{kind}")


@router.get("/sessions/{name}/session.zip")
async def archive(context: Context, name: Name) -> Response:
    """Respond with a download: the session as a zip file."""
    session = await context.work(lambda: context.store.get(name))

    def job() -> bytes:
        learned = context.learning.file_of(session) if session.personal else None
        return pack(session, context.models_of(session), learned)

    data = await context.work(job)
    return attached(data, "application/zip", f"{stem(session)}-session.zip")


@router.post("/sessions/{name}/as-mask")
async def as_mask(context: Context, request: Request, name: Name) -> Response:
    """Respond with the uploaded label map in the size of the session's face; with status 204 if it is no label map."""

    def job(data: bytes) -> Response:
        session, labels = context.store.get(name), decode_mask(data)
        return Response(status_code=204) if labels is None else raw(fitted(labels, session).tobytes())

    return await context.work_on(request, job)


@router.get("/sessions/{name}/history")
async def history(context: Context, name: Name) -> Response:
    """Respond with the undo history that the page has saved; with status 204 if the page has not saved one."""
    path = (await context.work(lambda: context.store.get(name))).folder / HISTORY
    return raw(path.read_bytes()) if path.is_file() else Response(status_code=204)


@router.post("/sessions/{name}/history")
async def keep_history(context: Context, request: Request, name: Name) -> Response:
    """Save the undo history that the page sends. The server does not interpret its content."""
    data = await read_body(request.stream(), _HISTORY_LIMIT)
    session = await context.work(lambda: context.store.get(name))
    await context.work(lambda: write_bytes(session.folder / HISTORY, data))
    return Response(status_code=204)


@router.get("/sessions/{name}/learning")
async def learning(context: Context, name: Name) -> dict[str, Any]:
    """Return the progress of the fine-tuning on a session's face: see `Learning.state`."""
    session = await context.work(lambda: context.store.get(name))
    return context.learning.state(session)


@router.post("/sessions/{name}/learning")
async def learn(context: Context, name: Name, cancel: bool = False) -> dict[str, Any]:
    """Start or cancel the fine-tuning on a session's face, and return the progress: see `Learning.state`."""
    session = await context.work(lambda: context.store.get(name))
    if cancel:
        context.learning.cancel()
    else:
        context.learning.start(session)
    return context.learning.state(session)


@router.post("/sessions/{name}/personal")
async def personal(context: Context, name: Name, on: bool) -> dict[str, Any]:
    """Enable or disable the personalised weights of a session, and return the session's state."""

    def job() -> dict[str, Any]:
        session = context.store.get(name)
        session.personal = on
        session.save()
        return context.describe(session)

    return await context.work(job)


def fitted(labels: LabelMap, session: Session) -> LabelMap:
    """Convert an uploaded mask to a mask (S, S) of the session's face, and return the new mask.

    The uploaded mask may be a square mask of the face, or a mask of the whole photo, from which the face is cut out.

    Raises:
        InputError: the mask is neither square nor of the photo's size.
    """
    path, square = session.folder / "photo", session.face.square
    if square is not None and path.is_file() and read_image(path).shape[:2] == labels.shape:
        return cut_labels(labels, square, session.side)
    if labels.shape[0] != labels.shape[1]:
        raise InputError(
            "the mask",
            expected="a square mask of the face, or one of the photo's size",
            found=f"{labels.shape[1]}x{labels.shape[0]}",
        )
    return resize_labels(labels, session.side)
