"""Lists and folders of pictures: one bad file never ends a batch."""

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

Recursive = Annotated[bool, typer.Option("--recursive", "-r", help="Also the folders inside a folder.")]


@dataclass(frozen=True)
class Item:
    """A picture of a list.

    Attributes:
        path: its file.
        name: of its result, without a suffix; inside the folder it was found in.
    """

    path: Path
    name: Path


def pictures(
    names: Sequence[str], *, recursive: bool = False, say: Callable[[str], None] = lambda _: None
) -> list[Item]:
    """What a list of pictures names: files, folders (all pictures in them) and ``-`` (paths on standard input).

    Masks beside pictures (``NAME.mask.png``), overviews and hidden files in folders are passed over. ``say`` is told
    which pictures of a folder are left out because their format is not read.

    Raises:
        InputError: nothing named, or a folder without a picture.
    """
    from maskgan_cli.files import READ_SUFFIXES, left_out, read_stdin

    items: list[Item] = []
    for name in [line for given in names for line in (read_stdin().splitlines() if given == "-" else [given])]:
        path = Path(name)
        if not name:
            continue
        if not path.is_dir():
            items.append(Item(path, Path(path.stem)))
            continue
        inside = sorted(path.rglob("*") if recursive else path.iterdir())
        found = [
            Item(one, one.relative_to(path).with_suffix(""))
            for one in inside
            if one.suffix.lower() in READ_SUFFIXES and one.is_file() and _is_photo(one.relative_to(path))
        ]
        if unread := left_out(inside):
            say(f"{path}: {unread}")
        if not found:
            deeper = "" if recursive else "; --recursive looks in the folders inside"
            raise InputError(path, expected="pictures in this folder", found="none", hint=deeper[2:])
        items += found
    if not items:
        raise InputError("standard input", expected="paths of photos, one per line", found="nothing")
    return items


def _is_photo(name: Path) -> bool:
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and Path(name.stem).suffix not in (".mask", ".overview")


@dataclass
class Batch:
    """What of a list went wrong, while the rest goes on.

    Attributes:
        shell: where failures are named.
        total: how many things there are to do; of a single one the failure is the command's own.
        failures: what failed and why.
    """

    shell: Shell
    total: int
    failures: list[dict[str, str]] = field(default_factory=list)

    @contextlib.contextmanager
    def attempt(self, what: Path) -> Iterator[None]:
        """Name what fails inside the block, and go on."""
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
        """End the command, with what failed in its document.

        Raises:
            WorkError: something failed.
        """
        summary = {"done": self.total - len(self.failures), "failed": len(self.failures), "failures": self.failures}
        self.shell.finish({**document, **summary}, next_command=() if self.failures else next_command)
        if self.failures:
            named = "named in the document" if self.shell.as_json else "named above"
            raise WorkError(f"{len(self.failures)} of {self.total} failed, {named}; the others are done")
