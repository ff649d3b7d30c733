"""Run the demo: run all commands in order in one folder, then write the page."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Protocol

from maskgan_cli.demo.cast import Cast, find_cast
from maskgan_cli.demo.commands import (
    BUNDLED,
    CROP,
    EDITED,
    FETCH,
    PHOTO,
    SMALLEST,
    TRAINED,
    Command,
    Commands,
    Perform,
    face,
)
from maskgan_cli.demo.docs_pictures import DemoEdit, write_pictures
from maskgan_cli.demo.page import Shown, write_page
from maskgan_cli.demo.truth_comparison import against_truth
from maskgan_cli.errors import InputError
from maskgan_cli.files import atomic, read_csv, write_json
from maskgan_cli.weights.lookup import bundled

_FIRST = 224  # the first seed that `find_cast` tries with --seed 0


class Watcher(Protocol):
    """Receives progress messages; the command line's `Shell` implements it."""

    def say(self, text: str) -> None:
        """Show a message."""


def run_demo(
    out: Path,
    *,
    train: bool,
    smallest: bool,
    seed: int,
    workers: int | None,
    device: str | None,
    perform: Perform,
    watch: Watcher,
) -> tuple[Path, dict[str, Any]]:
    """Edit a photo and rendered faces, evaluate the results and write the page.

    A second run with the same settings reuses existing data and weights.

    Args:
        out: the demo's folder.
        train: train weights even if the package contains bundled ones.
        smallest: use few faces and training steps, to test the installation.
        seed: seed of the selected faces and of the training.
        workers: number of processes, as in ``--workers``; None for each command's default.
        device: device, as in ``--device``; None for each command's default.
        perform: function that runs a `maskgan` command and returns its standard output.
        watch: receives progress messages.

    Returns:
        The path of the page, and a dict of the metrics on the page (also written to ``out/metrics.json``).

    Raises:
        InputError: ``out`` contains other files, or a demo of another size.
    """
    started = time.perf_counter()
    scale = SMALLEST if smallest else BUNDLED if bundled("dmn") and bundled("vae") and not train else TRAINED
    if out.is_dir() and any(out.iterdir()) and not (out / PHOTO).is_file():
        raise InputError(out, expected="a new or empty folder, or one of an earlier demo", found="other files in it")
    with atomic(out / PHOTO) as photo:
        _fetch(photo)
    cast = find_cast(_FIRST + seed, scale.size, scale.pairs)
    commands = Commands(scale, cast, seed=seed, device=device, workers=workers)
    lines = [FETCH]

    def run(command: Command) -> dict[str, Any]:
        lines.append(str(command))
        watch.say(f"$ {command}")
        return command.run(out, perform)

    for command in [*commands.training(), *commands.faces(), *commands.crop()]:
        run(command)
    edits = commands.photo()
    done = {name: run(command) for name, command in edits.items()}
    run(commands.paste())
    measured = {name: run(command) for name, command in commands.pairs().items()}
    way = run(commands.way())

    pairs = read_csv(out / "pairs.csv")
    methods = {
        "the source, unedited": [Path(row["source"]) for row in pairs],
        "as painted": [out / "bare" / row["output"] for row in pairs],
        "pasted back": [out / "seamless" / row["output"] for row in pairs],
    }
    weights = {"dmn": done["mouth"]["results"][0]["weights"], "vae": way["weights"]}
    weights["parser"] = measured["read"]["weights"]["parser"]["sha256"]
    numbers: dict[str, Any] = {"faces": len(list((out / "cast/images").iterdir())), "size": scale.size}
    numbers |= {"pairs": len(pairs), "weights": weights, "against_the_truth": against_truth(pairs, methods)}
    numbers |= {"read_as_asked": round(measured["read"]["value"], 4)}
    numbers |= {"seconds": round(time.perf_counter() - started, 1), "cores": os.cpu_count()}
    write_json(out / "metrics.json", numbers)
    photos, faces = _photo_rows(out, edits, cast), _face_rows(pairs, methods["pasted back"])
    whole, crop_mask = (out / PHOTO, out / EDITED), out / CROP.with_suffix(".mask.png")
    animation, strip = Path(way["animation"]), Path(way["strip"])
    write_pictures(out / "pictures", photos, faces, strip, weights)
    shown = Shown(photos, faces, whole, crop_mask, animation, strip, lines, numbers, scale.training is not None)
    return write_page(out / "index.html", shown), numbers


def _photo_rows(out: Path, edits: dict[str, Command], cast: Cast) -> list[DemoEdit]:
    """Return one row for each edit of the photo: the edit's name, its command, and the paths of its inputs and result.

    Args:
        out: the demo's folder.
        edits: dict from the name of each edit to its command.
        cast: the faces selected for the demo.
    """
    references = {"mouth": face(cast.mouth), "style": face(cast.look)}
    return [
        DemoEdit(
            name,
            str(command),
            out / CROP,
            out / references.get(name, CROP),
            out / f"{name}.mask.png",
            out / f"{name}.png",
        )
        for name, command in edits.items()
    ]


def _face_rows(pairs: list[dict[str, str]], results: list[Path]) -> list[DemoEdit]:
    """Return one row for each mouth edit of a rendered face: the paths of source, target, ground truth and result.

    Args:
        pairs: rows of ``pairs.csv``, one for each pair of source and target.
        results: file of the edited picture of each pair.
    """
    return [
        DemoEdit("mouth", "", Path(row["source"]), Path(row["target"]), Path(row["truth"]), result)
        for row, result in zip(pairs, results, strict=True)
    ]


def _fetch(photo: Path) -> None:
    """Write scikit-image's photo of Eileen Collins (by NASA, public domain) to the file ``photo``.

    The command `FETCH` on the page must write the same bytes, because pasted results contain the photo's hash.
    """
    from skimage import data, io

    io.imsave(str(photo), data.astronaut())  # type: ignore[no-untyped-call]
