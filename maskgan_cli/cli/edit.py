"""``edit``: starts the interactive editor in a browser."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit


def edit(
    shell: Shell,
    photo: Annotated[Path | None, typer.Argument(metavar="PHOTO", help="The photo to edit.")] = None,
    style: Annotated[
        Path | None, typer.Option("--style", help="A second photo, as a reference for style and parts of the face.")
    ] = None,
    number: Annotated[
        int | None,
        typer.Option("--face", min=1, help="Face of PHOTO, counted from the left. Default: choose it on the page."),
    ] = None,
    weights: Annotated[Path | None, options.weights_of("dmn", "--weights", "-w")] = None,
    vae_weights: Annotated[
        Path | None, options.weights_of("vae", "--vae-weights", what_for=", for the sliders")
    ] = None,
    parser_weights: options.ParserWeights = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; the default accepts connections of this machine only.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes any free port.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    device: options.Device = "auto",
) -> None:
    """Edit a face interactively in the browser: change its mask and see the result.

    Prints the address of the page and serves it until Ctrl-C. Without PHOTO, the page offers example faces. No data
    leaves this machine. Sessions are saved in the cache folder and can be opened again.
    """
    from maskgan_cli.editor.edited_face import face_of
    from maskgan_cli.editor.models import Files, Models
    from maskgan_cli.editor.serve import EditorServer
    from maskgan_cli.editor.session import Session
    from maskgan_cli.editor.session_store import SessionStore
    from maskgan_cli.errors import InputError
    from maskgan_cli.files import read_image
    from maskgan_cli.weights.cache import cache_folder
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    if style is not None and photo is None:
        raise InputError("--style", expected="a PHOTO to edit", found="none", hint="name the photo first")
    if number is not None and photo is None:
        raise InputError("--face", expected="a PHOTO", found="none", hint="name the photo first")
    pictures = [read_image(path) if path else None for path in (photo, style)]
    files = Files(
        dmn=find_weights(weights, "dmn"),
        vae=find_weights(vae_weights, "vae", "--vae-weights"),
        parser=find_weights(parser_weights, "parser", "--parser-weights"),
    )
    models = Models(files, device)
    shell.say(f"rendering at {models.size} px with {named_with_origin(files.dmn, 'dmn')}")
    store, start = SessionStore(cache_folder() / "editor"), ""
    if photo is not None and pictures[0] is not None:
        face = face_of(pictures[0], models, str(photo), number)
        session = Session.begin(store.root, face, photo.name, photo.read_bytes(), chosen=number is not None)
        if style is not None and pictures[1] is not None:
            session.add_other(face_of(pictures[1], models, str(style)))
        start = store.put(session).id
    editor = EditorServer(models, store, host=host, port=port, start=start)
    editor.run(partial(_announce, shell, host), browser=browser)


def _announce(shell: Shell, host: str, url: str) -> None:
    """Print the address ``url`` of the page, with a warning if other machines can reach the server on ``host``."""
    from maskgan_cli.editor.serve import LOOPBACK

    if shell.as_json:
        shell.finish({"url": url})
    else:
        emit(url)
    if host not in LOOPBACK:
        shell.say(f"listening on {host}: everyone who has the address above can use the editor")
    shell.say("open the address above; Ctrl-C stops the editor, sessions are saved")
