"""What every route needs: the networks, the sessions, the worker, and a gate for what is uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request, Response

from maskgan_cli.editor.compose import Composer
from maskgan_cli.editor.face import Face
from maskgan_cli.editor.learning import Learning
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.shelf import Shelf
from maskgan_cli.editor.studio import Studio
from maskgan_cli.editor.uploads import read_body
from maskgan_cli.editor.worker import Busy, Worker

T = TypeVar("T")

_UPLOADS: Final = 4  # files that are read or worked on at the same time
_WAITING: Final = 12  # and how many may wait for that


class Gate:
    """Lets a few in, has a few wait, turns the others away."""

    def __init__(self, inside: int, waiting: int) -> None:
        self._places, self._free = asyncio.Semaphore(inside), inside + waiting

    async def __aenter__(self) -> None:
        if self._free == 0:
            raise Busy
        self._free -= 1
        await self._places.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._free += 1
        self._places.release()


@dataclass(frozen=True)
class Desk:
    """Everything in one place.

    Attributes:
        studio: the networks; only the worker's thread uses them.
        shelf: the sessions.
        worker: does everything that computes.
        start: name of the session that the page opens with, or "".
        learning: what is learned of persons, in the background.
        composer: makes masks of sliders and things put on; only the worker's thread uses it.
    """

    studio: Studio
    shelf: Shelf
    worker: Worker
    start: str = ""
    composer: Composer = field(default_factory=Composer)
    learning: Learning = field(init=False)
    gate: Gate = field(default_factory=lambda: Gate(_UPLOADS, _WAITING))

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning", Learning(self.shelf.root / "people", self.studio.files))

    async def work(self, job: Callable[[], T]) -> T:
        """Have something computed.

        Raises:
            Busy: too much is waiting.
        """
        return await asyncio.wrap_future(self.worker.submit(job))

    def begin(self, face: Face, name: str, photo: bytes | None, *, chosen: bool = False) -> Session:
        """A new session, at hand."""
        return self.shelf.add(Session.begin(self.shelf.root, face, name, photo, chosen=chosen))

    def describe(self, session: Session) -> dict[str, Any]:
        """A session's state, and which earlier session holds an edit of the same file."""
        learned = self.learning.file_of(session) is not None
        return {**session.state(), "earlier": self.shelf.earlier(session), "learned": learned}

    def studio_of(self, session: Session) -> Studio:
        """The networks that paint a session: with what was learned of the person, if that is wanted and there."""
        path = self.learning.file_of(session) if session.personal else None
        return self.studio if path is None else self.studio.with_weights(path)

    async def work_on(self, request: Request, job: Callable[[bytes], T]) -> T:
        """Have something computed from the file that a request brings. Few files are in memory at the same time.

        Raises:
            TooLarge: more than is read.
            Busy: too many are coming in.
        """
        async with self.gate:
            data = await read_body(request.stream())
            return await self.work(lambda: job(data))


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(_desk)]


def png(data: bytes, *, download: str = "", extra: dict[str, str] | None = None) -> Response:
    """A PNG file as an answer; with ``download``, to be saved under that name."""
    return attached(data, "image/png", download, extra)


def raw(data: bytes) -> Response:
    """A label map as the page reads it: a byte per pixel."""
    return attached(data, "application/octet-stream", "", None)


def attached(data: bytes, kind: str, download: str, extra: dict[str, str] | None = None) -> Response:
    """Bytes of a kind as an answer."""
    headers = dict(extra or {})
    if download:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(download)}"
    return Response(data, media_type=kind, headers=headers)
