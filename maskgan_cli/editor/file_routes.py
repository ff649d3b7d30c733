"""The routes of files: what is saved, earlier sessions, masks that are opened, and the steps of undo."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from maskgan_cli.data.resize import resize_labels
from maskgan_cli.editing.uncrop import cut_labels
from maskgan_cli.editor.archive import HISTORY, pack
from maskgan_cli.editor.desk import AtDesk, attached, png, raw
from maskgan_cli.editor.download import stem
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.uploads import decode_mask, read_body
from maskgan_cli.errors import InputError
from maskgan_cli.files import encode_png, palette_image, read_image, write_bytes
from maskgan_cli.labels import LabelMap

router = APIRouter(prefix="/api")

Name = Annotated[str, Path(max_length=64)]
_HISTORY_LIMIT: Final = 16 << 20  # bytes, packed
_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg"}


@router.get("/sessions")
async def sessions(desk: AtDesk, most: Annotated[int, Query(ge=1, le=100)] = 24) -> list[dict[str, Any]]:
    """Earlier sessions, the newest first."""
    entries = await desk.work(lambda: desk.shelf.entries()[:most])
    return [{key: entry[key] for key in ("id", "name", "saved", "edited")} for entry in entries]


@router.delete("/sessions/{name}")
async def delete(desk: AtDesk, name: Name) -> dict[str, str]:
    """Delete a session and its files."""
    await desk.work(lambda: desk.shelf.remove(name))
    return {"deleted": name}


@router.get("/sessions/{name}/thumbnail.jpg")
async def thumbnail(desk: AtDesk, name: Name) -> Response:
    """What a session showed last, small."""
    return attached(await desk.work(lambda: desk.shelf.get(name).thumbnail()), "image/jpeg", "")


@router.get("/sessions/{name}/mask.png")
async def mask(desk: AtDesk, name: Name) -> Response:
    """The edited label map as a palette PNG, to be kept."""
    session = await desk.work(lambda: desk.shelf.get(name))
    data = await desk.work(lambda: encode_png(palette_image(session.labels)))
    return png(data, download=f"{stem(session)}-mask.png")


@router.get("/sessions/{name}/result.png")
async def result(desk: AtDesk, name: Name) -> Response:
    """The face in the shape of that label map, to be kept; what made it is written inside."""
    session = await desk.work(lambda: desk.shelf.get(name))
    data = await desk.work(lambda: session.result(desk.studio_of(session)))
    return png(data, download=f"{stem(session)}-{'face' if session.face.square is not None else 'edited'}.png")


@router.get("/sessions/{name}/strip.png")
async def strip(desk: AtDesk, name: Name) -> Response:
    """Before, mask and after in one picture."""
    session = await desk.work(lambda: desk.shelf.get(name))
    return png(
        await desk.work(lambda: session.strip(desk.studio_of(session))), download=f"{stem(session)}-before-after.png"
    )


@router.get("/sessions/{name}/photo.{kind}")
async def photo(desk: AtDesk, name: Name, kind: Literal["png", "jpg"]) -> Response:
    """The whole photo with the result in its place."""
    session = await desk.work(lambda: desk.shelf.get(name))
    data = await desk.work(lambda: session.in_photo(desk.studio_of(session), f".{kind}"))
    return attached(data, _TYPES[kind], f"{stem(session)}-edited.{kind}")


@router.get("/sessions/{name}/session.zip")
async def archive(desk: AtDesk, name: Name) -> Response:
    """Everything, to go on with."""
    session = await desk.work(lambda: desk.shelf.get(name))

    def job() -> bytes:
        learned = desk.learning.file_of(session) if session.personal else None
        return pack(session, desk.studio_of(session), learned)

    data = await desk.work(job)
    return attached(data, "application/zip", f"{stem(session)}-session.zip")


@router.post("/sessions/{name}/as-mask")
async def as_mask(desk: AtDesk, request: Request, name: Name) -> Response:
    """The label map that a picture file holds, at the session's side; no content if the file is no mask."""

    def job(data: bytes) -> Response:
        session, labels = desk.shelf.get(name), decode_mask(data)
        return Response(status_code=204) if labels is None else raw(fitted(labels, session).tobytes())

    return await desk.work_on(request, job)


@router.get("/sessions/{name}/history")
async def history(desk: AtDesk, name: Name) -> Response:
    """The steps of undo as the page packed them; no content if there are none."""
    path = (await desk.work(lambda: desk.shelf.get(name))).folder / HISTORY
    return raw(path.read_bytes()) if path.is_file() else Response(status_code=204)


@router.post("/sessions/{name}/history")
async def keep_history(desk: AtDesk, request: Request, name: Name) -> Response:
    """Keep the steps of undo with the session. Only the page reads them."""
    data = await read_body(request.stream(), _HISTORY_LIMIT)
    session = await desk.work(lambda: desk.shelf.get(name))
    await desk.work(lambda: write_bytes(session.folder / HISTORY, data))
    return Response(status_code=204)


@router.get("/sessions/{name}/learning")
async def learning(desk: AtDesk, name: Name) -> dict[str, Any]:
    """How far the person of a session is learned."""
    session = await desk.work(lambda: desk.shelf.get(name))
    return desk.learning.state(session)


@router.post("/sessions/{name}/learning")
async def learn(desk: AtDesk, name: Name, cancel: bool = False) -> dict[str, Any]:
    """Begin to learn the person of a session, or stop."""
    session = await desk.work(lambda: desk.shelf.get(name))
    if cancel:
        desk.learning.cancel()
    else:
        desk.learning.start(session)
    return desk.learning.state(session)


@router.post("/sessions/{name}/personal")
async def personal(desk: AtDesk, name: Name, on: bool) -> dict[str, Any]:
    """Whether to paint with what was learned of the person."""

    def job() -> dict[str, Any]:
        session = desk.shelf.get(name)
        session.personal = on
        session.save()
        return desk.describe(session)

    return await desk.work(job)


def fitted(labels: LabelMap, session: Session) -> LabelMap:
    """A mask of the face, or of the whole photo, as one of the session's side (S, S).

    Raises:
        InputError: a mask of another shape.
    """
    path, square = session.folder / "photo", session.face.square
    if square is not None and path.is_file() and read_image(path).shape[:2] == labels.shape:
        return cut_labels(labels, square, session.side)
    if labels.shape[0] != labels.shape[1]:
        raise InputError(
            "the mask", expected="a square mask of the face, or one of the photo's size",
            found=f"{labels.shape[1]}x{labels.shape[0]}",
        )  # fmt: skip
    return resize_labels(labels, session.side)
