"""Objects that the routes share: the networks, the sessions, the worker thread, and a limit on uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request, Response

from maskgan_cli.editor.composed_mask import Composer
from maskgan_cli.editor.edited_face import EditedFace
from maskgan_cli.editor.learning import Learning
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.session import Session
from maskgan_cli.editor.session_store import SessionStore
from maskgan_cli.editor.uploads import read_body
from maskgan_cli.editor.worker import Busy, Worker

T = TypeVar("T")

_UPLOADS: Final = 4  # uploads that are processed at the same time
_WAITING: Final = 12  # uploads that may wait


class UploadLimit:
    """An async context manager that limits concurrent uploads; each upload is processed in the block.

    Args:
        active: number of uploads that may be in the block at the same time.
        waiting: number of uploads that may wait for the block; further uploads raise `Busy`.
    """

    def __init__(self, active: int, waiting: int) -> None:
        self._active, self._free = asyncio.Semaphore(active), active + waiting

    async def __aenter__(self) -> None:
        if self._free == 0:
            raise Busy
        self._free -= 1
        await self._active.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._free += 1
        self._active.release()


@dataclass(frozen=True)
class RequestContext:
    """The objects that the routes share.

    Attributes:
        models: the networks; only the worker thread uses them.
        store: the sessions.
        worker: the thread for all computations.
        start: id of the session that the page opens, or an empty string.
        composer: composes masks; only the worker thread uses it.
        learning: personalisation in the background.
        uploads: the limit on concurrent uploads.
    """

    models: Models
    store: SessionStore
    worker: Worker
    start: str = ""
    composer: Composer = field(default_factory=Composer)
    learning: Learning = field(init=False)
    uploads: UploadLimit = field(default_factory=lambda: UploadLimit(_UPLOADS, _WAITING))

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning", Learning(self.store.root / "people", self.models.files))

    async def work(self, job: Callable[[], T]) -> T:
        """Run the function ``job`` in the worker thread and return what it returns.

        Raises:
            Busy: too many jobs are waiting.
        """
        return await asyncio.wrap_future(self.worker.submit(job))

    def begin(self, face: EditedFace, name: str, photo: bytes | None, *, chosen: bool = False) -> Session:
        """Make a new session, add it to the store and return it; for the parameters, see `Session.begin`."""
        return self.store.add(Session.begin(self.store.root, face, name, photo, chosen=chosen))

    def describe(self, session: Session) -> dict[str, Any]:
        """Return the state of a session as a dict for the page.

        The dict has the entries of `Session.state` and two more: ``earlier``, the id of an earlier session that edits
        the same file (see `SessionStore.earlier`), and ``learned``, whether personalised weights for the face exist.
        """
        learned = self.learning.file_of(session) is not None
        return {**session.state(), "earlier": self.store.earlier(session), "learned": learned}

    def models_of(self, session: Session) -> Models:
        """Return the networks for a session, with its personalised weights if they exist and are enabled."""
        path = self.learning.file_of(session) if session.personal else None
        return self.models if path is None else self.models.with_weights(path)

    async def work_on(self, request: Request, job: Callable[[bytes], T]) -> T:
        """Read the body of a request, run ``job(body)`` in the worker thread, and return what ``job`` returns.

        The attribute ``uploads`` limits the number of bodies that are in memory at a time.

        Raises:
            TooLarge: the body is too large.
            Busy: too many uploads or jobs are waiting.
        """
        async with self.uploads:
            data = await read_body(request.stream())
            return await self.work(lambda: job(data))


def _context(request: Request) -> RequestContext:
    context: RequestContext = request.app.state.context
    return context


Context = Annotated[RequestContext, Depends(_context)]


def png(data: bytes, *, download: str = "", extra: dict[str, str] | None = None) -> Response:
    """Make a response with a PNG file.

    Args:
        data: the bytes of the file.
        download: file name under which the browser saves the file; if empty, the browser does not save it.
        extra: further headers.
    """
    return attached(data, "image/png", download, extra)


def raw(data: bytes) -> Response:
    """Make a response with raw bytes, e.g. a label map with one byte per pixel."""
    return attached(data, "application/octet-stream", "", None)


def attached(data: bytes, kind: str, download: str, extra: dict[str, str] | None = None) -> Response:
    """Make a response with data.

    Args:
        data: the content.
        kind: its media type.
        download: file name under which the browser saves the data; if empty, the browser does not save them.
        extra: further headers.
    """
    headers = dict(extra or {})
    if download:
        headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(download)}"
    return Response(data, media_type=kind, headers=headers)
