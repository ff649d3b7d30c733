"""The list of pairs: a CSV file with a row for each pair, and the settings by which the pairs were chosen.

``maskgan eval pairs`` writes the list; ``swap-mouth --pairs`` and the other ``eval`` commands read it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.pairs import PROTOCOLS, Pair
from maskgan_cli.evaluation.results import trace
from maskgan_cli.files import read_csv

# All other columns are attributes that the result must have (1) or must not have (-1).
_FILES: Final = ("source", "target", "source_mask", "target_mask", "output")
_RENDERED: Final = ("distance", "truth", "truth_mask", "mask", "style_image", "style_mask")
COLUMNS: Final = (*_FILES, *_RENDERED, "protocol", "split", "seed", "poses", "rule")


def rows_of(pairs: Sequence[Pair], protocol: str, *, split: str, seed: int, poses: str) -> list[dict[str, str]]:
    """Convert pairs of faces to rows of the CSV file: dicts from column name to text, all with the same columns.

    Args:
        pairs: the pairs.
        protocol, split, seed: the settings by which the pairs were chosen.
        poses: where the head poses come from: ``manifest``, or the SHA-256 of the pose network.
    """
    rows = []
    for number, pair in enumerate(pairs):
        row = {
            "source": str(pair.source.image),
            "target": str(pair.target.image),
            "source_mask": str(pair.source.mask_file or ""),
            "target_mask": str(pair.target.mask_file or ""),
            "output": f"{number:04d}_{_safe(pair.source.id)}_{_safe(pair.target.id)}.png",
            "distance": "" if pair.distance is None else f"{pair.distance:.4f}",
            **pair.extra,
            **{name: str(value) for name, value in pair.wanted.items()},
            "protocol": protocol,
            "split": split,
            "seed": str(seed),
            "poses": poses,
            "rule": PROTOCOLS[protocol].rule,
        }
        rows.append(row)
    return rows


def _safe(name: str) -> str:
    """Return the name of a face for use in file names: at most 60 characters, special ones replaced by ``_``."""
    return re.sub(r"[^\w.-]", "_", name)[:60]


def as_csv(rows: Sequence[dict[str, str]]) -> str:
    """Format rows as CSV text with a header, without a newline at the end."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().rstrip("\n")


@dataclass(frozen=True)
class PairList:
    """A list of pairs that was read from its file.

    Attributes:
        path: the file.
        protocol, split, seed: the settings by which the pairs were chosen.
        rows: one dictionary for each pair, from column name to text.
    """

    path: Path
    protocol: str
    split: str
    seed: int
    rows: list[dict[str, str]]

    @classmethod
    def load(cls, path: Path) -> PairList:
        """Read a list of pairs, which ``maskgan eval pairs`` wrote.

        Raises:
            InputError: the file cannot be read, has no pairs, lacks columns, or names results outside their folder.
        """
        rows = read_csv(path)
        hint = "make it with `maskgan eval pairs DATA`"
        if not rows:
            raise InputError(path, expected="pairs", found="none", hint=hint)
        if missing := [c for c in ("source", "target", "output", "protocol", "split", "seed") if not rows[0].get(c)]:
            raise InputError(path, expected=f"a column {missing[0]}", found="none", hint=hint)
        for line, row in enumerate(rows, start=2):
            name = PurePath(row["output"])
            if not name.name or name.is_absolute() or ".." in name.parts:
                raise InputError(
                    f"{path}, line {line}", expected="a name inside the folder of results", found=repr(row["output"])
                )
        first = rows[0]
        try:
            seed = int(first["seed"])
        except ValueError:
            raise InputError(path, expected="a number as seed", found=repr(first["seed"]), hint=hint) from None
        return cls(path, first["protocol"], first["split"], seed, rows)

    def results(self, folder: Path) -> list[Path]:
        """Return the paths of all results in ``folder``, one for each pair, in the order of the list.

        Raises:
            InputError: the folder does not exist, or results are missing.
        """
        if not folder.is_dir():
            raise InputError(folder, expected="a folder of results", found="no such folder")
        paths = [folder / row["output"] for row in self.rows]
        if missing := [path.name for path in paths if not path.is_file()]:
            more = f" nor {len(missing) - 1} more" if missing[1:] else ""
            raise InputError(folder, expected=f"the results of {len(paths)} pairs", found=f"no {missing[0]}{more}")
        return paths

    def wanted(self) -> dict[str, list[int]]:
        """Return a dict from the name of an attribute to a list with one value for each pair.

        The value is 1 if the pair's result must have the attribute, and -1 if the result must not have it.

        Raises:
            InputError: an attribute's column has a value other than 1 and -1.
        """
        names = [name for name in self.rows[0] if name not in COLUMNS]
        for line, row in enumerate(self.rows, start=2):
            if wrong := [name for name in names if row[name] not in ("1", "-1")]:
                raise InputError(
                    f"{self.path}, line {line}", expected=f"1 or -1 as {wrong[0]}", found=repr(row[wrong[0]])
                )
        return {name: [int(row[name]) for row in self.rows] for name in names}

    def files(self, column: str) -> list[Path]:
        """Return the paths in a column of the list, e.g. ``source``, one for each pair.

        Raises:
            InputError: the column is missing, or empty for a pair.
        """
        values = [row.get(column, "") for row in self.rows]
        if not all(values):
            raise InputError(self.path, expected=f"a {column} for every pair", found="none")
        return [Path(value) for value in values]

    def trace(self) -> dict[str, Any]:
        """Return the record (path and hash) of the list's file, for the JSON result."""
        return trace(self.path, [self.path])
