"""Finds the pictures that a command receives as input, and processes them even if some of them fail."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maskgan_cli.errors import InputError, MaskGANError, Stopped, WorkError

if TYPE_CHECKING:
    from maskgan_cli.cli.shell import Shell

Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Also read subfolders.")]


@dataclass(frozen=True)
class InputPicture:
    """A picture that a command receives as input.

    Attributes:
        path: path of its file.
        name: name of the picture's result without a suffix. For a picture in a folder that the user named, this is the
            path relative to the folder, without the suffix.
    """

    path: Path
    name: Path


def pictures(
    names: Sequence[str], *, recursive: bool = False, say: Callable[[str], None] = lambda _: None
) -> list[InputPicture]:
    """Find the pictures that a command receives as input, and return them in order.

    In folders, these files are skipped: masks beside pictures (``NAME.mask.png``), overviews of `maskgan align`, and
    hidden files.

    Args:
        names: files, folders (all pictures in them), or ``-`` (read paths from standard input).
        recursive: also search the folders inside of folders.
        say: function that receives a message about pictures of a folder that are skipped, because their format is not
            supported.

    Raises:
        InputError: the list is empty, or a folder has no pictures.
    """
    from maskgan_cli.files import READ_SUFFIXES, left_out, read_stdin

    items: list[InputPicture] = []
    for name in [line for given in names for line in (read_stdin().splitlines() if given == "-" else [given])]:
        path = Path(name)
        if not name:
            continue
        if not path.is_dir():
            items.append(InputPicture(path, Path(path.stem)))
            continue
        inside = sorted(path.rglob("*") if recursive else path.iterdir())
        found = [
            InputPicture(one, one.relative_to(path).with_suffix(""))
            for one in inside
            if one.suffix.lower() in READ_SUFFIXES and one.is_file() and _is_photo(one.relative_to(path))
        ]
        if unread := left_out(inside):
            say(f"{path}: {unread}")
        if not found:
            deeper = "" if recursive else "--recursive also reads subfolders"
            raise InputError(path, expected="pictures in this folder", found="none", hint=deeper)
        items += found
    if not items:
        raise InputError("standard input", expected="paths of photos, one per line", found="nothing")
    return items


def _is_photo(name: Path) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and Path(name.stem).suffix not in (".mask", ".overview")


@dataclass
class FileBatch:
    """Records the files of a command that cannot be processed, so that the other files are still processed.

    Attributes:
        shell: prints the failures.
        total: number of files. If there is only one file, its failure ends the command with the file's own error.
        failures: one dict for each failed file, with the keys ``file`` and ``reason``.
    """

    shell: Shell
    total: int
    failures: list[dict[str, str]] = field(default_factory=list)

    @contextlib.contextmanager
    def attempt(self, what: Path) -> Iterator[None]:
        """Context manager that records and prints an error of its block; the command then continues after the block.

        Args:
            what: the file that the block processes; it is recorded with the error.

        Raises:
            MaskGANError, OSError: the block raised this error, and the batch has only one file.
            Stopped: the command was interrupted in the block.
        """
        try:
            yield
        except Stopped:
            raise
        except (MaskGANError, OSError) as error:
            if self.total == 1:
                raise
            self.failures.append({"file": str(what), "reason": str(error)})
            if not self.shell.as_json:
                self.shell.warn(str(error))

    def finish(self, document: dict[str, Any], *, next_command: Sequence[object] = ()) -> None:
        """End the command and add the failures to the JSON document; for the parameters, see `Shell.finish`.

        Raises:
            WorkError: at least one file failed.
        """
        summary = {"done": self.total - len(self.failures), "failed": len(self.failures), "failures": self.failures}
        self.shell.finish({**document, **summary}, next_command=() if self.failures else next_command)
        if self.failures:
            where = "see failures in the JSON document" if self.shell.as_json else "see above"
            raise WorkError(f"{len(self.failures)} of {self.total} failed ({where}); the others are done")
