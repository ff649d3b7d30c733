"""Tests of access control: only the page is served, and malicious requests and uploads are rejected."""

from __future__ import annotations

import asyncio
import http.client
import io
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
import requests
from PIL import Image
from starlette.types import Message, Receive, Scope, Send

from maskgan_cli.editor.guard import Guard
from maskgan_cli.editor.serve import EditorServer
from tests.editor.conftest import Client


def _alive(client: Client) -> bool:
    return client.get("api/about").json()["size"] == 64


def _png(width: int, height: int) -> bytes:
    """A small PNG that claims any size, with the compressed data of one black row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _noise() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_requests_without_the_token_are_rejected(editor: EditorServer, client: Client) -> None:
    root = f"http://127.0.0.1:{editor.port}/"
    for path in ("", "api/about", "wrong/", "wrong/api/about", editor.token[:-1] + "/", editor.token + "x/api/about"):
        answer = requests.get(root + path, timeout=10)
        assert answer.status_code == 404
        assert answer.json()["error"] == "no such page: open the address that `maskgan edit` printed"
    assert _alive(client)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_requests_of_other_pages_are_rejected(editor: EditorServer, client: Client, origin: str) -> None:
    headers = {"origin": origin.format(port=editor.port)}
    for answer in (
        client.get("api/about", headers=headers),
        client.post("api/sessions?example=rendered-0", headers=headers),
    ):
        assert answer.status_code == 403
        assert answer.json()["error"] == "requests of other pages are not answered"
    assert client.post("api/sessions?example=x", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert _alive(client)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "", "10.0.0.7:{port}"]
)
def test_other_host_names_are_rejected(editor: EditorServer, client: Client, host: str) -> None:
    answer = client.get("api/about", headers={"host": host.format(port=editor.port)})
    assert answer.status_code in (400, 421)
    assert _alive(client)


def test_the_security_policy_forbids_other_origins(client: Client) -> None:
    answer = client.get("")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    for file in ("", "page/editor.css", "page/main.js", "page/panels.js", "page/icons.svg"):
        text = client.get(file).text.replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, f"{file} names another place"
    assert " style=" not in client.get("").text and "<script>" not in client.get("").text


KIND = "the picture: expected a picture (PNG, JPEG, WebP, BMP, TIFF or GIF), found"
NO_PICTURES = {
    "text": (b"not a picture at all", f"{KIND}"),
    "nothing": (b"", f"{KIND}"),
    "cut off": (_noise()[:-400], "the picture: expected a picture, found"),
    "200 megapixels": (
        _png(20_000, 10_000),
        "the picture: expected at most 64 megapixels, found 20000x10000 (200.0 megapixels); scale",
    ),
}


@pytest.mark.parametrize(("data", "line"), NO_PICTURES.values(), ids=NO_PICTURES)
def test_uploads_that_are_not_pictures_get_one_line(client: Client, data: bytes, line: str) -> None:
    answer = client.post("api/sessions?name=x.png", data)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(line)
    assert _alive(client)


def test_too_large_uploads_are_rejected(client: Client) -> None:
    answer = client.post("api/sessions?name=x.png", bytes(41 << 20))
    assert (answer.status_code, answer.json()["error"]) == (413, "the file: expected at most 40 MB, found more")
    assert _alive(client)


def test_a_hundred_uploads_at_once(client: Client) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(buffer, "PNG")

    def send(_: int) -> tuple[int, str]:
        answer = client.post("api/sessions?name=x.png", buffer.getvalue())
        return answer.status_code, answer.json()["error"]

    with ThreadPoolExecutor(100) as crowd:
        answers = set(crowd.map(send, range(100)))
    refused = (503, "the editor is busy; try again in a moment")
    read = (422, "the picture: expected a photo with a face, found no face; choose another photo")
    assert answers == {refused, read}
    assert _alive(client)


PATHS = ["../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "%2e%2e/%2e%2e/", "..", "a" * 300]


@pytest.mark.parametrize("path", PATHS)
def test_fields_are_not_used_as_paths(editor: EditorServer, client: Client, path: str) -> None:
    session = client.post("api/sessions?example=rendered-0").json()["id"]
    mask = bytes(256 * 256)
    places = (
        ("GET", f"page/{path}"),
        ("GET", f"api/examples/{path}.png"),
        ("GET", f"api/sessions/{path}"),
        ("GET", f"api/sessions/{path}/mask.png"),
        ("GET", f"api/sessions/{session}/{path}.labels"),
        ("GET", f"api/sessions/{session}/others/{path}.png"),
        ("POST", f"api/sessions?example={path}"),
        ("POST", f"api/sessions/{session}/others?example={path}"),
        ("POST", f"api/sessions/{session}/swap?other=1&parts={path}"),
        ("POST", f"api/sessions/{session}/swap?other={path}&parts=hair"),
        ("POST", f"api/sessions/{session}/render?revision={path}"),
        ("POST", f"api/sessions/{session}/render?revision=1&finish={path}"),
    )
    with closing(http.client.HTTPConnection("127.0.0.1", editor.port, timeout=30)) as connection:
        for method, place in places:
            connection.request(method, f"/{editor.token}/{place}", mask if method == "POST" else None)
            answer = connection.getresponse()
            body = answer.read().decode()
            assert answer.status in (404, 405, 422), (place, answer.status, body)
            assert "error" in body and "root:" not in body
    assert _alive(client)


def test_folders_are_removed_from_names(client: Client) -> None:
    from maskgan_cli.editor.uploads import display_name

    assert display_name("../../etc/passwd") == "passwd"
    assert display_name("C:\\Users\\me\\<b>me</b>.jpg") == "b.jpg"
    assert display_name("...") == "picture"
    assert display_name("Größe 1.png") == "Größe 1.png"


def test_requests_that_ctrl_c_cancels_get_an_error() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/token/api/about", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(app, token="token", hosts=["localhost"])(scope, receive, send))
    assert sent[0]["status"] == 503
    assert sent[1]["body"] == b'{"error": "the editor has ended; the session is saved"}'


def test_responses_never_expose_paths(editor: EditorServer, client: Client) -> None:
    session = client.post("api/sessions?example=rendered-0").json()["id"]
    for path in ("api/about", f"api/sessions/{session}", f"api/sessions/{session}/result.png"):
        body = client.get(path).content
        for place in (str(editor.server.config.app), "/home/", "/root/", "/tmp/", "site-packages", ".safetensors"):
            assert place.encode() not in body
