"""The editor's server: its socket, the address of the page, and its shutdown."""

from __future__ import annotations

import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from maskgan_cli.editor.address import Address, keep_address, last_address
from maskgan_cli.editor.guard import Guard, new_token
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.request_context import RequestContext
from maskgan_cli.editor.server import make_app
from maskgan_cli.editor.session_store import SessionStore
from maskgan_cli.editor.worker import Worker
from maskgan_cli.errors import InputError

PORT: Final = 8719  # default port
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def listen(host: str, port: int | None, last: int | None = None) -> socket.socket:
    """Open a listening socket and return it.

    Args:
        host: host name or IP address.
        port: the port. If None, these ports are tried in order: ``last``, `PORT`, any free port.
        last: the port of the last start; None if unknown.

    Raises:
        InputError: the address is in use, or does not belong to this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in [last or PORT, PORT, 0] if port is None else [port]:
        # asyncio sends at once (TCP_NODELAY) only if the socket names its protocol; else each answer waits for 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, attempt))
        except OSError as error:
            listener.close()
            reason = (error.strerror or str(error)).lower()
            if attempt == 0 or port is not None:
                raise InputError(
                    f"{host}:{attempt}",
                    expected="a free address of this machine",
                    found=reason,
                    hint="choose another --port",
                ) from error
            continue
        listener.listen(64)  # clients that connect before the server runs wait in the queue
        return listener
    raise AssertionError("the last attempt returns or raises")


class EditorServer:
    """The server of the editor.

    Args:
        models: the networks.
        store: the sessions.
        host, port: the address, see `listen`.
        start: id of the session that the page opens, or an empty string.
    """

    def __init__(
        self, models: Models, store: SessionStore, *, host: str = "127.0.0.1", port: int | None = None, start: str = ""
    ) -> None:
        self.worker, self.store, self.models = Worker(), store, models
        # An address that other machines can reach may have been shared, so its token is not used again.
        last = last_address(store.root) if host in LOOPBACK else Address(new_token())
        self.token, self.socket = last.token, listen(host, port, last.port)
        self.port = int(self.socket.getsockname()[1])
        if host in LOOPBACK:
            keep_address(store.root, Address(self.token, self.port))
        anywhere = host in ("0.0.0.0", "::")
        hosts = (*LOOPBACK, host, *([socket.gethostname().lower()] if anywhere else []))
        self.context = RequestContext(models, store, self.worker, start)
        app: ASGIApp = Guard(make_app(self.context), token=self.token, hosts=hosts, any_address=anywhere)
        shown = "127.0.0.1" if anywhere else f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/{self.token}/"
        config = uvicorn.Config(
            app,
            log_level=logging.WARNING,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=3,
            limit_concurrency=200,
        )
        self.server = uvicorn.Server(config)

    def run(self, ready: Callable[[str], None] = lambda url: None, *, browser: bool = False) -> None:
        """Serve until Ctrl-C; running jobs are completed and saved.

        Args:
            ready: function that is called with the URL of the page when the server is ready.
            browser: whether to open the page in the browser.
        """
        ready(self.url)
        if browser:
            threading.Timer(0.3, webbrowser.open, (self.url,)).start()
        try:
            self.server.run(sockets=[self.socket])
        except KeyboardInterrupt:  # uvicorn raises the signal again after its shutdown
            pass
        finally:
            self.context.learning.cancel()
            self.worker.close()
            self.socket.close()
