"""Files of simulated edits (paper, Sec. 3.2).

``maskgan simulate-edits`` writes two edited versions of each face's mask, M_inter and M_outer of the paper.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from maskgan_cli.data.prepared import Sample
from maskgan_cli.errors import InputError

EDITS: Final = ("inter", "outer")  # the files are named ID-inter.png and ID-outer.png


def edit_files(samples: Sequence[Sample], folder: Path) -> list[tuple[Path, ...]]:
    """Return, for each sample, the paths of its two edited masks (M_inter and M_outer). All files must exist.

    Args:
        samples: the samples.
        folder: the output folder of ``maskgan simulate-edits``.

    Raises:
        InputError: a file is missing.
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
    """Return one SHA-256 of the edited mask files of all samples together, as hexadecimal digits.

    The arguments are those of `edit_files`.

    Raises:
        InputError: a file is missing.
    """
    digest = hashlib.sha256()
    for pair in edit_files(samples, folder):
        for path in pair:
            digest.update(path.read_bytes())
    return digest.hexdigest()
