"""Start the editor: a socket on this machine, the page's address, and an orderly end."""

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
from maskgan_cli.editor.desk import Desk
from maskgan_cli.editor.guard import Guard, new_token
from maskgan_cli.editor.server import make_app
from maskgan_cli.editor.shelf import Shelf
from maskgan_cli.editor.studio import Studio
from maskgan_cli.editor.worker import Worker
from maskgan_cli.errors import InputError

PORT: Final = 8719  # the first one tried where none is named
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def listen(host: str, port: int | None, last: int | None = None) -> socket.socket:
    """A listening socket; without ``port``, on the ``last`` one, on `PORT`, or on any free one.

    Raises:
        InputError: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for attempt in [last or PORT, PORT, 0] if port is None else [port]:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, attempt))
        except OSError as error:
            listener.close()
            reason = (error.strerror or str(error)).lower()
            if attempt == 0 or port is not None:
                raise InputError(f"{host}:{attempt}", expected="a free address of this machine", found=reason,
                                 hint="choose another --port") from error  # fmt: skip
            continue
        listener.listen(64)  # whoever comes as soon as the address is printed waits until the server is up
        return listener
    raise AssertionError("the last attempt returns or raises")


class Editor:
    """The server, ready to run.

    Args:
        studio, shelf: what it serves.
        host, port: where, see `listen`.
        start: name of the session that the page opens with, or "".
    """

    def __init__(self, studio: Studio, shelf: Shelf, *, host: str = "127.0.0.1", port: int | None = None,
                 start: str = "") -> None:  # fmt: skip
        self.worker, self.shelf, self.studio = Worker(), shelf, studio
        # Others may have been told an address that is not this machine's own: it is not used again.
        last = last_address(shelf.root) if host in LOOPBACK else Address(new_token())
        self.token, self.socket = last.token, listen(host, port, last.port)
        self.port = int(self.socket.getsockname()[1])
        if host in LOOPBACK:
            keep_address(shelf.root, Address(self.token, self.port))
        anywhere = host in ("0.0.0.0", "::")
        hosts = (*LOOPBACK, host, *([socket.gethostname().lower()] if anywhere else []))
        self.desk = Desk(studio, shelf, self.worker, start)
        app: ASGIApp = Guard(make_app(self.desk), token=self.token, hosts=hosts,
                             any_address=anywhere)  # fmt: skip
        shown = "127.0.0.1" if anywhere else f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self.port}/{self.token}/"
        config = uvicorn.Config(app, log_level=logging.WARNING, access_log=False, lifespan="off",
                                server_header=False, timeout_graceful_shutdown=3, limit_concurrency=200)  # fmt: skip
        self.server = uvicorn.Server(config)

    def run(self, ready: Callable[[str], None] = lambda url: None, *, browser: bool = False) -> None:
        """Serve until Ctrl-C; what is being painted then is still finished and saved."""
        ready(self.url)
        if browser:
            threading.Timer(0.3, webbrowser.open, (self.url,)).start()
        try:
            self.server.run(sockets=[self.socket])
        except KeyboardInterrupt:  # uvicorn has shut down and hands the signal on
            pass
        finally:
            self.desk.learning.cancel()
            self.worker.close()
            self.socket.close()
