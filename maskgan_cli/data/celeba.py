"""The CelebA layout: aligned pictures of 178 x 218 px with attributes, partition and identities, and no masks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from maskgan_cli.data.celebamask import IDENTITIES, lines_of, read_identities, read_table
from maskgan_cli.data.sources import SPLITS, Candidate, Source
from maskgan_cli.errors import InputError
from maskgan_cli.files import IMAGE_SUFFIXES

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

    The lists may lie in the folder itself or where CelebA's own download has them (Img, Anno, Eval). The split is
    CelebA's own partition.

    Raises:
        InputError: no partition, or a list that does not parse.
    """
    partition = _read_partition(_find(root, PARTITION))
    attributes = read_table(_find(root, ATTRIBUTES))
    identities = read_identities(_find(root, IDENTITIES))
    candidates = []
    for path in sorted(_find(root, IMAGES).iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or not (path.stem.isascii() and path.stem.isdigit()):
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
    return Source("CelebA", candidates, columns, masked=False, sides=ALIGNED, crop=CROP)


def _find(root: Path, name: str) -> Path:
    """A part of the download, where it may be; in the folder itself if it is nowhere."""
    places = [root / name, *(root / folder / name for folder in ("Img", "Anno", "Eval"))]
    return next((place for place in places if place.exists()), places[0])


def _read_partition(path: Path) -> dict[str, str]:
    """File name -> split."""
    try:
        return {file: SPLITS[("0", "1", "2").index(part)] for file, part in lines_of(path)}
    except ValueError as error:
        raise InputError(path, expected="lines of: file name, and 0, 1 or 2", found=str(error)) from error
