"""Reads folders with the raw CelebAMask-HQ layout, which the official download and ``maskgan synth`` have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from maskgan_cli.data.sources import Candidate, Source
from maskgan_cli.errors import InputError
from maskgan_cli.files import READ_SUFFIXES, left_out, unreadable
from maskgan_cli.labels import PARTS

IMAGES = "CelebA-HQ-img"
MASKS = "CelebAMask-HQ-mask-anno"
MERGED = "CelebAMask-HQ-mask"  # label maps that the authors' script writes from the part files
MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
ATTRIBUTES = "CelebAMask-HQ-attribute-anno.txt"
POSES = "CelebAMask-HQ-pose-anno.txt"
IDENTITIES = "identity_CelebA.txt"
SCENES = "CelebAMask-HQ-scene-anno.txt"  # only for rendered faces: pictures of one scene differ only in expression

_PART_FILE = re.compile(r"([0-9]+)_(\w+)\.png")
_IMAGE_FILE = re.compile(r"([0-9]+)\.\w+")
_IMAGES_PER_FOLDER = 2000


def official_split(celeba_id: int) -> str:
    """Return the official split (``train``, ``val`` or ``test``) of the picture with this index in CelebA.

    CelebAMask-HQ has 24,183 train, 2,993 val and 2,824 test images.
    """
    return "train" if celeba_id < 162771 else "val" if celeba_id < 182638 else "test"


def is_raw_layout(root: Path) -> bool:
    """Return whether a folder contains a CelebAMask-HQ download, or a folder of the same layout."""
    return any((root / name).is_dir() for name in (IMAGES, MASKS, MERGED))


def read_source(root: Path, *, masked: bool = True, order: str = "celebamask") -> Source:
    """Return all images and masks of a folder with the raw layout as a `Source`, a list of samples to prepare.

    The masks are the part files (one PNG for each part of a face). If the folder of part files is missing, the masks
    are the label maps in the folder ``CelebAMask-HQ-mask``.

    Args:
        root: the folder.
        masked: whether the source has masks; if false, the source has only images.
        order: class order of the label maps in ``CelebAMask-HQ-mask`` (which class each id stands for), a key of
            `labels.ORDERS`.

    Raises:
        InputError: a folder or the mapping is missing, or an annotation file is not valid.
    """
    merged = masked and not (root / MASKS).is_dir() and (root / MERGED).is_dir()
    for folder in (IMAGES, MASKS) if masked and not merged else (IMAGES,):
        if not (root / folder).is_dir():
            hint = "" if folder == IMAGES else "--images-only prepares a data set without masks"
            raise InputError(root, expected=f"the raw layout with a folder {folder}", found="none", hint=hint)
    mapping = _read_mapping(root / MAPPING)
    attributes = read_table(root / ATTRIBUTES)
    poses = {
        name: {new: row[old] for new, old in zip(("yaw", "pitch", "roll"), row, strict=False)}
        for name, row in read_table(root / POSES).items()
    }
    identities = read_identities(root / IDENTITIES)
    scenes = {name: {"scene": row.get("Scene", "")} for name, row in read_table(root / SCENES).items()}

    images = {
        int(match[1]): path
        for path in (root / IMAGES).iterdir()
        if (match := _IMAGE_FILE.fullmatch(path.name)) and path.suffix.lower() in READ_SUFFIXES
    }
    masks = _merged_masks(root / MERGED) if merged else _list_masks(root / MASKS) if masked else {}
    candidates = []
    for index in sorted(images.keys() | masks.keys()):
        name = f"{index}.jpg"
        celeba_id, celeba_file = mapping.get(index, (None, ""))
        reason = ""
        if index not in images:
            parts = "" if merged else f"{MASKS} has parts of {index:05d}, "
            reason = f"mask without image: {parts}{IMAGES} has no {name}"
        elif masked and index not in masks:
            reason = _missing_mask(root, index, merged=merged)
        elif celeba_id is None:
            reason = f"not in {MAPPING}, so its split is unknown"
        fields = {"celeba_id": str(celeba_id), "identity": identities.get(celeba_file, "")}
        fields |= scenes.get(name, {}) | poses.get(name, {}) | attributes.get(name, {})
        split = official_split(celeba_id) if celeba_id is not None else "train"
        candidates.append(Candidate(str(index), images.get(index), masks.get(index, {}), split, fields, reason))
    columns = ["celeba_id", "identity", "scene", "yaw", "pitch", "roll"]
    columns += next(iter(attributes.values()), {}).keys()
    unread = left_out((root / IMAGES).iterdir())
    return Source(
        "CelebAMask-HQ" if masked else "CelebA-HQ",
        candidates,
        columns,
        order,
        masked,
        halved=merged,
        remarks=(f"{root / IMAGES}: {unread}",) if unread else (),
    )


def _missing_mask(root: Path, index: int, *, merged: bool) -> str:
    """Return a message that says which mask files of an image are missing.

    Args:
        root: folder with the raw layout.
        index: number of the image.
        merged: whether the masks are label maps in ``CelebAMask-HQ-mask``; if false, they are part files.
    """
    folder = f"{MASKS}/{index // _IMAGES_PER_FOLDER}"
    if merged:
        return f"image without any mask: {MERGED} has no {index}.png"
    if not (root / folder).is_dir():
        return f"missing part folder: {folder}"
    return f"image without any mask: {folder} has no {index:05d}_*.png"


def _merged_masks(root: Path) -> dict[int, dict[str, Path]]:
    """Return a dict from image number to ``{"": path of the label map}``, the form of `Candidate.masks`.

    Label maps in subfolders of ``root`` (train, val, test) are included.
    """
    return {int(path.stem): {"": path} for path in sorted(root.rglob("*.png")) if re.fullmatch("[0-9]+", path.stem)}


def _list_masks(root: Path) -> dict[int, dict[str, Path]]:
    """Return a dict from image number to the image's part files (part name -> path)."""
    masks: dict[int, dict[str, Path]] = {}
    for folder in root.iterdir():
        if not folder.is_dir():
            continue
        for path in folder.iterdir():
            if (match := _PART_FILE.fullmatch(path.name)) and match[2] in PARTS:
                masks.setdefault(int(match[1]), {})[match[2]] = path
    return masks


def lines_of(path: Path) -> Iterator[list[str]]:
    """Return an iterator over the lines of an annotation file, each as a list of its words. Empty lines are skipped.

    Raises:
        InputError: the file is not readable.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "an annotation file of CelebA") from error
    return (line.split() for line in text.splitlines() if line.strip())


def _read_mapping(path: Path) -> dict[int, tuple[int, str]]:
    """Read the mapping file: return a dict from a picture's index in CelebA-HQ to its index and file name in CelebA."""
    lines = lines_of(path)
    next(lines, None)  # idx orig_idx orig_file
    try:
        return {int(index): (int(celeba), file) for index, celeba, file in lines}
    except ValueError as error:
        raise InputError(path, expected="lines of: index, CelebA index, file name", found=str(error)) from error


def read_table(path: Path) -> dict[str, dict[str, str]]:
    """Read an annotation file, and return a dict from picture file name to row (a dict from column name to value).

    The first line of the file contains the number of rows, the second line the column names. Each further line contains
    a picture's file name and the values. If the file is missing, the dict is empty.

    Raises:
        InputError: a row has another number of values than the header.
    """
    if not path.exists():
        return {}
    lines = lines_of(path)
    next(lines, None)  # the count
    names = next(lines, [])
    rows: dict[str, dict[str, str]] = {}
    for file, *values in lines:
        if len(values) != len(names):
            raise InputError(path, expected=f"{len(names)} values for {file}", found=str(len(values)))
        rows[file] = dict(zip(names, values, strict=True))
    return rows


def read_identities(path: Path) -> dict[str, str]:
    """Return a dict from picture file name to the person's number, as text; empty if ``path`` does not exist."""
    if not path.exists():
        return {}
    try:
        return {file: identity for file, identity in lines_of(path)}  # noqa: C416 (checks the width)
    except ValueError as error:
        raise InputError(path, expected="lines of: file name, identity", found=str(error)) from error
