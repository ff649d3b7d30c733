"""Hostile inputs in worker processes: one at a time, each watched for its end, its time and its memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

SECONDS: Final = 20  # of processor time; more is a hang
_WAIT: Final = 120  # of the clock, on a machine that has other things to do
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


Note = Callable[[dict[str, Report]], None]


def attack(
    stock: Path,
    scratch: Path,
    names: list[str],
    inputs: int,
    seed: int,
    *,
    workers: int = 2,
    note: Note = lambda reports: None,
) -> dict[str, Report]:
    """So many inputs in all, spread over the readers; a report for each.

    Args:
        stock: where `Stock.make` was.
        scratch: a folder for the workers.
        names: the readers; all if empty.
        inputs: if every reader were asked.
        seed: decides every byte of every input.
        workers: processes.
        note: told now and then what has been found so far.
    """
    reports: dict[str, Report] = {}
    orders = [Order(stock, scratch, names, inputs, seed, part, workers) for part in range(workers)]
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(_attack, order, reports, stop) for order in orders]
        try:
            while wait(running, timeout=30).not_done:
                note(dict(reports))
        except BaseException:
            stop.set()
            raise
        for part in running:
            part.result()
    note(reports)
    return reports


@dataclass(frozen=True)
class Order:
    """What one worker does: its share of the inputs, from a place on."""

    stock: Path
    scratch: Path
    names: list[str]
    inputs: int
    seed: int
    part: int
    parts: int
    after: tuple[str, int] | None = None


def _attack(order: Order, reports: dict[str, Report], stop: threading.Event) -> None:
    context = multiprocessing.get_context("spawn")
    while True:
        ours, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(theirs, order))
        worker.start()
        theirs.close()
        at, ended = _watch(ours, worker.pid or 0, reports, stop)
        if ended != "done":
            worker.kill()
        worker.join()
        if ended == "done" or stop.is_set():
            return
        if at is None:
            raise RuntimeError(f"a worker {ended} before its first input")
        name, number = at
        reports[name].findings.append({"number": number, "what": f"the process {ended}"})
        order = replace(order, after=at)


def _watch(
    pipe: Connection, pid: int, reports: dict[str, Report], stop: threading.Event
) -> tuple[tuple[str, int] | None, str]:
    """Take what a worker reports until it is done, dies, or does nothing for too long."""
    at: tuple[str, int] | None = None
    while True:
        began, used = time.monotonic(), _processor_seconds(pid)
        while not pipe.poll(1) and not stop.is_set():
            if at is not None and _processor_seconds(pid) - used > SECONDS:
                return at, f"did not end within {SECONDS} s"
            if time.monotonic() - began > (_WAIT if at else 600):
                return at, f"did not end within {_WAIT} s"
        if stop.is_set():
            return at, "was stopped"
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


def _processor_seconds(pid: int) -> float:
    """What a process has had of the processors so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _work(pipe: Connection, order: Order) -> None:
    own = order.scratch / f"worker-{os.getpid()}"
    (own / "wrote").mkdir(parents=True)
    os.environ["MASKGAN_CACHE"] = str(own / "no-cache")
    import torch

    torch.set_num_threads(1)
    from tests.hard.readers import readers
    from tests.hard.stock import Stock

    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.dup2(sink, 2)  # libraries may print: only what commands say counts, and that is caught
    found = readers(Stock(order.stock), own / "wrote")
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _RESERVE, size + _RESERVE))
    places = _places({name: reader.share for name, reader in found.items()}, order)
    if order.after is not None:
        places = places[places.index(order.after) + 1 :]
    for name, number in places:
        pipe.send((name, number, None))
        pipe.send((name, number, _one(name, number, order.seed, found[name], own)))
    pipe.send(None)
    os._exit(0)


def _places(shares: dict[str, int], order: Order) -> list[tuple[str, int]]:
    """The reader and number of each input, in ten rounds over all readers: the first tenth is of all of them."""
    counts = {name: -(-share * order.inputs // sum(shares.values())) for name, share in shares.items()}
    places = [
        (name, number)
        for turn in range(10)
        for name, count in counts.items()
        if not order.names or name in order.names
        for number in range(count * turn // 10, count * (turn + 1) // 10)
    ]
    return places[order.part :: order.parts]


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
    since, how, detail = time.process_time(), "fine", ""
    try:
        reader.read(folder)
    except (MaskGANError, Refused) as error:
        how, detail = "refused", str(error)
        if "\n" in detail or len(detail) > LINE or "Traceback" in detail:
            how = "wrong"
    except BaseException:
        how, detail = "wrong", traceback.format_exc()[-2500:]
    seconds, memory = time.process_time() - since, _peak()
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
        for name, report in reports.items()
        for finding in report.findings
    )


if __name__ == "__main__":  # python -m tests.hard.fuzz INPUTS [READER]: look for what is wrong
    import tempfile

    from tests.hard.stock import Stock

    with tempfile.TemporaryDirectory() as folder:
        Stock(Path(folder) / "stock").make()
        since = time.perf_counter()
        answers = attack(Path(folder) / "stock", Path(folder) / "scratch", sys.argv[2:], int(sys.argv[1]), 0)
        seconds = time.perf_counter() - since
    for name, report in answers.items():
        print(
            f"{name}: {report.inputs} inputs, {report.fine} fine, {report.refused} refused, "
            f"{len(report.findings)} wrong, {report.slowest:.1f} s, {report.most_memory >> 20} MB"
        )
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
