"""Who may ask: the token in the path, the host, the origin; and what a browser may do with the answer.

A page of another site can make a browser send requests to a server on this machine. Three things stop it: it
does not know the token; its requests name its own origin; and a name of its own that it points at this machine
("DNS rebinding") is no host that is served here.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import secrets
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE = ("GET", "HEAD")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # or a link out of the page would give the token away
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def new_token() -> str:
    """128 random bits that fit into a URL."""
    return secrets.token_urlsafe(16)


class Guard:
    """ASGI middleware: lets a request with the token in its path through, without it.

    Args:
        app: what is guarded; it sees paths that begin after the token.
        token: see `new_token`.
        hosts: names under which the server is reached, without port. Numeric addresses are no names anybody could
            point elsewhere; if ``any_address`` they are all right.
        any_address: whether the server listens on more than this machine's own address.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str], any_address: bool = False) -> None:
        self.app, self.token, self.hosts, self.any_address = app, token, frozenset(hosts), any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets here

        answered = False

        async def send_marked(message: Message) -> None:
            nonlocal answered
            answered = True
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                extra = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in own]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if not self._is_ours(host):
            await _refuse(send_marked, 421, "this server answers to its own address only")
            return
        origin = headers.get("origin")
        foreign = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if (origin is not None and origin != f"http://{host}") or (foreign and scope["method"] not in _SAFE):
            await _refuse(send_marked, 403, "requests of other pages are not answered")
            return
        parts = scope["path"].split("/", 2)
        if not hmac.compare_digest(parts[1].encode(), self.token.encode()):
            await _refuse(send_marked, 404, "no such page: open the address that `maskgan edit` printed")
            return
        if len(parts) == 2:  # without the last slash the page's own links would lead nowhere
            await _redirect(send_marked, f"/{self.token}/")
            return
        inner = {**scope, "path": f"/{parts[2]}", "raw_path": f"/{parts[2]}".encode()}
        try:
            await self.app(inner, receive, send_marked)
        except asyncio.CancelledError:  # Ctrl-C, and what was asked for takes longer than anybody waits then
            if not answered:
                await _refuse(send_marked, 503, "the editor has ended; what was painted is kept")

    def _is_ours(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        name = name.strip("[]").lower()
        if name in self.hosts:
            return True
        if not self.any_address:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


async def _redirect(send: Send, place: str) -> None:
    head = [(b"location", place.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": head})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(send: Send, status: int, line: str) -> None:
    body = json.dumps({"error": line}).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
