"""``edit``: the interactive editor in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maskgan_cli.cli import options
from maskgan_cli.cli.shell import Shell, emit, stage


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    stage(app, "edit", rich_help_panel="Start here")(edit)


def edit(
    shell: Shell,
    photo: Annotated[Path | None, typer.Argument(metavar="[PHOTO]", help="A photo of a face.")] = None,
    style: Annotated[Path | None, typer.Option("--style", help="Another face: its look and its parts at hand.")] = None,
    number: Annotated[
        int | None, typer.Option("--face", min=1, help="Which face of PHOTO, counted from the left; the page asks.")
    ] = None,
    weights: Annotated[Path | None, options.weights_of("dmn", "--weights", "-w")] = None,
    vae_weights: Annotated[
        Path | None, options.weights_of("vae", "--vae-weights", what_for=", for the sliders")
    ] = None,
    parser_weights: options.ParserWeights = None,
    host: Annotated[str, typer.Option("--host", help="The address to listen on; this machine only if not given.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="The port; any free one if 0.")] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    device: options.Device = "auto",
) -> None:
    """Paint a face's mask in the browser and watch the face follow.

    Prints the page's address and serves it until Ctrl-C. Without PHOTO it begins with the examples. Nothing
    leaves this machine; sessions are kept in the cache folder and are there again next time.
    """
    from maskgan_cli.editor.face import face_of
    from maskgan_cli.editor.serve import LOOPBACK, Editor
    from maskgan_cli.editor.session import Session
    from maskgan_cli.editor.shelf import Shelf
    from maskgan_cli.editor.studio import Files, Studio
    from maskgan_cli.errors import InputError
    from maskgan_cli.files import read_image
    from maskgan_cli.weights.cache import cache_folder
    from maskgan_cli.weights.lookup import find_weights, named_with_origin

    if style is not None and photo is None:
        raise InputError("--style", expected="a PHOTO to edit beside it", found="none", hint="name the photo first")
    if number is not None and photo is None:
        raise InputError("--face", expected="a PHOTO to look for it in", found="none", hint="name the photo first")
    pictures = [read_image(path) if path else None for path in (photo, style)]
    files = Files(
        dmn=find_weights(weights, "dmn"),
        vae=find_weights(vae_weights, "vae", "--vae-weights"),
        parser=find_weights(parser_weights, "parser", "--parser-weights"),
    )
    studio = Studio(files, device)
    shell.say(f"painting at {studio.size} px with {named_with_origin(files.dmn, 'dmn')}")
    shelf, start = Shelf(cache_folder() / "editor"), ""
    if photo is not None and pictures[0] is not None:
        face = face_of(pictures[0], studio, str(photo), number)
        session = Session.begin(shelf.root, face, photo.name, photo.read_bytes(), chosen=number is not None)
        if style is not None and pictures[1] is not None:
            session.add_other(face_of(pictures[1], studio, str(style)))
        start = shelf.put(session).id
    editor = Editor(studio, shelf, host=host, port=port, start=start)

    def ready(url: str) -> None:
        if shell.as_json:
            shell.finish({"url": url})
        else:
            emit(url)
        if host not in LOOPBACK:
            shell.say(f"listening on {host}: whoever is told the address above can use the editor")
        shell.say("the editor is at the address above; Ctrl-C ends it, sessions are kept")

    editor.run(ready, browser=browser)
