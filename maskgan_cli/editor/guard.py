"""Access control of the editor: the token in the path, the host and the origin; and security headers.

Pages of other sites can make a browser send requests to a server on this machine. Three checks reject such requests.
Token: other sites do not know the token. Origin: the browser states that the request comes from another site. Host: if
the other site's domain resolves to this machine ("DNS rebinding"), this domain is not an accepted host.
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
    "referrer-policy": "no-referrer",  # links to other pages would reveal the token
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


def new_token() -> str:
    """Return a random token of 128 bits, in characters that URLs may contain."""
    return secrets.token_urlsafe(16)


class Guard:
    """ASGI middleware that accepts only requests with the token in their path, and removes the token.

    Args:
        app: the application, which receives paths without the token.
        token: the token, see `new_token`.
        hosts: accepted host names, without port.
        any_address: also accept all numeric IP addresses as hosts. This is for servers that listen on all addresses,
            and safe, because DNS rebinding needs a domain name.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Iterable[str], any_address: bool = False) -> None:
        self.app, self.token, self.hosts, self.any_address = app, token, frozenset(hosts), any_address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request (ASGI): pass it to the application or reject it; ignore web sockets."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets

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
        if not self._is_accepted(host):
            await _reject(send_marked, 421, "this server answers to its own address only")
            return
        origin = headers.get("origin")
        foreign = headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
        if (origin is not None and origin != f"http://{host}") or (foreign and scope["method"] not in _SAFE):
            await _reject(send_marked, 403, "requests of other pages are not answered")
            return
        parts = scope["path"].split("/", 2)
        if not hmac.compare_digest(parts[1].encode(), self.token.encode()):
            await _reject(send_marked, 404, "no such page: open the address that `maskgan edit` printed")
            return
        if len(parts) == 2:  # the page's relative links need the last slash
            await _redirect(send_marked, f"/{self.token}/")
            return
        inner = {**scope, "path": f"/{parts[2]}", "raw_path": f"/{parts[2]}".encode()}
        try:
            await self.app(inner, receive, send_marked)
        except asyncio.CancelledError:  # Ctrl-C, and the request exceeds the shutdown timeout
            if not answered:
                await _reject(send_marked, 503, "the editor has ended; the session is saved")

    def _is_accepted(self, host: str) -> bool:
        """Return whether ``host``, the value of the Host header, is an accepted name of this server."""
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


async def _redirect(send: Send, path: str) -> None:
    head = [(b"location", path.encode()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 307, "headers": head})
    await send({"type": "http.response.body", "body": b""})


async def _reject(send: Send, status: int, line: str) -> None:
    body = json.dumps({"error": line}).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
