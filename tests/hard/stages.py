"""Commands in processes of their own that can be killed, stopped and robbed of their disk; started in no time.

The processes are forked from one that has imported everything already, so that a random moment of their life is one
of their work.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from maskgan_cli.networks import KINDS
from tests.conftest import TINY
from tests.hard.stock import SIDE, Stock

STOPPED: Final = 130
KILLED: Final = -signal.SIGKILL
_SECONDS: Final = 300  # for one run on a busy machine


@dataclass(frozen=True)
class Stage:
    """A command with an output.

    Attributes:
        name: for people.
        words: the command line, given the folder to work in.
        same: the files below that folder that must be the same bits after any interruption.
        url: where `pull` finds its file, if it is one.
    """

    name: str
    words: Callable[[Path], list[object]]
    same: str = ".*"
    url: str = ""

    def bits(self, folder: Path) -> dict[str, str]:
        """SHA-256 of each file that must be the same."""
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and re.fullmatch(self.same, name := path.relative_to(folder).as_posix())
        }


def stages(stock: Stock, url: str) -> list[Stage]:
    """What is killed, stopped, and run into full disks.

    Args:
        stock: what it works on.
        url: of a published file on this machine.
    """
    cpu = ("--device", "cpu", "-q")
    steps = (
        "schedule.steps=4",
        "schedule.checkpoint_every=2",
        "schedule.log_every=1",
        "schedule.validate_every=4",
        "schedule.sample_every=4",
        "data.workers=0",
    )
    settings = [word for step in steps for word in ("--set", step)]
    masks, pairs = stock.plain / "masks", ("--pairs", stock.root / "pairs.csv")
    methods = [f"--method={name}={stock.root / name}" for name in ("ours", "theirs")]
    lists: dict[str, Callable[[Path], list[object]]] = {
        "prep-data": lambda at: ["prep-data", stock.plain, at / "data", "--size", SIDE, "--workers", 1, "-q"],
        "synth": lambda at: ["synth", at / "raw", "-n", 2, "--size", 32, "--workers", 1, "--counterfactuals", 1, "-q"],
        "train dmn": lambda at: ["train", "dmn", stock.data, "-o", at / "run", *TINY, *settings, "-q"],
        "swap, a list": lambda at: [
            "swap",
            *pairs,
            "-o",
            at / "out",
            "--parts",
            "mouth",
            "--batch-size",
            1,
            "--save-masks",
            "--as-is",
            "--weights",
            stock.dmn,
            *cpu,
        ],
        "interpolate": lambda at: [
            "interpolate",
            masks / "0.png",
            masks / "1.png",
            "--weights",
            stock.vae,
            "-o",
            at / "between",
            "-n",
            4,
            "--overwrite",
            *cpu,
        ],
        "simulate-edits": lambda at: [
            "simulate-edits",
            stock.plenty,
            "--split",
            "train",
            "--weights",
            stock.vae,
            "-o",
            at / "edits",
            "--overwrite",
            *cpu,
        ],
        "weights pull": lambda at: ["weights", "pull", "blender", "-q"],
        "eval survey": lambda at: ["eval", "survey", at / "survey", *pairs, "-n", 2, *methods, "--overwrite", "-q"],
        "reproduce": lambda at: ["reproduce", *stock.for_reproduce(), "-o", at / "work", "-q"],
    }
    same = {
        "train dmn": r"run/(model\.\w+|config\.yaml|samples/.*)",
        "weights pull": r"cache/weights/blender\.\w+",
        "simulate-edits": r"edits/.*\.png",  # its list names the folder, which differs between two runs here
        "reproduce": r"work/(runs/[^/]+/model\.\w+|smiling/.*\.png|fusion/table\.\w+|fusion/figure/.*\.png)",
    }
    return [
        Stage(name, words, same.get(name, ".*"), url if name == "weights pull" else "") for name, words in lists.items()
    ]


@dataclass
class Run:
    """How a process ended, and what it said."""

    code: int
    said: str

    @property
    def lines(self) -> list[str]:
        """Its lines on stderr."""
        return self.said.splitlines()


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    [
        "accelerate",
        "maskgan_cli.cli.app",
        "maskgan_cli.editing.masks.interpolate",
        "maskgan_cli.editing.dmn_method",
        "maskgan_cli.editing.masks.swap",
        "maskgan_cli.evaluation.survey",
        "maskgan_cli.synth",
        "maskgan_cli.training.tasks.dmn",
        "maskgan_cli.training.run",
        "maskgan_cli.weights.convert",
        "pydantic",
        "requests",
        "rich.progress",
        "scipy.ndimage",
        "scipy.optimize",
        "skimage.util",
        "tests.hard.stages",
        "torch",
        "torch._dynamo",
        "torchvision",
    ]
)


def warm_up() -> None:
    """Have everything imported, so that the first command's seconds are its own."""
    process = _context.Process(target=time.monotonic)
    process.start()
    process.join()


_started: list[Started] = []


def end_all() -> None:
    """Kill the commands that still run."""
    for started in _started:
        if started.process.is_alive():
            started.signal(signal.SIGKILL)
            started.process.join()
    _started.clear()


class Started:
    """A command that runs."""

    def __init__(self, stage: Stage, folder: Path, *, dies_at: int = 0, largest: int = 0) -> None:
        """Start it.

        Args:
            stage, folder: what, and where.
            dies_at: kill it just before its so many-th rename or removal of a file.
            largest: bytes that a file may have.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder.parent / f"{folder.name}-{time.monotonic_ns()}.log"
        words = [str(word) for word in stage.words(folder)]
        arguments = (words, folder / "cache", self._log, stage.url, dies_at, largest)
        self.process = _context.Process(target=_child, args=arguments)
        self.process.start()
        assert self.process.pid is not None
        self.pid = self.process.pid
        _started.append(self)

    def signal(self, number: int) -> None:
        """Send a signal to it and to all that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def wait(self) -> Run:
        """Until it has ended."""
        self.process.join(_SECONDS)
        if self.process.exitcode is None:
            self.signal(signal.SIGKILL)
            raise AssertionError("the command did not end")
        said = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        self._log.unlink(missing_ok=True)
        return Run(self.process.exitcode, said)


def _child(words: list[str], cache: Path, log: Path, url: str, dies_at: int, largest: int) -> None:
    os.setsid()
    os.environ["MASKGAN_CACHE"] = str(cache)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(out, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    import torch

    torch.set_num_threads(1)
    from maskgan_cli.cli.app import app
    from maskgan_cli.cli.shell import run
    from maskgan_cli.reproduce import runner

    runner.as_subprocess = _as_fork  # type: ignore[assignment]
    if url:
        entry = KINDS["blender"]
        assert entry.published is not None
        KINDS["blender"] = replace(entry, published=replace(entry.published, urls=(url,), sha256=""))
    if largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    if dies_at:
        count = 0

        def watch(event: str, _: Any) -> None:
            nonlocal count
            if event in ("os.rename", "os.remove"):
                count += 1
                if count == dies_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
    code = run(app, words)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _as_fork(stage: Any, folder: Path, *, quiet: bool = False) -> int:
    """A stage of a plan as `runner.as_subprocess` runs it, in a session of its own that ends with ours; but forked.

    Fourteen processes that import PyTorch each would take longer over that than over their work, and a random moment
    would mostly fall there.
    """
    from maskgan_cli import workers
    from maskgan_cli.cli.app import app
    from maskgan_cli.cli.shell import run

    theirs, ours = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(ours)
        os.dup2(theirs, 0)
        os.chdir(folder)
        workers.end_with_parent()
        code = run(app, [*stage.words, *stage.how, *(["--quiet"] if quiet else [])])
        sys.stderr.flush()
        os._exit(code)
    os.close(theirs)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(ours)


def finish(stage: Stage, folder: Path) -> Run:
    """Run a stage to its end."""
    return Started(stage, folder).wait()


def clean(stage: Stage, folder: Path) -> tuple[dict[str, str], float]:
    """The bits of a run that nobody disturbs, and its seconds."""
    since = time.monotonic()
    run = finish(stage, folder)
    assert run.code == 0, run.said
    return stage.bits(folder), time.monotonic() - since


def left_over(folder: Path) -> list[str]:
    """Half files and locks that lie about."""
    return [str(p.relative_to(folder)) for p in folder.rglob(".*") if not p.name.startswith(".nfs")]


def disturbed(stage: Stage, folder: Path, seconds: float, rng: random.Random, number: int) -> int:
    """Send a signal at a random moment of a run; its exit code."""
    shutil.rmtree(folder, ignore_errors=True)
    started = Started(stage, folder)
    time.sleep(rng.uniform(0.0, seconds))
    started.signal(number)
    run = started.wait()
    assert run.code in (0, -number, STOPPED), run.said
    if run.code == STOPPED:
        assert len(run.lines) == 1, run.said
        assert run.lines[0].startswith("maskgan: "), run.said
        assert "unexpected" not in run.said
    return run.code


@contextlib.contextmanager
def served(files: dict[str, bytes], *, seconds: float) -> Iterator[str]:
    """A server on this machine whose files come slowly; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files[self.path.strip("/")]
            start = int((self.headers["Range"] or "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.send_header("ETag", '"1"')
            self.end_headers()
            step = -(-len(body) // 20)
            with contextlib.suppress(ConnectionError):
                for at in range(start, len(body), step):
                    self.wfile.write(body[at : at + step])
                    time.sleep(seconds / 20)

        def log_message(self, *_: object) -> None:
            """Nobody wants to know."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
