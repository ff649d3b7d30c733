"""Tests of downloads from a local server: a complete and correct file, or one error line and no partial file."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.kinds import Kind
from maskgan_cli.models.perceptual import VGG19Features
from maskgan_cli.networks import KINDS, published
from maskgan_cli.weights.fetch import fetch
from tests.conftest import Command
from tests.weights.checkpoints import filled

CONTENT = bytes(range(256)) * 3000  # three blocks of a download
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``files``; the first folder of the path selects a fault."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"w.pth": CONTENT}
        self.ranges: list[str | None] = []
        self.version = '"v1"'

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        _, how, name = self.path.split("/")
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        if name not in self.server.files:
            self.send_error(404)
            return
        content = self.server.files[name]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and how != "forgetful" else 0
        if self.headers["If-Range"] not in (None, self.server.version):
            start = 0
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if how == "dies":
            self.send_header("ETag", self.server.version)
        self.end_headers()
        sent = {
            "breaks": 0,
            "dies": 300_000 if len(self.server.ranges) == 1 else 0 if len(self.server.ranges) < 3 else None,
            "stutters": 300_000,
            "forgetful": 400_000 if len(self.server.ranges) == 1 else None,
        }
        if how == "breaks" and not start:
            sent["breaks"] = 1000
        self.wfile.write(body[: sent.get(how)])  # and hang up

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "downloads"


def _entry(*urls: str, sha256: str = "") -> Kind:
    vgg19 = KINDS["vgg19"]
    assert vgg19.published is not None
    return replace(vgg19, published=replace(vgg19.published, urls=urls, sha256=sha256))


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _closed_port() -> int:
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("known", [DIGEST, DIGEST[:8], ""])
def test_a_correct_file_is_downloaded_once(known: str, server: Server, cache: Path) -> None:
    seen: list[tuple[int, int]] = []
    entry = _entry(server.url("good/w.pth"), sha256=known)
    path = fetch(entry, lambda done, total: seen.append((done, total)))
    assert path == cache / "w.pth"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert fetch(entry) == path
    assert len(server.ranges) == 1, "the second time nothing is downloaded"
    assert json.loads((cache / "pins.json").read_text()) == {"w.pth": DIGEST}


@pytest.mark.parametrize("known", ["0" * 64, "00000000"])
def test_a_wrong_hash_is_rejected(known: str, server: Server, cache: Path) -> None:
    with pytest.raises(
        WorkError, match=rf"sent a file whose SHA-256 {DIGEST} is not the published {known}; the file was"
    ):
        fetch(_entry(server.url("good/w.pth"), sha256=known))
    assert _files(cache) == []


def test_an_unknown_hash_is_pinned_by_the_first_download(server: Server, cache: Path) -> None:
    entry = _entry(server.url("good/w.pth"))
    fetch(entry).unlink()
    server.files["w.pth"] = CONTENT[::-1]
    with pytest.raises(WorkError, match=f"is not the first download's {DIGEST}; the file was deleted"):
        fetch(entry)
    assert _files(cache) == ["pins.json"]
    server.files["w.pth"] = CONTENT
    assert fetch(entry).read_bytes() == CONTENT


@pytest.mark.parametrize("how", ["stutters", "forgetful"])
def test_a_broken_connection_is_resumed(how: str, server: Server) -> None:
    assert fetch(_entry(server.url(f"{how}/w.pth"), sha256=DIGEST)).read_bytes() == CONTENT
    # What is written are whole blocks of 262,144 bytes; the rest of a broken one comes again.
    asked = {"stutters": [None, "bytes=262144-", "bytes=524288-"], "forgetful": [None, "bytes=262144-"]}
    assert server.ranges == asked[how]


def test_an_interrupted_download_of_the_same_file_is_resumed(server: Server, cache: Path) -> None:
    entry = _entry(server.url("dies/w.pth"), sha256=DIGEST)
    with pytest.raises(WorkError, match="broke off before the end; the same command resumes it"):
        fetch(entry)
    assert _files(cache) == ["w.pth.part", "w.pth.part.json"]
    assert fetch(entry).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=262144-", "bytes=262144-"]
    assert _files(cache) == ["pins.json", "w.pth"]


@pytest.mark.parametrize("note", ["another version", "damaged", "none", "another file"])
def test_a_partial_download_of_another_file_is_not_resumed(note: str, server: Server, cache: Path) -> None:
    url = server.url("dies/w.pth")
    cache.mkdir(parents=True)
    (cache / "w.pth.part").write_bytes(b"x" * 262_144)
    notes = {
        "another version": json.dumps({"url": url, "etag": '"v0"'}),
        "damaged": "[" * 100_000,
        "another file": json.dumps({"url": url + "x", "etag": '"v1"'}),
    }
    if note in notes:
        (cache / "w.pth.part.json").write_text(notes[note])
    server.ranges = [None, None]  # the server is past its dying
    assert fetch(_entry(url, sha256=DIGEST)).read_bytes() == CONTENT
    assert server.ranges[2:] == ["bytes=262144-" if note == "another version" else None]


def test_old_partial_downloads_are_deleted(server: Server, cache: Path) -> None:
    cache.mkdir(parents=True)
    for name, hours in (("tmpa1b2", 25), ("o.pth.part", 25), ("o.pth.part.json", 25), ("n.pth.part", 1), ("k.pth", 99)):
        (cache / name).touch()
        long_ago = time.time() - hours * 3600
        os.utime(cache / name, (long_ago, long_ago))
    fetch(_entry(server.url("good/w.pth")))
    assert _files(cache) == ["k.pth", "n.pth.part", "pins.json", "w.pth"]


def test_a_published_hash_takes_precedence_over_a_pin(server: Server, cache: Path) -> None:
    server.files["w.pth"] = CONTENT[::-1]
    forged = hashlib.sha256(CONTENT[::-1]).hexdigest()
    cache.mkdir(parents=True)
    (cache / "pins.json").write_text(json.dumps({"w.pth": forged}))
    for known in (DIGEST[:8], DIGEST):
        with pytest.raises(WorkError, match=f"{forged} is not the published {known}; the file was deleted"):
            fetch(_entry(server.url("good/w.pth"), sha256=known))
    server.files["w.pth"] = CONTENT
    assert fetch(_entry(server.url("good/w.pth"), sha256=DIGEST[:8])).read_bytes() == CONTENT
    assert json.loads((cache / "pins.json").read_text()) == {"w.pth": DIGEST}
    for damage in ("[]", "{", '{"w.pth": 5}', "[" * 100_000):
        (cache / "pins.json").write_text(damage)
        with pytest.raises(InputError, match=r"pins\.json: expected"):
            fetch(_entry(server.url("good/w.pth")))


def test_a_failed_download_leaves_no_file(server: Server, cache: Path) -> None:
    with pytest.raises(WorkError, match="broke off before the end; the partial file was deleted; try again later"):
        fetch(_entry(server.url("breaks/w.pth"), sha256=DIGEST))
    assert _files(cache) == []


def test_messages_without_network_or_file(server: Server, cache: Path) -> None:
    nowhere = f"http://127.0.0.1:{_closed_port()}/w.pth"
    with pytest.raises(WorkError, match=r"cannot be reached \(no network, or no such server\)"):
        fetch(_entry(nowhere))
    with pytest.raises(WorkError, match="answered 404"):
        fetch(_entry(server.url("good/none.pth")))
    assert _files(cache) == []


def test_mirrors_are_tried_in_order(server: Server) -> None:
    nowhere = f"http://127.0.0.1:{_closed_port()}/w.pth"
    urls = (nowhere, server.url("good/none.pth"), server.url("good/w.pth"))
    assert fetch(_entry(*urls, sha256=DIGEST)).read_bytes() == CONTENT
    with pytest.raises(WorkError) as failure:
        fetch(_entry(*urls[:2], sha256="1" * 64))
    assert "cannot be reached" in str(failure.value)
    assert "answered 404" in str(failure.value)


def test_weights_that_need_a_browser_give_their_address() -> None:
    for name in ("dmn", "vae", "parser", "pose", "identity"):
        with pytest.raises(InputError, match=rf"download it from https://.* `maskgan weights import {name} FILE`"):
            fetch(KINDS[name])


def test_a_full_disk_is_reported_and_no_other_mirror_is_tried(server: Server, cache: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(WorkError, match=r"^\S*/w\.pth\.part: could not be written: file too large$"):
            fetch(_entry(server.url("good/w.pth"), server.url("good/w.pth")))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(server.ranges) == 1


def test_pull_imports_into_the_cache_and_deletes_the_download(
    server: Server, cache: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = filled({name: tuple(t.shape) for name, t in VGG19Features().state_dict().items()})
    torch.save(theirs, tmp_path / "vgg.pth")
    server.files["vgg.pth"] = (tmp_path / "vgg.pth").read_bytes()
    digest = hashlib.sha256(server.files["vgg.pth"]).hexdigest()
    entry = _entry(server.url("good/vgg.pth"), sha256=digest[:8])
    monkeypatch.setitem(KINDS, "vgg19", entry)
    outcome = maskgan("weights", "pull", "vgg19")
    out = cache.parent / "weights" / "vgg19.safetensors"
    assert (outcome.code, outcome.lines) == (0, [str(out)])
    assert "BSD-3-Clause" in outcome.err
    assert "only 8 of the 64 digits of its SHA-256 are published" in outcome.err
    assert out.with_suffix(".md").is_file()
    assert _files(cache) == ["pins.json"]
    listed = json.loads(maskgan("weights", "list", "--json").out)["weights"]
    assert {row["name"]: row["here"] for row in listed}["vgg19"] is True
    assert maskgan("weights", "pull", "vgg19").lines == [str(out)]
    assert len(server.ranges) == 1
    server.files["vgg.pth"] = b"other"
    outcome = maskgan("weights", "pull", "vgg19", "--overwrite")
    assert (outcome.code, outcome.out) == (1, "")
    assert out.is_file(), "the existing file is kept"
    outcome = maskgan("weights", "pull", "vgg91", "-q")
    assert (outcome.code, "did you mean vgg19?" in outcome.err, len(outcome.err.splitlines())) == (2, True, 1)


def test_an_interrupted_pull_is_completed_by_the_next_one(
    server: Server, cache: Path, tmp_path: Path, maskgan: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = filled({name: tuple(t.shape) for name, t in VGG19Features().state_dict().items()})
    torch.save(theirs, tmp_path / "vgg.pth")
    server.files["vgg.pth"] = (tmp_path / "vgg.pth").read_bytes()
    monkeypatch.setitem(KINDS, "vgg19", _entry(server.url("good/vgg.pth")))
    assert maskgan("weights", "pull", "vgg19").code == 0
    # As after a kill between the weights and their card, and before each of two renames.
    weights = cache.parent / "weights"
    card = (weights / "vgg19.md").read_bytes()
    (weights / "vgg19.md").unlink()
    (cache / "pins.json").unlink()
    (cache / "vgg.pth").write_bytes(server.files["vgg.pth"])
    (weights / ".vgg19-0123abcd.tmp.md").touch()
    (weights / ".other-0123abcd.tmp.md").touch()  # of an import that goes on, perhaps
    (cache / ".pins-0123abcd.tmp.json").touch()
    assert maskgan("weights", "pull", "vgg19").code == 0
    assert (weights / "vgg19.md").read_bytes() == card
    assert _files(weights) == [".other-0123abcd.tmp.md", "vgg19.md", "vgg19.safetensors"]
    assert _files(cache) == ["pins.json"]
    assert len(server.ranges) == 1, "nothing is downloaded again"
    (cache.parent / ".downloads.lock").touch()  # as after a kill at the very end
    assert maskgan("weights", "pull", "vgg19").code == 0
    assert _files(cache.parent) == ["downloads", "weights"]


def test_the_list_is_csv_with_every_kind(maskgan: Command) -> None:
    lines = maskgan("weights", "list").lines
    assert lines[0].split(",")[:4] == ["name", "here", "pull", "megabytes"]
    assert [line.split(",")[0] for line in lines[1:]] == list(published())
    assert all(line.split(",")[1] == "no" for line in lines[1:])
    rows = {row["name"]: row for row in csv.DictReader(lines)}
    assert rows["vgg19"]["check"] == "weak: 8 of 64 digits published"
    assert rows["dmn"]["check"] == "no published hash: later downloads are compared with the first"


def test_the_list_is_a_table_on_a_terminal(maskgan: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    outcome = maskgan("weights", "list")
    assert "weak: 8 of 64 digits" in outcome.out
    assert "│ vgg19" in outcome.out
    monkeypatch.setenv("MASKGAN_CACHE", "x" * 300)
    assert maskgan("weights", "list").out == outcome.out, "a cache that cannot be read holds nothing"
