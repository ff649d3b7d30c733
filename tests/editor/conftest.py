"""A running editor with a very small network, and a browser."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
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
    editor = Editor(studio, Shelf(tmp_path_factory.mktemp("editor")), port=0)
    thread = threading.Thread(target=editor.run)
    thread.start()
    for _ in range(200):
        if editor.server.started:
            break
        time.sleep(0.05)
    yield editor
    editor.server.should_exit = True
    thread.join()


class Client:
    """A caller with the token."""

    def __init__(self, editor: Editor) -> None:
        self.url = editor.url

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **options)

    def post(self, path: str, data: bytes = b"", **options: Any) -> requests.Response:
        return requests.post(self.url + path, data, timeout=60, **options)


@pytest.fixture
def client(editor: Editor) -> Client:
    return Client(editor)


@pytest.fixture
def page(editor: Editor) -> Iterator[Any]:
    """A page of Debian's Chromium; an error in it fails the test."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    failures: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 800}).new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
        yield page
        browser.close()
    assert failures == []
