"""The CLI runtime that all commands share: output on stdout and stderr, signals and exit codes."""

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

_STOPPED: Final = "stopped; run the same command to resume"
_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of paths.")]
_QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Print no progress bars and no messages.")]
_DEBUG = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]


class Report(Protocol):
    """Interface of a function that updates a progress bar."""

    def __call__(self, done: int, total: int, note: str | None = None) -> None:
        """Show that ``done`` of ``total`` items are finished; ``note`` replaces the text beside the bar."""


class Shell:
    """The output of a command: data on stdout, messages and progress bars on stderr.

    Args:
        as_json: print one JSON document at the end instead of paths.
        quiet: print no messages and no progress bars; errors are still printed.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.written: list[str] = []

    @functools.cached_property
    def console(self) -> Console:
        """A Rich console on stderr, imported late because ``--help`` does not need it."""
        from rich.console import Console

        # emoji=False: `:smile:` in a file name is printed unchanged
        return Console(stderr=True, quiet=self.quiet, highlight=False, soft_wrap=True, emoji=False)

    def say(self, text: str) -> None:
        """Print a message on stderr, unless the command is quiet."""
        self.console.print(text, markup=False)

    def warn(self, line: str) -> None:
        """Print the error of one item of a batch as a line on stderr, even if the command is quiet."""
        if self.quiet:
            print(f"maskgan: {line}", file=sys.stderr)
        else:
            self.console.print(f"maskgan: {line}", markup=False)

    def wrote(self, path: Path) -> None:
        """Report a finished file: print its path or, with ``--json``, list it in the document that `finish` prints."""
        self.written.append(str(path))
        if not self.as_json:
            emit(str(path))

    def finish(self, document: dict[str, Any] | None = None, *, next_command: Sequence[object] = ()) -> None:
        """End the command: print the JSON document if ``--json`` is given, and suggest the next command.

        Args:
            document: content of the JSON document besides the list of written files.
            next_command: words of the command to suggest; empty for none.
        """
        if self.as_json:
            emit(json.dumps({**(document or {}), "written": self.written}, indent=2))
        if next_command:
            self.say(f"next: {shlex.join(map(str, next_command))}")

    def track(self, items: Iterable[T], total: int, label: str, *, done: int = 0) -> Iterator[T]:
        """Yield the items while a progress bar shows their number, their rate and the remaining time.

        Args:
            items: the items that are still to be processed.
            total: number of all items.
            label: text before the bar.
            done: number of items that were processed earlier.
        """
        with self.progress(label) as report:
            report(done, total)
            for count, item in enumerate(items, start=done + 1):
                yield item
                report(count, total)

    @contextlib.contextmanager
    def progress(self, label: str) -> Iterator[Report]:
        """Context manager that shows a progress bar with the text ``label`` and yields a function to update the bar."""
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
    """Print data on stdout. If the reader has closed the pipe (``| head``), end the command without an error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # Discard the buffer, because Python's flush at exit would raise the error again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def emit_csv(rows: Sequence[dict[str, str]]) -> None:
    """Print rows as CSV on stdout, with the keys of the first row as header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    emit(text.getvalue().rstrip())


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in singular or plural: ``1 pair``, ``2 pairs``, ``30,000 samples``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def add_command(app: typer.Typer, name: str, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that registers a function as a command with the options ``--json``, ``--quiet``, ``--debug``.

    The function's first parameter receives a `Shell`. A parameter whose type is a dataclass is expanded: the fields
    become options or arguments of the command, and the function receives an instance with their values.

    Args:
        app: the application.
        name: name of the command.
        settings: further arguments of `typer.Typer.command`.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        # get_type_hints on Python 3.10 would wrap the Annotated type of parameters with default None in Optional.
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
            except KeyboardInterrupt:  # Typer would end the command without a message
                raise Stopped(_STOPPED) from None

        common = {"json": _JSON, "quiet": _QUIET, "debug": _DEBUG}
        parameters = [p.replace(annotation=hints[p.name], kind=p.KEYWORD_ONLY) for p in rest if p.name not in groups]
        parameters += [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=_default(f), annotation=hints[n])
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


def _default(field: dataclasses.Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default


def run(app: typer.Typer, arguments: list[str]) -> int:
    """Run the application with command-line arguments. An error is printed as one line on stderr.

    Returns:
        The exit code: 0 success, 1 the work failed, 2 invalid usage or input, 130 interrupted.
    """
    debug = "--debug" in arguments
    open_streams()
    interrupted = threading.Event()
    try:
        Path.cwd()
    except FileNotFoundError:
        return _fail("the working directory was deleted; change to one that exists", 2, debug)
    try:
        with _handle_signals_and_warnings(debug, interrupted):
            code = app(arguments, prog_name="maskgan", standalone_mode=False)
            if code == Stopped.exit_code:  # interrupted while Typer parsed the arguments; Typer prints no message
                raise KeyboardInterrupt
            return code if isinstance(code, int) else 0
    except KeyboardInterrupt:  # interrupted before the command started
        return _fail("stopped", Stopped.exit_code, debug)
    except MaskGANError as error:
        if interrupted.is_set() and isinstance(error, InputError):
            return _fail(_STOPPED, Stopped.exit_code, debug)
        # An error of a data loader's worker has the worker's traceback before its message.
        return _fail(str(error).rstrip().rsplit("\n", 1)[-1], error.exit_code, debug)
    except Exception as error:
        if interrupted.is_set():  # libraries replace the KeyboardInterrupt by errors of their own
            return _fail(_STOPPED, Stopped.exit_code, debug)
        if hasattr(error, "format_message"):  # Typer's errors: unknown option, missing argument, ...
            command = getattr(getattr(error, "ctx", None), "command_path", "maskgan")
            return _fail(f"{' '.join(error.format_message().split())} (see `{command} --help`)", 2, debug)
        if isinstance(error, OSError):
            return _fail(str(error), 1, debug)
        line = " ".join(str(error).split()) or type(error).__name__
        return _fail(f"unexpected {type(error).__name__}: {line}; run again with --debug and report it", 1, debug)


@contextlib.contextmanager
def _handle_signals_and_warnings(debug: bool, interrupted: threading.Event) -> Iterator[None]:
    """Context manager: in its block, SIGTERM and SIGINT raise KeyboardInterrupt, and Python warnings are hidden.

    Args:
        debug: do not hide warnings.
        interrupted: event that is set when a signal arrives.
    """
    open_streams()
    owner = os.getpid()
    before: dict[signal.Signals, Any] = {}

    def stop(number: int, _: object) -> None:
        if os.getpid() == owner:
            interrupted.set()
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)  # a forked child, such as a data loader's worker, exits by the default
        os.kill(os.getpid(), number)

    with warnings.catch_warnings():
        if not debug and not sys.warnoptions:
            warnings.simplefilter("ignore")
        if threading.current_thread() is threading.main_thread():
            before[signal.SIGTERM] = signal.signal(signal.SIGTERM, stop)
            if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # background jobs ignore SIGINT
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
