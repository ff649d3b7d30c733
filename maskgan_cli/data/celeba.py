"""The CelebA layout: aligned pictures of 178 x 218 px with attributes, partition and identities, and no masks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskgan_cli.data.celebamask import IDENTITIES, lines_of, read_identities, read_table
from maskgan_cli.data.sources import SPLITS, Candidate, Source
from maskgan_cli.errors import InputError
from maskgan_cli.files import READ_SUFFIXES, left_out, read_csv

IMAGES: Final = "img_align_celeba"
ATTRIBUTES: Final = "list_attr_celeba.txt"
PARTITION: Final = "list_eval_partition.txt"
ALIGNED: Final = (178, 218)  # width and height of an aligned picture
CROP: Final = 178  # side of the central square, as in StarGAN


def is_celeba_layout(root: Path) -> bool:
    """Return whether a folder contains a CelebA download."""
    return _find(root, IMAGES).is_dir()


def read_source(root: Path) -> Source:
    """Return all aligned pictures of a CelebA download as a `Source` (a list of samples to prepare) without masks.

    The annotation files may be in the folder itself or in the folders of CelebA's download (Img, Anno, Eval). Kaggle's
    copy is supported: its annotations are CSV files, and its pictures are one folder deeper. The splits are those of
    CelebA's partition.

    Raises:
        InputError: the partition is missing, or an annotation file is not valid.
    """
    partition = _read_partition(_find(root, PARTITION))
    attributes = _read_attributes(_find(root, ATTRIBUTES))
    identities = read_identities(_find(root, IDENTITIES))
    candidates = []
    folder = _find(root, IMAGES)
    folder = folder / IMAGES if (folder / IMAGES).is_dir() else folder
    files = sorted(folder.iterdir())
    for path in files:
        if path.suffix.lower() not in READ_SUFFIXES or not (path.stem.isascii() and path.stem.isdigit()):
            continue
        name = f"{path.stem}.jpg"  # the name in the annotation files, also for the lossless download
        fields = {
            "celeba_id": str(int(path.stem) - 1),
            "identity": identities.get(name, ""),
            **attributes.get(name, {}),
        }
        reason = "" if name in partition else f"not in {PARTITION}, so its split is unknown"
        candidates.append(Candidate(path.stem, path, {}, partition.get(name, "train"), fields, reason))
    columns = ["celeba_id", "identity", *next(iter(attributes.values()), {})]
    unread = left_out(files)
    remarks = (f"{folder}: {unread}",) if unread else ()
    return Source("CelebA", candidates, columns, masked=False, sides=ALIGNED, crop=CROP, remarks=remarks)


def _find(root: Path, name: str) -> Path:
    """Return the path of the file or folder ``name`` of a CelebA download.

    The file may be in ``root`` or in the folder Img, Anno or Eval; a ``.csv`` file may replace a ``.txt`` file. If
    nothing is found, return the path ``root / name``.
    """
    names = [name, f"{Path(name).stem}.csv"] if name.endswith(".txt") else [name]
    paths = [root / folder / one for one in names for folder in ("", "Img", "Anno", "Eval")]
    return next((path for path in paths if path.exists()), paths[0])


def _read_attributes(path: Path) -> dict[str, dict[str, str]]:
    """Return a dict from file name to the picture's attributes (name -> value); empty if ``path`` does not exist."""
    if path.suffix != ".csv":
        return read_table(path)
    return {row.pop(_first_column(row)): row for row in read_csv(path)}


def _first_column(row: dict[str, str]) -> str:
    return next(iter(row))


def _read_partition(path: Path) -> dict[str, str]:
    """Return a dict from the file name of each picture to its split: ``train``, ``val`` or ``test``."""
    try:
        if path.suffix == ".csv":
            return {row[_first_column(row)]: SPLITS[("0", "1", "2").index(row["partition"])] for row in read_csv(path)}
        return {file: SPLITS[("0", "1", "2").index(part)] for file, part in lines_of(path)}
    except (ValueError, KeyError) as error:
        raise InputError(path, expected="lines of: file name, and 0, 1 or 2", found=str(error)) from error
