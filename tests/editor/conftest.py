"""Fixtures: a running editor with very small networks, and a browser, shared by all tests of a module."""

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

from maskgan_cli.editor.models import Files, Models
from maskgan_cli.editor.serve import EditorServer
from maskgan_cli.editor.session_store import SessionStore
from maskgan_cli.weights.lookup import bundled

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def models(weights: Path) -> Models:
    """A very small generator with the bundled MaskVAE and parser."""
    vae, parser = bundled("vae"), bundled("parser")
    assert vae and parser
    return Models(Files(weights / "model.safetensors", vae, parser), "cpu")


@pytest.fixture(scope="session")
def editor(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EditorServer]:
    """An editor server in a thread of this process."""
    with serving(models, tmp_path_factory.mktemp("editor"), 0) as editor:
        yield editor


@contextmanager
def serving(models: Models, folder: Path, port: int | None, start: str = "") -> Iterator[EditorServer]:
    """Run a server for the sessions of a folder in a thread."""
    editor = EditorServer(models, SessionStore(folder), port=port, start=start)
    thread = threading.Thread(target=editor.run)
    thread.start()
    while not editor.server.started:
        time.sleep(0.02)
    yield editor
    editor.server.should_exit = True
    thread.join()


class Client:
    """An HTTP client that knows the token."""

    def __init__(self, editor: EditorServer) -> None:
        self.url, self.session = editor.url, requests.Session()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(self.url + path, timeout=60, **options)

    def post(self, path: str, data: bytes = b"", **options: Any) -> requests.Response:
        return self.session.post(self.url + path, data, timeout=60, **options)


@pytest.fixture
def client(editor: EditorServer) -> Iterator[Client]:
    client = Client(editor)
    yield client
    client.session.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium. Its scope is a module, because Playwright's event loop would disturb other tests."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of Playwright's `new_context`."""
    return {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def failures() -> list[str]:
    """Errors of the page; a test removes those that it expects."""
    return []


@pytest.fixture
def page(browser: Any, options: dict[str, Any], failures: list[str]) -> Iterator[Any]:
    """A page with its own storage; an error in it fails the test."""
    context = browser.new_context(accept_downloads=True, **options)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    assert failures == []
