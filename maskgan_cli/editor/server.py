"""The application: the files of the page, the routes, and error responses. `guard` controls the access."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from maskgan_cli import __version__
from maskgan_cli.editing.faces.search import NoFace
from maskgan_cli.editing.masks.library import DIRECTIONS, ITEMS
from maskgan_cli.editing.masks.swap import BEHIND
from maskgan_cli.editor import example_faces, file_routes, routes
from maskgan_cli.editor.composed_mask import PARTS, REMOVABLE
from maskgan_cli.editor.request_context import Context, RequestContext
from maskgan_cli.editor.uploads import MAX_BYTES, TooLarge
from maskgan_cli.editor.worker import Busy, Superseded
from maskgan_cli.errors import InputError, MaskGANError
from maskgan_cli.labels import CLASSES, FLIP_IDS, GROUPS, ID, PALETTE

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


def page_files() -> dict[str, tuple[bytes, str]]:
    """Return a dict from each file name of the page to its content and media type. No other files are served."""
    folder = resources.files("maskgan_cli.editor") / "page"
    return {
        entry.name: (entry.read_bytes(), _TYPES[Path(entry.name).suffix])
        for entry in folder.iterdir()
        if entry.is_file() and Path(entry.name).suffix in _TYPES
    }


def make_app(context: RequestContext) -> FastAPI:
    """Return the application, which has no access control and must be wrapped in a `Guard`."""
    app = FastAPI(title="maskgan edit", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    files = page_files()
    for kind in (MaskGANError, RequestValidationError, Busy, Superseded, HTTPException, Exception):
        app.add_exception_handler(kind, handle_error)

    @app.get("/")
    async def index() -> Response:
        return _file(files, "index.html")

    @app.get("/page/{name}")
    async def page(name: str) -> Response:
        return _file(files, name)

    app.get("/api/about")(about)
    app.include_router(file_routes.router)
    app.include_router(routes.router)
    return app


async def about(context: Context) -> dict[str, Any]:
    """Return a dict of constants for the page: classes, their colours, examples, sliders, accessories and limits."""
    return {
        "version": __version__,
        "start": context.start,
        "classes": CLASSES,
        "colours": [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in PALETTE.tolist()],
        "mirror": FLIP_IDS[: len(CLASSES)].tolist(),
        "groups": {k: [ID[n] for n in v] for k, v in GROUPS.items()},
        "behind": {ID[k]: [ID[n] for n in v] for k, v in BEHIND.items()},
        "examples": _named(example_faces.EXAMPLES),
        "directions": _named(DIRECTIONS),
        "items": _named(ITEMS),
        "removable": [{"name": name, "title": title, "parts": PARTS[name]} for name, title in REMOVABLE.items()],
        "size": context.models.size,
        "most_bytes": MAX_BYTES,
        "weights": context.models.weights.sha256[:12],
    }


def _named(titles: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "title": title} for name, title in titles.items()]


async def handle_error(_: Request, error: Exception) -> Response:
    """Make the response for an error: a status code and one line of text (JSON). Responses never expose paths."""
    if isinstance(error, Superseded):
        return Response(status_code=204, headers={"x-superseded": "1"})
    if isinstance(error, Busy):
        return _line("the editor is busy; try again in a moment", 503, {"retry-after": "2"})
    if isinstance(error, NoFace):
        return JSONResponse({"error": str(error), "kind": "no face"}, 422)
    if isinstance(error, InputError):
        return _line(str(error), 413 if isinstance(error, TooLarge) else 422)
    if isinstance(error, RequestValidationError):
        return _line("an invalid request", 422)
    if isinstance(error, HTTPException):
        return _line("no such page" if error.status_code == 404 else "method not allowed", error.status_code)
    if isinstance(error, MaskGANError):
        return _line(str(error), 500)
    return _line("an unexpected error: see the terminal for details", 500)  # uvicorn logs the traceback


def _line(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": text}, status, headers)


def _file(files: dict[str, tuple[bytes, str]], name: str) -> Response:
    if name not in files:
        return _line("no such page", 404)
    data, kind = files[name]
    return Response(data, media_type=kind)
