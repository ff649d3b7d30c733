"""The manners every command shares: what goes to stdout, what to stderr, and how a command ends."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import inspect
import io
import json
import os
import shlex
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, TypeVar, get_type_hints

import typer

from maskgan_cli.cli.streams import omissions, open_streams, refuse_stream
from maskgan_cli.errors import InputError, MaskGANError, Stopped

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")

_STOPPED: Final = "stopped; run the same command to go on"
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of paths.")]
_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars, no remarks.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


class Report(Protocol):
    """How far things are: done, of how many, and a few words beside the bar, which stay until others come."""

    def __call__(self, done: int, total: int, note: str | None = None) -> None:
        """Draw it."""


class Shell:
    """A command's two voices: data on stdout for programs, remarks on stderr for people."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.written: list[str] = []

    @functools.cached_property
    def console(self) -> Console:
        """Rich on stderr; imported late, because ``--help`` has no use for it."""
        from rich.console import Console

        # emoji=False: `:smile:` in a file's name is printed as it is
        return Console(stderr=True, quiet=self.quiet, highlight=False, soft_wrap=True, emoji=False)

    def say(self, text: str) -> None:
        """A remark for people."""
        self.console.print(text, markup=False)

    def warn(self, line: str) -> None:
        """One thing of many that failed: named in any case, while the others go on."""
        if self.quiet:
            print(f"maskgan: {line}", file=sys.stderr)
        else:
            self.console.print(f"maskgan: {line}", markup=False)

    def wrote(self, path: Path) -> None:
        """Report a file that is now there: at once as a line, or later in the JSON document."""
        self.written.append(str(path))
        if not self.as_json:
            emit(str(path))

    def finish(self, document: dict[str, Any] | None = None, *, next_command: Sequence[object] = ()) -> None:
        """End the command: the JSON document if asked for, and the words to type next."""
        if self.as_json:
            emit(json.dumps({**(document or {}), "written": self.written}, indent=2))
        if next_command:
            self.say(f"next: {shlex.join(map(str, next_command))}")

    def track(self, items: Iterable[T], total: int, label: str, *, done: int = 0) -> Iterator[T]:
        """Pass items through while a progress bar shows how many, how fast and how long still."""
        with self.progress(label) as report:
            report(done, total)
            for count, item in enumerate(items, start=done + 1):
                yield item
                report(count, total)

    @contextlib.contextmanager
    def progress(self, label: str) -> Iterator[Report]:
        """A progress bar that is told (done, total) now and then, and perhaps what to show beside it."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            Task,
            TextColumn,
            TimeRemainingColumn,
        )
        from rich.table import Column
        from rich.text import Text

        class Rate(ProgressColumn):
            def render(self, task: Task) -> Text:
                return Text(f"{task.finished_speed or task.speed or 0:.1f}/s")

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(),
            TimeRemainingColumn(),
        )
        beside = TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
        with Progress(*columns, beside, console=self.console, disable=self.quiet) as bar:
            task = bar.add_task(label, total=None, note="")

            def report(done: int, total: int, note: str | None = None) -> None:
                bar.update(task, completed=done, total=total)
                if note is not None:
                    bar.update(task, note=note)

            yield report


def emit(text: str) -> None:
    """Print data. If nobody reads any more (``| head``), end quietly."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is left in the buffer must not raise again when Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def emit_csv(rows: Sequence[dict[str, str]]) -> None:
    """Print rows as CSV under a header of their names."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    emit(text.getvalue().rstrip())


def counted(number: int, noun: str) -> str:
    """``1 pair``, ``2 pairs``, ``30,000 samples``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def stage(app: typer.Typer, name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command that takes a `Shell` first; ``--json``, ``--quiet`` and ``--debug`` come with it.

    A parameter whose type is a dataclass stands for all its fields: they become options, and the function gets the
    dataclass made of them. So options that many commands share are written once.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        # Not get_type_hints: on Python 3.10 it hides the Annotated of what is None by default inside an Optional.
        hints = inspect.get_annotations(function, eval_str=True)
        hints.pop("return", None)
        first, *rest = inspect.signature(function).parameters.values()
        del hints[first.name]
        groups = {p.name: hints.pop(p.name) for p in rest if dataclasses.is_dataclass(hints[p.name])}
        members = {f.name: f for kind in groups.values() for f in dataclasses.fields(kind)}
        for kind in groups.values():
            hints |= get_type_hints(kind, include_extras=True)

        def run(*, json: bool, quiet: bool, debug: bool, **arguments: Any) -> None:
            refuse_stream(arguments.get("out"))
            for group, kind in groups.items():
                arguments[group] = kind(**{f.name: arguments.pop(f.name) for f in dataclasses.fields(kind)})
            shell = Shell(as_json=json, quiet=quiet)
            try:
                with omissions(shell.say):
                    function(shell, **arguments)
            except KeyboardInterrupt:  # Typer would end the command without a word
                raise Stopped(_STOPPED) from None

        common = {"json": _JSON, "quiet": _QUIET, "debug": _DEBUG}
        parameters = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in rest if p.name not in groups]
        parameters += [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[n])
            for n, f in members.items()
        ]
        parameters += [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=a) for n, a in common.items()
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {**hints, **common}
        run.__doc__ = function.__doc__
        run.__name__ = function.__name__
        app.command(name, **settings)(run)
        return function

    return register


def run(app: typer.Typer, arguments: list[str]) -> int:
    """Run the application and turn whatever happens into an exit code and at most one line.

    0 done, 1 the work failed, 2 bad usage or bad input, 130 interrupted.
    """
    debug = "--debug" in arguments
    open_streams()
    asked = threading.Event()
    try:
        Path.cwd()
    except FileNotFoundError:
        return _fail("the working directory was deleted; change to one that exists", 2, debug)
    try:
        with _manners(debug, asked):
            code = app(arguments, prog_name="maskgan", standalone_mode=False)
            if code == Stopped.exit_code:  # before the command began, while Typer reads its words: it says nothing
                raise KeyboardInterrupt
            return code if isinstance(code, int) else 0
    except KeyboardInterrupt:  # before the command began
        return _fail("stopped", Stopped.exit_code, debug)
    except MaskGANError as error:
        if asked.is_set() and isinstance(error, InputError):
            return _fail(_STOPPED, Stopped.exit_code, debug)
        # An error raised in a data loader's worker arrives with its traceback before the line itself.
        return _fail(str(error).rstrip().rsplit("\n", 1)[-1], error.exit_code, debug)
    except Exception as error:
        if asked.is_set():  # libraries make of a signal what they like: RuntimeErrors, tensors that cannot be read
            return _fail(_STOPPED, Stopped.exit_code, debug)
        if hasattr(error, "format_message"):  # Typer's own: unknown option, missing argument, ...
            command = getattr(getattr(error, "ctx", None), "command_path", "maskgan")
            return _fail(f"{' '.join(error.format_message().split())} (see `{command} --help`)", 2, debug)
        if isinstance(error, OSError):
            return _fail(str(error), 1, debug)
        line = " ".join(str(error).split()) or type(error).__name__
        return _fail(f"unexpected {type(error).__name__}: {line}; run again with --debug and report it", 1, debug)


@contextlib.contextmanager
def _manners(debug: bool, asked: threading.Event) -> Iterator[None]:
    """Warnings of libraries are for developers; SIGTERM ends a command as Ctrl-C does; any name can be printed.

    Whether either has come is told by ``asked``.
    """
    open_streams()
    owner = os.getpid()
    before: dict[signal.Signals, Any] = {}

    def stop(number: int, _: object) -> None:
        if os.getpid() == owner:
            asked.set()
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)  # a forked child, such as a data loader's worker: end as asked
        os.kill(os.getpid(), number)

    with warnings.catch_warnings():
        if not debug and not sys.warnoptions:
            warnings.simplefilter("ignore")
        if threading.current_thread() is threading.main_thread():
            before[signal.SIGTERM] = signal.signal(signal.SIGTERM, stop)
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background it is ignored
                before[signal.SIGINT] = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _fail(line: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    print(f"maskgan: {line}", file=sys.stderr)
    return code
