"""Hostile inputs in worker processes: one at a time, each watched for its end, its time and its memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 20  # more is a hang
MEMORY: Final = 2 << 30  # bytes of a whole process, PyTorch included
LINE: Final = 1000  # characters; more is no line that a person reads
_RESERVE: Final = 6 << 30  # address space that a worker may take: the machine shall live


@dataclass
class Report:
    """What became of all inputs of one reader."""

    inputs: int = 0
    fine: int = 0
    refused: int = 0
    slowest: float = 0.0
    most_memory: int = 0
    findings: list[dict[str, Any]] = field(default_factory=list)


def attack(stock: Path, scratch: Path, names: list[str], inputs: int, seed: int) -> dict[str, Report]:
    """So many inputs in all, spread over the readers; a report for each.

    Args:
        stock: where `Stock.make` was.
        scratch: a folder for the workers.
        names: the readers; all if empty.
        inputs: if every reader were asked.
        seed: decides every byte of every input.
    """
    reports: dict[str, Report] = {}
    start: tuple[str, int] | None = None
    while True:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(theirs, stock, scratch, names, inputs, seed, start))
        worker.start()
        theirs.close()
        at, ended = _watch(ours, reports)
        if ended == "done":
            worker.join()
            return reports
        worker.kill()
        worker.join()
        if at is None:
            raise RuntimeError(f"a worker {ended} before its first input")
        name, number = at
        reports[name].findings.append({"number": number, "what": f"the process {ended}"})
        start = (name, number + 1)


def _watch(pipe: Connection, reports: dict[str, Report]) -> tuple[tuple[str, int] | None, str]:
    """Take what a worker reports until it is done, dies, or does nothing for too long."""
    at: tuple[str, int] | None = None
    while True:
        if not pipe.poll(SECONDS if at else 300):
            return at, f"did not end within {SECONDS} s"
        try:
            message = pipe.recv()
        except (EOFError, ConnectionError):
            return at, "died"
        if message is None:
            return at, "done"
        name, number, outcome = message
        at, report = (name, number), reports.setdefault(name, Report())
        if outcome is None:  # it begins
            report.inputs += 1
            continue
        how, detail, seconds, memory = outcome
        report.slowest, report.most_memory = max(report.slowest, seconds), max(report.most_memory, memory)
        if how == "fine":
            report.fine += 1
        elif how == "refused":
            report.refused += 1
        if how == "wrong" or memory > MEMORY:
            what = detail if how == "wrong" else f"more than {MEMORY >> 20} MB"
            report.findings.append({"number": number, "what": what, "memory": memory, "seconds": seconds})


def _work(
    pipe: Connection,
    stock: Path,
    scratch: Path,
    names: list[str],
    inputs: int,
    seed: int,
    start: tuple[str, int] | None,
) -> None:
    os.environ["MASKGAN_CACHE"] = str(scratch / "no-cache")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
    from tests.hard.readers import readers
    from tests.hard.stock import Stock

    own = scratch / f"worker-{os.getpid()}"
    (own / "wrote").mkdir(parents=True)
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)  # libraries may print: only what commands say counts, and that is caught
    found = readers(Stock(stock), own / "wrote")
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _RESERVE, size + _RESERVE))
    total = sum(reader.share for reader in found.values())
    skipping = start is not None
    for name, reader in found.items():
        if names and name not in names:
            continue
        for number in range(-(-reader.share * inputs // total)):
            if skipping and start is not None:
                if (name, number) != start:
                    continue
                skipping = False
            pipe.send((name, number, None))
            pipe.send((name, number, _one(name, number, seed, reader, own)))
        if skipping and start is not None and start[0] == name:
            skipping = False  # the last input of this reader was the one that ended the worker before
    pipe.send(None)
    os._exit(0)


def _one(name: str, number: int, seed: int, reader: Any, own: Path) -> tuple[str, str, float, int]:
    """How one input ended: fine, refused or wrong; why; seconds; bytes of memory at most."""
    from maskgan_cli.errors import MaskGANError
    from tests.hard.readers import Refused

    files = reader.hostile(random.Random(f"{seed}/{name}/{number}"))
    folder, wrote = own / "input", own / "wrote"
    _place(folder, files)
    for path in wrote.iterdir():
        if path.name != "editor":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    outside = set(own.iterdir())
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    since, how, detail = time.perf_counter(), "fine", ""
    try:
        reader.read(folder)
    except (MaskGANError, Refused) as error:
        how, detail = "refused", str(error)
        if "\n" in detail or len(detail) > LINE or "Traceback" in detail:
            how = "wrong"
    except BaseException:
        how, detail = "wrong", traceback.format_exc()[-2500:]
    seconds, memory = time.perf_counter() - since, _peak()
    if how != "wrong" and (left := sorted(_left(own, outside))):
        how, detail = "wrong", f"left behind: {', '.join(left)}"
    return how, detail, seconds, memory


def _left(own: Path, outside: set[Path]) -> Iterator[str]:
    """Half files, locks, and whatever lies where nothing was to be written."""
    for path in set(own.iterdir()) - outside:
        yield str(path)
    for folder in (own / "input", own / "wrote"):
        for path in folder.rglob(".*"):
            if ".tmp" in path.name or (folder.name == "wrote" and path.name.endswith(".lock")):
                yield str(path)


def _place(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0


def summary(reports: dict[str, Report]) -> Counter[str]:
    """Findings by their last line, for a person who looks for their causes."""
    return Counter(
        f"{name}: {finding['what'].strip().splitlines()[-1][:200]}"
        for name, report in reports.items() for finding in report.findings
    )  # fmt: skip


if __name__ == "__main__":  # python -m tests.hard.fuzz INPUTS [READER]: look for what is wrong
    import tempfile

    from tests.hard.stock import Stock

    with tempfile.TemporaryDirectory() as folder:
        Stock(Path(folder) / "stock").make()
        since = time.perf_counter()
        answers = attack(Path(folder) / "stock", Path(folder) / "scratch", sys.argv[2:], int(sys.argv[1]), 0)
        seconds = time.perf_counter() - since
    for name, report in answers.items():
        print(f"{name}: {report.inputs} inputs, {report.fine} fine, {report.refused} refused, "
              f"{len(report.findings)} wrong, {report.slowest:.1f} s, {report.most_memory >> 20} MB")  # fmt: skip
        shown: set[str] = set()
        for finding in report.findings:
            last = finding["what"].strip().splitlines()[-1][:100]
            if last not in shown:
                shown.add(last)
                print(f"--- number {finding['number']}\n{finding['what']}\n")
    print(
        f"{sum(r.inputs for r in answers.values())} inputs in {seconds:.0f} s",
        *summary(answers).most_common(),
        sep="\n",
    )
