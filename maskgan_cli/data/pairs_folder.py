"""Reads a folder of images and label maps as a source of samples.

The files are ``images/NAME.*`` and ``masks/NAME.png``, or ``NAME.*`` and ``NAME.mask.png`` in one folder. A prepared
data set is such a folder, so it can be prepared again at another size. If the folder has a ``manifest.csv``, splits,
identities, poses and attributes are read from it.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

from maskgan_cli.data.celeba import is_celeba_layout
from maskgan_cli.data.celebamask import is_raw_layout
from maskgan_cli.data.sources import SPLITS, Candidate, Source, problem_with_id
from maskgan_cli.errors import InputError
from maskgan_cli.files import READ_SUFFIXES, left_out, read_csv

MASK_SUFFIX = ".mask.png"


def read_source(
    root: Path, *, order: str, val_share: float, test_share: float, seed: int, masked: bool = True
) -> Source:
    """Return all images and label maps of a folder as a `Source`, a list of samples to prepare.

    Args:
        root: the folder.
        order: class order of the label maps (which class each id stands for), a key of `labels.ORDERS`.
        val_share, test_share: probabilities (0 to 1) that a sample without a split in the manifest gets the split val
            or test. The split depends only on the sample's name and the seed, so it does not change if other samples
            are added.
        seed: seed of the random splits.
        masked: whether the source has label maps; if false, the source has only images.

    Raises:
        InputError: the folder is missing or has no images, or its manifest has no column ``id``.
    """
    if not root.is_dir():
        raise InputError(root, expected="a folder", found="a file" if root.exists() else "no such folder")
    images, masks, repeated, unread = _list(root)
    masks = masks if masked else {}
    others = {path.stem: path for path in _files(root / "masks")}
    if not images:
        raise InputError(
            root,
            expected="the raw CelebAMask-HQ layout, images/ and masks/, or NAME.jpg and NAME.mask.png",
            found="no image",
            hint=unread or _hint(root),
        )
    manifest = _manifest(root / "manifest.csv")
    known = {"id", "split", "image", "mask"}
    columns = [name for name in next(iter(manifest.values()), {}) if name not in known]
    candidates = []
    for name in sorted(images.keys() | masks.keys()):
        row = manifest.get(name, {})
        split = row.get("split") or split_by_name(name, val_share, test_share, seed)
        reason = ""
        if split not in SPLITS:
            reason = f"manifest.csv names the split {split!r}; splits are {', '.join(SPLITS)}"
        if name not in images:
            reason = f"mask without image: {masks[name].name}"
        elif name in repeated:
            reason = f"several images of that name: {images[name].name} and another"
        elif masked and name not in masks:
            other = f"; {others[name].name} is not a PNG" if name in others else ""
            reason = f"image without any mask: {images[name].name}{other}"
        reason = problem_with_id(name) or reason
        mask = {"": masks[name]} if name in masks else {}
        fields = {column: row.get(column, "") for column in columns}
        candidates.append(Candidate(name, images.get(name), mask, split, fields, reason))
    return Source(root.resolve().name, candidates, columns, order, masked, remarks=(unread,) if unread else ())


def _hint(root: Path) -> str:
    """Return a hint for the error message that the folder ``root`` has no images.

    The hint names a subfolder that contains a data set. If there is no such subfolder, the hint is "check the path".
    """
    for inner in sorted(path for path in (*root.glob("*"), *root.glob("*/*")) if path.is_dir()):
        if is_raw_layout(inner) or is_celeba_layout(inner) or (inner / "images").is_dir():
            return f"the data set is in {inner}: name that folder"
    return "check the path"


def split_by_name(name: str, val_share: float, test_share: float, seed: int) -> str:
    """Return the split (train, val or test) of a sample, chosen pseudo-randomly from a hash of the name and the seed.

    Args:
        name: id of the sample.
        val_share, test_share: probabilities (0 to 1) of the splits val and test.
        seed: another seed gives other splits.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if draw < test_share else "val" if draw < test_share + val_share else "train"


def _manifest(path: Path) -> dict[str, dict[str, str]]:
    """Return a dict from sample id to the row of the manifest (column name -> value); empty if the file is missing."""
    rows = read_csv(path) if path.is_file() else []
    if rows and "id" not in rows[0]:
        raise InputError(path, expected="a column id", found=", ".join(rows[0])[:80])
    return {row["id"]: row for row in rows}


def _list(root: Path) -> tuple[dict[str, Path], dict[str, Path], set[str], str]:
    """List the images and masks in a folder with one of the two layouts in this module's docstring.

    Returns:
        A dict from sample name to the path of the image; a dict from sample name to the path of the mask; the set of
        sample names for which there are several images (e.g. ``1.jpg`` and ``1.png``); and a message about files of
        unsupported picture formats (empty if there are none).
    """
    if (root / "images").is_dir():
        files = _files(root / "images")
        images = [p for p in files if p.suffix.lower() in READ_SUFFIXES]
        masks = {p.stem: p for p in _files(root / "masks") if p.suffix.lower() == ".png"}
    else:
        files = _files(root)
        images = [p for p in files if p.suffix.lower() in READ_SUFFIXES and not p.name.endswith(MASK_SUFFIX)]
        masks = {p.name[: -len(MASK_SUFFIX)]: p for p in files if p.name.endswith(MASK_SUFFIX)}
    counts = Counter(p.stem for p in images)
    unread = left_out(files)
    repeated = {name for name, count in counts.items() if count > 1}
    return {p.stem: p for p in images}, masks, repeated, f"{root}: {unread}" if unread else ""


def _files(folder: Path) -> list[Path]:
    """Return the regular files of a folder, sorted by name, without hidden files such as `._NAME.jpg` of macOS."""
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted(Path(e.path) for e in entries if not e.name.startswith(".") and e.is_file())
