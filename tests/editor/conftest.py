"""A running editor with very small networks, and a browser: one of each for all tests of a module."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from maskgan_cli.editor.serve import Editor
from maskgan_cli.editor.shelf import Shelf
from maskgan_cli.editor.studio import Files, Studio
from maskgan_cli.weights.lookup import bundled

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def studio(weights: Path) -> Studio:
    """A very small generator; MaskVAE and parser as they are bundled."""
    vae, parser = bundled("vae"), bundled("parser")
    assert vae and parser
    return Studio(Files(weights / "model.safetensors", vae, parser), "cpu")


@pytest.fixture(scope="session")
def editor(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """The server in a thread of this process."""
    with serving(studio, tmp_path_factory.mktemp("editor"), 0) as editor:
        yield editor


@contextmanager
def serving(studio: Studio, folder: Path, port: int | None, start: str = "") -> Iterator[Editor]:
    """A server of one folder's sessions, in a thread."""
    editor = Editor(studio, Shelf(folder), port=port, start=start)
    thread = threading.Thread(target=editor.run)
    thread.start()
    while not editor.server.started:
        time.sleep(0.02)
    yield editor
    editor.server.should_exit = True
    thread.join()


class Client:
    """A caller with the token."""

    def __init__(self, editor: Editor) -> None:
        self.url, self.session = editor.url, requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=60, **options)

    def post(self, path: str, data: bytes = b"", **options: Any) -> requests.Response:
        return self.session.post(self.url + path, data, timeout=60, **options)


@pytest.fixture
def client(editor: Editor) -> Iterator[Client]:
    client = Client(editor)
    yield client
    client.session.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium. Of a module, not of the session: Playwright's event loop would be in others' way."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def options() -> dict[str, Any]:
    """How the page's window is: see Playwright's `new_context`."""
    return {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def failures() -> list[str]:
    """What the page complains of; a test takes out what it expects."""
    return []


@pytest.fixture
def page(browser: Any, options: dict[str, Any], failures: list[str]) -> Iterator[Any]:
    """A page with a memory of its own; an error in it fails the test."""
    context = browser.new_context(accept_downloads=True, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert failures == []
