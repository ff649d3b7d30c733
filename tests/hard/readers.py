"""Every reader there is: valid input as files, which of them are spoiled, and who reads them.

A reader ends well, or with one `MaskGANError`. Commands are run as a user runs them, in this process.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskgan_cli.cli.app import app
from maskgan_cli.cli.shell import run
from maskgan_cli.config import load_recipe
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError, MaskGANError
from maskgan_cli.evaluation.fid import measure
from maskgan_cli.evaluation.pairs import rendered_pairs
from maskgan_cli.evaluation.results import generator_of
from maskgan_cli.files import (
    read_label_map,
    read_note,
    read_part,
    read_photo,
    sha256,
    write_photo,
)
from maskgan_cli.judges.identity import load_identity
from maskgan_cli.locks import locked
from maskgan_cli.metrics.frechet import statistics
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.state import Progress
from maskgan_cli.weights import fetch
from maskgan_cli.weights.format import kind_of, load
from tests.hard.editor_door import Door
from tests.hard.hostile import spoil
from tests.hard.stock import SIDE, Stock, contents

CPU = torch.device("cpu")
Files = dict[str, bytes]


class Wrong(Exception):
    """A command that did not end as commands do."""


class Refused(Exception):
    """A command said in one line why it did not go on."""


@dataclass(frozen=True)
class Reader:
    """One way into the program.

    Attributes:
        valid: its inputs, each as files by name; one is chosen and spoiled.
        read: given the folder of the files.
        victims: the endings of the names that are spoiled.
        share: how many inputs of each ten thousand it gets.
    """

    valid: list[Files]
    read: Callable[[Path], object]
    share: int
    victims: tuple[str, ...] = ("",)

    def hostile(self, rng: random.Random) -> Files:
        """One input with one of its files spoiled, or gone."""
        files = dict(rng.choice(self.valid))
        names = [name for name in files if name.endswith(self.victims)]
        name = rng.choice(names)
        if len(files) > 1 and rng.random() < 0.02:
            del files[name]
        else:
            files[name] = spoil(rng, name, files[name], [data for other, data in files.items() if other != name])
        return files


def command(*words: object) -> None:
    """Run a command; what it says is checked.

    Raises:
        Refused: it ended with one line of ours.
        Wrong: anything else but success.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(app, [*map(str, words), "--quiet", "--debug"])
    said = err.getvalue()
    lines = [line for line in said.splitlines() if line.startswith("maskgan: ")]
    if code == 0:
        return
    if code not in (1, 2) or not lines or "maskgan: unexpected " in said:
        raise Wrong(f"exit code {code}: {said[-3000:]}")
    raise Refused(lines[-1])


def readers(stock: Stock, scratch: Path) -> dict[str, Reader]:
    """All of them.

    Args:
        stock: valid things.
        scratch: a folder for what they write; emptied for each input.
    """
    pictures = [{name: data} for name, data in contents(stock.pictures).items()]
    masks = [{name: data} for name, data in contents(stock.masks).items()]
    data, plain, raw = contents(stock.data), contents(stock.plain), contents(stock.raw)
    recipes = [(t.name, resolve(f"{t.module}:{t.recipe}")) for t in trainings()]
    recipe_files = [{f"{name}.yaml": path.read_bytes()} for name, _ in recipes for path in _recipe_paths(name)]
    kinds = {path.stem: path.read_bytes() for path in (stock.dmn, stock.vae, stock.blender)}
    pairs = (stock.root / "pairs.csv").read_bytes()
    survey = {
        "answers.csv": (stock.root / "answers.csv").read_bytes(),
        "key.json": (stock.root / "survey" / "key.json").read_bytes(),
    }
    crop = {name: (stock.root / name).read_bytes() for name in ("crop.png", "crop.crop.json")}
    door = Door(stock, scratch / "editor")
    session = door.session()
    found = {
        "pictures": Reader(pictures, lambda at: command("inspect", _one(at)), 900),
        "photographs": Reader(pictures, lambda at: _photo(_one(at), scratch), 700),
        "notes in pictures": Reader(pictures, lambda at: (read_note(_one(at)), generator_of([_one(at)])), 400),
        "masks": Reader(masks, lambda at: (read_label_map(_one(at)), read_label_map(_one(at), order="parser")), 700),
        "part files": Reader(pictures, lambda at: read_part(_one(at)), 300),
        "pictures to edit": Reader(
            [{"a.png": plain["images/0.png"], "a.mask.png": plain["masks/0.png"]}],
            lambda at: command(
                "swap-mouth",
                at / "a.png",
                stock.plain / "images" / "1.png",
                "--weights",
                stock.dmn,
                "--tgt-mask",
                stock.plain / "masks" / "1.png",
                "-o",
                scratch / "o.png",
            ),
            150,
        ),
        "lists of pairs to edit": Reader(
            [{"pairs.csv": pairs}, {"pairs.csv": b"\n".join(line.replace(b",", b"\t") for line in pairs.split(b"\n"))}],
            lambda at: command(
                "swap-mouth",
                "--pairs",
                at / "pairs.csv",
                "--weights",
                stock.dmn,
                "-o",
                scratch / "out",
                "--device",
                "cpu",
                "--as-is",
                "--no-blend",
            ),
            300,
        ),
        "lists of pairs to measure": Reader(
            [{"pairs.csv": pairs}],
            lambda at: command(
                "compare",
                "--pairs",
                at / "pairs.csv",
                "--method",
                f"a={stock.root / 'ours'}",
                "-o",
                scratch / "compared",
                "--size",
                32,
            ),
            400,
        ),
        "answers and keys": Reader(
            [survey],
            lambda at: command("eval", "survey", at, "--tally", at / "answers.csv", "-o", scratch / "o.json"),
            500,
        ),
        "results": Reader(
            [{"r.json": (stock.root / "survey.json").read_bytes()}],
            lambda at: command("eval", "report", at / "r.json", "-o", scratch / "table.md"),
            700,
        ),
        "data sets": Reader([data], lambda at: command("check-data", at, "--workers", 1), 400),
        "data sets' lists": Reader(
            [data],
            _data_set,
            500,
            ("manifest.csv", "dataset.json"),
        ),
        "CelebAMask-HQ's lists": Reader(
            [raw], lambda at: command("prep-data", at, scratch / "out", "--size", SIDE, "--workers", 1), 300, (".txt",)
        ),
        "CelebAMask-HQ's pictures": Reader(
            [raw],
            lambda at: command("prep-data", at, scratch / "out", "--size", SIDE, "--workers", 1),
            200,
            (".jpg", ".png"),
        ),
        "folders of images and masks": Reader(
            [plain], lambda at: command("prep-data", at, scratch / "out", "--size", SIDE, "--workers", 1), 200
        ),
        "journals of prep-data": Reader(
            [_begun(stock, scratch)],
            lambda at: _goes_on(stock, at),
            250,
            (".prepare.jsonl", "dataset.json", "manifest.csv"),
        ),
        "settings of synth": Reader([{"synth.json": _synth_settings()}], _synth, 150),
        "lists of rendered pairs": Reader(
            [{"counterfactuals/pairs.csv": b"pair,source,target,truth,truth_mask\n0,0.jpg,1.jpg,a.jpg,a.png\n"}],
            lambda at: rendered_pairs(PreparedData.load(stock.data), at, None),
            200,
        ),
        "recipes": Reader(recipe_files, lambda at: _recipe(_one(at), dict(recipes)), 800),
        "caches of features": Reader([_cache(stock, scratch)], lambda at: _measure(stock, at), 400),
        "weights": Reader(
            [{f"{kind}.safetensors": file} for kind, file in kinds.items()], lambda at: _load(_one(at)), 800
        ),
        "published weights": Reader(
            [{"netB.pth": stock.published_blender.read_bytes()}, {"netB.pth": _legacy()}],
            lambda at: command("weights", "import", "blender", at / "netB.pth", "-o", scratch / "w.safetensors"),
            500,
        ),
        "states of runs": Reader([_run_folder(scratch)], _restore, 600),
        "records of crops": Reader(
            [crop],
            lambda at: command(
                "paste",
                at / "crop.png",
                stock.root / "crop.png",
                "--photo",
                stock.root / "photo.png",
                "--force",
                "-o",
                scratch / "photo.png",
            ),
            350,
            (".json",),
        ),
        "records of downloads": Reader(
            [
                {
                    "downloads/pins.json": b'{"w.pth": "' + b"0" * 64 + b'"}',
                    "downloads/w.pth.part.json": b'{"url": "http://x/w.pth", "etag": "1"}',
                    "downloads/w.pth.part": b"12",
                }
            ],
            _downloads,
            150,
            (".json",),
        ),
        "locks": Reader([{".x.lock": b'{"command": "c", "pid": 1, "host": "h", "since": "s"}'}], _lock, 100),
        "requests to the editor": Reader(
            [{"mask.raw": bytes(SIDE * SIDE)}, *pictures], lambda at: door.request(_one(at), session), 600
        ),
        "files of sessions": Reader(
            [{"session.zip": door.archive(session)}], lambda at: door.upload(at / "session.zip"), 400
        ),
        "folders of sessions": Reader([door.folder(session)], door.resume, 300),
    }
    if stock.embedder.is_file():
        found["ONNX networks"] = Reader([{"e.onnx": stock.embedder.read_bytes()}], lambda at: _embed(_one(at)), 500)
    return found


def _one(folder: Path) -> Path:
    return next(path for path in sorted(folder.rglob("*")) if path.is_file())


def _photo(path: Path, scratch: Path) -> None:
    photo = read_photo(path)
    for suffix in ("png", "jpg", "webp"):
        write_photo(scratch / f"photo.{suffix}", photo.picture, photo, note={"edit": "x"})


def _data_set(folder: Path) -> None:
    data = PreparedData.load(folder)
    data.check_manifest()
    command("eval", "pairs", folder, "--split", "test", "-n", 1)


def _begun(stock: Stock, scratch: Path) -> Files:
    """A preparation that was interrupted after its last sample: its journal and files, and a finished manifest."""
    files = contents(stock.data)
    out = scratch / "begun"
    done = [
        json_line(
            id=str(i),
            image=sha256(stock.data / "images" / f"{i}.png"),
            mask=sha256(stock.data / "masks" / f"{i}.png"),
            reason="",
        )
        for i in range(3)
    ]
    real, Path.unlink = Path.unlink, lambda self, missing_ok=False: None  # type: ignore[method-assign]
    try:
        command("prep-data", stock.plain, out, "--size", SIDE, "--workers", 1)
        settings = (out / ".prepare.jsonl").read_bytes().splitlines()[0]
    finally:
        Path.unlink = real  # type: ignore[method-assign]
        shutil.rmtree(out)
    return files | {".prepare.jsonl": b"\n".join([settings, *done]) + b"\n"}


def json_line(**values: str) -> bytes:
    """A line of a journal."""
    import json

    return json.dumps(values).encode()


def _goes_on(stock: Stock, folder: Path) -> None:
    """A preparation that goes on ends in the bits of one that was never interrupted."""
    command("prep-data", stock.plain, folder, "--size", SIDE, "--workers", 1)
    made, clean = (
        contents(folder, "(images|masks)/.*|manifest.csv"),
        contents(stock.data, "(images|masks)/.*|manifest.csv"),
    )
    if made != clean:
        raise Wrong("a preparation that went on ended in other bits")


def _synth_settings() -> bytes:
    return b'{"version": 1, "count": 1, "size": 32, "identities": 1, "seed": 0, "counterfactuals": 0}'


def _synth(folder: Path) -> None:
    command("synth", folder, "-n", 1, "--size", 32, "--workers", 1)


def _recipe_paths(task: str) -> list[Path]:
    from maskgan_cli.config import recipe_folder

    return sorted(recipe_folder(task).glob("*.yaml"))


def _recipe(path: Path, recipes: Mapping[str, Any]) -> None:
    load_recipe(recipes[path.stem], path.stem, str(path), [])


class _Features:
    """A network whose features are the colours' means."""

    name, sha256 = "means", "0" * 64

    def features(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().mean((2, 3))


def _cache(stock: Stock, scratch: Path) -> Files:
    folder = scratch / "cache"
    _measure(stock, folder)
    return contents(folder)


def _measure(stock: Stock, folder: Path) -> None:
    paths = sorted((stock.plain / "images").iterdir())
    measure(paths, _Features(), batch_size=4, cache=folder, watch=lambda batches, _: iter(batches))
    assert statistics(np.eye(3)).count == 3


def _load(path: Path) -> None:
    with contextlib.suppress(InputError):
        kind_of(path)
    load(path.stem, path, CPU)


def _legacy() -> bytes:
    buffer = io.BytesIO()
    torch.save({"model.1.weight": torch.zeros(2, 6, 7, 7)}, buffer, _use_new_zipfile_serialization=False)
    return buffer.getvalue()


def _parts() -> tuple[dict[str, torch.nn.Module], dict[str, Any]]:
    network = torch.nn.Linear(3, 2)
    return {"net": network}, {"net": torch.optim.Adam(network.parameters(), lr=0.1)}


def _vae_recipe() -> Any:
    training = next(t for t in trainings() if t.name == "vae")
    return load_recipe(resolve(f"{training.module}:{training.recipe}"), "vae", "tiny-cpu", [])


def _run_folder(scratch: Path) -> Files:
    run_folder = RunFolder(scratch / "run")
    run_folder.start(_vae_recipe(), {"data": {"hash": "x"}}, resume=True, overwrite=False)
    networks, optimisers = _parts()
    for step in (1, 2):
        networks["net"](torch.ones(1, 3)).sum().backward()
        optimisers["net"].step()
        run_folder.save(Progress(step, 1, {"loss": 1.0}, {"val": 2.0}), networks, optimisers)
        run_folder.log({"step": step, "loss": 1.0})
    files = contents(run_folder.path)
    # Hashes find every change: half of the inputs come without them, as states of early versions do.
    return {name: data for name, data in files.items() if not name.endswith("step-000002/hashes.json")}


def _restore(folder: Path) -> None:
    run_folder = RunFolder(folder)
    run_folder.start(_vae_recipe(), {"data": {"hash": "x"}}, resume=True, overwrite=False)
    run_folder.restore(*_parts(), lambda _: None)
    run_folder.model_is_behind(2)
    run_folder.forget_metrics_after(1)


def _downloads(folder: Path) -> None:
    before = os.environ["MASKGAN_CACHE"]
    os.environ["MASKGAN_CACHE"] = str(folder)
    try:
        command("weights", "list")
        fetch._pins()
        fetch._Part(folder / "downloads" / "w.pth").can_resume("http://x/w.pth")
    finally:
        os.environ["MASKGAN_CACHE"] = before


def _lock(folder: Path) -> None:
    with locked(folder / "x", "a test"), contextlib.suppress(MaskGANError), locked(folder / "x", "another"):
        raise Wrong("two held one lock")


def _embed(path: Path) -> None:
    judge = load_identity(path, CPU)
    judge(torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8))
