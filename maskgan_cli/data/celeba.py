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
CROP: Final = 178  # StarGAN's: the central square of the full width


def is_celeba_layout(root: Path) -> bool:
    """Whether a folder looks like a CelebA download."""
    return _find(root, IMAGES).is_dir()


def read_source(root: Path) -> Source:
    """List every aligned picture, without masks.

    The lists may lie in the folder itself or where CelebA's own download has them (Img, Anno, Eval), as text or as
    the CSV files of Kaggle's copy, whose pictures lie one folder deeper. The split is CelebA's own partition.

    Raises:
        InputError: no partition, or a list that does not parse.
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
        name = f"{path.stem}.jpg"  # the lists' names, also of the lossless download
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
    """A part of the download, where it may be; in the folder itself if it is nowhere."""
    names = [name, f"{Path(name).stem}.csv"] if name.endswith(".txt") else [name]
    places = [root / folder / one for one in names for folder in ("", "Img", "Anno", "Eval")]
    return next((place for place in places if place.exists()), places[0])


def _read_attributes(path: Path) -> dict[str, dict[str, str]]:
    """File name -> attributes; {} if there is no such file."""
    if path.suffix != ".csv":
        return read_table(path)
    return {row.pop(_first_column(row)): row for row in read_csv(path)}


def _first_column(row: dict[str, str]) -> str:
    return next(iter(row))


def _read_partition(path: Path) -> dict[str, str]:
    """File name -> split."""
    try:
        if path.suffix == ".csv":
            return {row[_first_column(row)]: SPLITS[("0", "1", "2").index(row["partition"])] for row in read_csv(path)}
        return {file: SPLITS[("0", "1", "2").index(part)] for file, part in lines_of(path)}
    except (ValueError, KeyError) as error:
        raise InputError(path, expected="lines of: file name, and 0, 1 or 2", found=str(error)) from error
