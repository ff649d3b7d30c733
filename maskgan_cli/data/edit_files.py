"""Files of simulated edits (paper, Sec. 3.2): two masks of each face, as ``maskgan simulate-edits`` writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from maskgan_cli.data.prepared import Sample
from maskgan_cli.errors import InputError

EDITS: Final = ("inter", "outer")  # ends of the file names, ID-inter.png


def edit_files(samples: Sequence[Sample], folder: Path) -> list[tuple[Path, ...]]:
    """The files of M_inter and M_outer of each sample, in a folder of ``maskgan simulate-edits``.

    Raises:
        InputError: one is missing.
    """
    files = [tuple(folder / f"{sample.id}-{name}.png" for name in EDITS) for sample in samples]
    present = set(folder.iterdir()) if folder.is_dir() else set()
    if missing := [path for pair in files for path in pair if path not in present]:
        raise InputError(
            missing[0],
            expected="two edited masks of every training face",
            found=f"{len(missing)} of {2 * len(samples)} missing",
            hint=f"maskgan simulate-edits DATA --split train -o {folder}",
        )
    return files


def edits_sha256(samples: Sequence[Sample], folder: Path) -> str:
    """SHA-256 of the files of all samples, in their order.

    Raises:
        InputError: one is missing.
    """
    digest = hashlib.sha256()
    for pair in edit_files(samples, folder):
        for path in pair:
            digest.update(path.read_bytes())
    return digest.hexdigest()
