"""The browser editor's application, called without a network."""

from __future__ import annotations

import asyncio
import random
import shutil
import zlib
from pathlib import Path
from typing import Any

from maskgan_cli.editor.edited_face import EditedFace
from maskgan_cli.editor.models import Files, Models
from maskgan_cli.editor.request_context import RequestContext
from maskgan_cli.editor.server import make_app
from maskgan_cli.editor.session import Session, new_id
from maskgan_cli.editor.session_store import SessionStore
from maskgan_cli.editor.worker import Worker
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_image, read_label_map
from maskgan_cli.weights.lookup import bundled
from tests.hard.stock import Stock, contents

_WORDS = (
    "",
    "0",
    "-1",
    "1",
    "99",
    "1e9",
    "nan",
    "inf",
    "null",
    "../../x",
    "%00",
    "%2e%2e%2f",
    "x" * 300,
    "smile",
    "hair",
    "skin,mouth",
    "glasses-round",
    "rendered-0",
    "seamless",
    "bare",
    "true",
    "face",
    "mask",
    "%d9%a1",
    "%f0%9f%92%a9",
)
_PATHS = (
    "render",
    "swap",
    "compose",
    "range",
    "parse",
    "others",
    "face.labels",
    "mask.labels",
    "result.png",
    "photo.png",
    "photo.jpg",
    "thumbnail.jpg",
    "as-mask",
    "history",
    "strip.png",
    "mask.png",
    "session.zip",
    "command",
    "others/1.png",
    "others/-1.png",
    "x",
    "",
)
_QUERIES = (
    "revision",
    "style",
    "finish",
    "preview",
    "other",
    "parts",
    "sliders",
    "items",
    "removed",
    "example",
    "name",
)
_SENSIBLE = {
    "revision": "1",
    "other": "1",
    "parts": "mouth",
    "sliders": "smile:0.5",
    "items": "glasses-round",
}


class Door:
    """Requests that a hostile page could send if it knew the token."""

    def __init__(self, stock: Stock, root: Path) -> None:
        parser = bundled("parser")
        assert parser is not None
        self.models = Models(Files(stock.dmn, stock.vae, parser), "cpu")
        self.store, self.stock = SessionStore(root), stock
        self.context = RequestContext(self.models, self.store, Worker())
        self.app, self.loop = make_app(self.context), asyncio.new_event_loop()

    def session(self) -> Session:
        """A session with another face."""
        picture, labels = (self.stock.plain / kind / "0.png" for kind in ("images", "masks"))
        face = EditedFace(read_image(picture), read_label_map(labels))
        session = self.context.begin(face, "a face", None)
        session.add_other(face)
        return session

    def archive(self, session: Session) -> bytes:
        """The session as a file."""
        from maskgan_cli.editor.archive import pack

        return pack(session, self.models)

    def folder(self, session: Session) -> dict[str, bytes]:
        """The session's files."""
        return {f"{session.id}/{name}": data for name, data in contents(session.folder).items()}

    def resume(self, at: Path) -> None:
        """Open a session's folder and paint it, as a reload does."""
        for folder in sorted(path for path in at.iterdir() if path.is_dir()):
            session = Session.resume(at, folder.name)
            session.state()
            session.result(self.models)

    def request(self, path: Path, session: Session) -> None:
        """One request; the file is its body and decides the rest of it."""
        body = path.read_bytes()
        rng = random.Random(zlib.crc32(body))
        place = rng.choice(_PATHS)
        names = rng.sample(_QUERIES, rng.randrange(4))
        query = {name: rng.choice(_WORDS) for name in names}
        if rng.random() < 0.7:
            query |= {name: value for name, value in _SENSIBLE.items() if rng.random() < 0.8}
        name = rng.choice((session.id,) * 9 + (new_id(), "..", "x" * 100))
        elsewhere = (
            "/api/sessions",
            f"/api/examples/{rng.choice(_WORDS)}.png",
            f"/page/{rng.choice(_WORDS)}",
            "/api/about",
        )
        where = f"/api/sessions/{name}/{place}" if rng.random() < 0.9 else rng.choice(elsewhere)
        method = rng.choice(("POST", "POST", "GET"))
        self._ask(method, where, "&".join(f"{k}={v}" for k, v in query.items()), body)

    def upload(self, path: Path) -> None:
        """Open a session file."""
        self._ask("POST", "/api/sessions", "", path.read_bytes())

    def _ask(self, method: str, where: str, query: str, body: bytes) -> None:
        status, answer = self.loop.run_until_complete(self._call(method, where, query, body))
        for folder in list(self.store.root.iterdir())[20:]:
            if folder.name not in self.store._open:
                shutil.rmtree(folder)
        if status >= 500 and status != 503:
            raise RuntimeError(f"{method} {where[:80]}?{query[:200]} answered {status}: {answer[:200]!r}")
        if status >= 400:
            raise InputError(answer.decode("utf-8", "replace")[:500])

    async def _call(self, method: str, where: str, query: str, body: bytes) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)  # what it raises was answered with 500 before: starlette hands it on
        content = b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
        return int(sent[0]["status"]), content
