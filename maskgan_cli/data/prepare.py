"""Preparation of a data set: converts the samples of a source to square images and label maps of one size."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maskgan_cli import __version__
from maskgan_cli.data import journal
from maskgan_cli.data.journal import JOURNAL, Outcome
from maskgan_cli.data.prepared import data_hash
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.data.sources import SPLITS, Candidate, Source
from maskgan_cli.errors import InputError, MaskGANError, OmissionWarning
from maskgan_cli.files import (
    Picture,
    encode_image,
    encode_label_map,
    is_plain_jpeg,
    read_image,
    read_json,
    read_label_map,
    read_part,
    remove_leftovers,
    sha256,
    write_bytes,
    write_csv,
    write_json,
)
from maskgan_cli.labels import CLASSES, ID, PARTS, LabelMap
from maskgan_cli.locks import clear_dead, locked
from maskgan_cli.workers import spread

MIN_SIZE, MAX_SIZE = 64, 1024


def prepare(
    source: Source, out: Path, *, size: int, image_format: str, workers: int, overwrite: bool
) -> Iterator[Outcome]:
    """Write the samples of a source as a prepared data set.

    For each sample, yield its outcome: the hashes of the written files, or the reason why the sample was rejected. The
    data set is complete when the iterator ends. Samples that an interrupted run with the same settings has written
    are reused. If the data set is already complete, nothing is done and nothing is yielded.

    Args:
        source: the samples to prepare.
        out: folder of the prepared data set.
        size: side of images and masks in pixels.
        image_format: ``png`` or ``jpg``.
        workers: number of processes.
        overwrite: replace an existing data set in ``out``.

    Raises:
        InputError: ``out`` contains other files, or it contains another data set and ``overwrite`` is false.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError("--size", expected=f"{MIN_SIZE} to {MAX_SIZE}", found=str(size))
    settings = {
        "source": source.name,
        "listing": _listing(source),
        "size": size,
        "image_format": image_format,
    }
    if not overwrite and _is_complete(out, settings):
        clear_dead(out, "maskgan prep-data")
        return
    with locked(out, "maskgan prep-data"):
        done = _open_output(out, settings, overwrite)
        todo = []
        for candidate in source.candidates:
            if candidate.id in done and bool(done[candidate.id].mask) == bool(candidate.masks):
                yield done[candidate.id]
            elif candidate.reason:
                done[candidate.id] = Outcome(candidate.id, reason=candidate.reason)
                yield done[candidate.id]
            else:
                todo.append(candidate)
        work = partial(
            _prepare_one,
            out=out,
            size=size,
            image_format=image_format,
            order=source.order,
            needed=source.sides,
            crop=source.crop,
            halved=source.halved,
        )
        for result in spread(work, todo, workers):
            done[result.id] = result
            if not result.reason:  # rejected samples are tried again by the next run
                journal.append(out / JOURNAL, result)
            yield result
        _finish(source, out, settings, done, image_format)


def merge_parts(parts: dict[str, Path]) -> LabelMap:
    """Merge the part files of one face (one PNG for each part) into a label map (H, W).

    Args:
        parts: dict from part name to the path of the part file. Where parts overlap, a pixel gets the class of the part
            that is later in `labels.PARTS`.

    Raises:
        InputError: a part is not readable, or parts have different sizes.
    """
    labels: LabelMap | None = None
    for part in PARTS:
        if part not in parts:
            continue
        found = read_part(parts[part])
        if labels is None:
            labels = np.zeros(found.shape, np.uint8)
        if found.shape != labels.shape:
            raise InputError(parts[part], expected=_side(labels.shape), found=_side(found.shape))
        labels[found.box][found.region] = ID[part]
    if labels is None:
        raise ValueError("merge_parts needs at least one part")
    return labels


def _prepare_one(candidate: Candidate, **settings: Any) -> Outcome:
    """Prepare one sample in a worker process: call `_files_of` with ``settings`` as keyword arguments.

    Return the outcome of `_files_of`. Warnings about parts of the files that were not read, e.g. later frames, are
    joined and stored as the outcome's remark.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OmissionWarning)
        done = _files_of(candidate, **settings)
    remarks = [str(one.message) for one in caught if issubclass(one.category, OmissionWarning)]
    return replace(done, remark="; ".join(remarks))


def _files_of(
    candidate: Candidate,
    *,
    out: Path,
    size: int,
    image_format: str,
    order: str,
    needed: tuple[int, int] | None,
    crop: int | None,
    halved: bool = False,
) -> Outcome:
    """Write the image and mask of one sample, and return the outcome with their hashes.

    If an input file is not valid, write nothing and return an outcome with the reason.

    Args:
        candidate: the sample, which has an image.
        out: folder of the prepared data set.
        size: side of the written image and mask in pixels.
        image_format: ``png`` or ``jpg``.
        order: class order of the label map, see `Source`.
        needed: required width and height of the picture; None if any square picture is valid.
        crop: side in pixels of the central square to which the picture is cropped; None uses the whole picture.
        halved: whether the label map may have half the size of the picture.
    """
    assert candidate.image is not None
    masked, raw = bool(candidate.masks), "" not in candidate.masks
    try:
        original = is_plain_jpeg(candidate.image) if image_format == "jpg" and crop is None else None
        picture = None if original == (size, size) else read_image(candidate.image)
        labels = None
        if masked:
            labels = merge_parts(candidate.masks) if raw else read_label_map(candidate.masks[""], order=order)
        if picture is not None and needed is not None and picture.shape[1::-1] != needed:
            expected = f"{needed[0]}x{needed[1]}"
            return Outcome(candidate.id, reason=f"wrong size: the image is {_side(picture.shape)}, not {expected}")
        if picture is not None and crop is not None:
            picture = _central(picture, crop)
        sides = (size, size) if picture is None else picture.shape[:2]
        if problem := _problem(sides, labels, halved=raw or halved):
            return Outcome(candidate.id, reason=problem)
    except InputError as error:
        return Outcome(candidate.id, reason=str(error))
    # A JPEG of the right size is copied, because encoding it again would lose quality.
    suffix = f".{image_format}"
    data = candidate.image.read_bytes() if picture is None else encode_image(resize_image(picture, size), suffix)
    image = _write(out / "images" / f"{candidate.id}{suffix}", data)
    if labels is None:
        return Outcome(candidate.id, image)
    mask = encode_label_map(resize_labels(labels, size))
    return Outcome(candidate.id, image, _write(out / "masks" / f"{candidate.id}.png", mask))


def _central(picture: Picture, side: int) -> Picture:
    """Return the central square of a picture (H, W, 3), with ``side`` x ``side`` pixels."""
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return picture[top : top + side, left : left + side]


def _write(path: Path, data: bytes) -> str:
    """Write a file and return its SHA-256."""
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()


def _problem(sides: tuple[int, ...], labels: LabelMap | None, *, halved: bool) -> str:
    """Return a message if the image or mask has a wrong size or the mask is empty; otherwise an empty string.

    Args:
        sides: height and width of the image.
        labels: the mask; None if there is none.
        halved: whether the mask may have another size than the image.
    """
    if sides[0] != sides[1]:
        return f"wrong size: the image is {_side(sides)}, not square"
    if labels is None:
        return ""
    if labels.shape[0] != labels.shape[1]:
        return f"wrong size: the mask is {_side(labels.shape)}, not square"
    # In the raw layout, masks have half the size of the images; in other sources, both have the same size.
    if not halved and labels.shape != sides:
        return f"wrong size: the image is {_side(sides)}, its mask {_side(labels.shape)}"
    if not labels.any():
        return "empty mask: every pixel is background"
    return ""


def _side(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]}"


def _listing(source: Source) -> str:
    """Return a hash of a source's class order and of all ids, splits, fields and part names of its samples.

    An interrupted preparation is resumed only if the hash is still the same.
    """
    digest = hashlib.sha256(source.order.encode())
    for c in source.candidates:
        digest.update(json.dumps([c.id, c.split, c.fields, sorted(c.masks)]).encode())
    return digest.hexdigest()


def _is_complete(out: Path, settings: dict[str, Any]) -> bool:
    """Return whether the folder ``out`` is a complete data set that was prepared with the same settings.

    The settings include a hash of the source, so the result is false if the source has changed.
    """
    if (out / JOURNAL).exists() or not (out / "dataset.json").is_file():
        return False
    try:
        info = read_json(out / "dataset.json")
    except InputError:
        return False
    return isinstance(info, dict) and info.get("settings") == settings


def _open_output(out: Path, settings: dict[str, Any], overwrite: bool) -> dict[str, Outcome]:
    """Prepare the folder ``out`` for writing: delete old files if ``overwrite`` is true, and start the journal.

    The journal is the file that lists the finished samples, see `data.journal`.

    Returns:
        A dict from sample id to outcome, for the samples that an interrupted run with these settings has finished; the
        caller need not prepare them again.

    Raises:
        InputError: the folder contains other files, or another data set and ``overwrite`` is false.
    """
    path, finished = out / JOURNAL, out / "dataset.json"
    done: dict[str, Outcome] = {}
    if overwrite and (path.is_file() or finished.is_file()):
        for folder in ("images", "masks"):
            shutil.rmtree(out / folder, ignore_errors=True)
        # The files that mark the folder as a data set are deleted last, so an interrupted deletion can be repeated.
        for file in (out / "manifest.csv", out / "rejected.csv", path, finished):
            file.unlink(missing_ok=True)
    elif path.is_file():  # dataset.json may exist too, if the run was killed before it deleted the journal
        started, *results = journal.read_lines(path) or [None]
        if started != settings:
            raise InputError(
                out,
                found="an unfinished preparation of another source, size or format",
                hint="choose another folder, or add --overwrite to replace it",
            )
        known = filter(None, map(journal.parse, results))
        done = {result.id: result for result in known if journal.is_intact(out, result, settings)}
    elif finished.is_file():
        raise InputError(
            out,
            found=f"a prepared data set of {_samples(finished)} samples",
            hint="choose another folder, or add --overwrite to prepare it again",
        )
    elif out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise InputError(out, expected="a new or empty folder", found="other files in it")
    remove_leftovers(out, out / "images", out / "masks")
    lines = [settings, *map(journal.line, done.values())]
    write_bytes(path, "".join(json.dumps(line) + "\n" for line in lines).encode())
    return done


def _samples(dataset: Path) -> str:
    """Return the number of samples in a ``dataset.json`` as text; "an unknown number of" if it is not readable."""
    try:
        return str(int(read_json(dataset)["samples"]))
    except (InputError, LookupError, TypeError, ValueError):
        return "an unknown number of"


def _finish(source: Source, out: Path, settings: dict[str, Any], done: dict[str, Outcome], image_format: str) -> None:
    """Write the manifest, the list of rejected samples and ``dataset.json``, and delete the journal.

    Args:
        source: the source of the samples.
        out: folder of the prepared data set.
        settings: settings of the preparation.
        done: dict from sample id to outcome, for all samples.
        image_format: ``png`` or ``jpg``.
    """
    kept = [c for c in source.candidates if not done[c.id].reason]
    rejected = [done[c.id] for c in source.candidates if done[c.id].reason]
    write_csv(out / "rejected.csv", ["id", "reason"], [{"id": d.id, "reason": d.reason} for d in rejected])
    if not kept:
        first = f"{rejected[0].id}: {rejected[0].reason}" if rejected else "the source has no samples"
        raise MaskGANError(f"{out}: no sample could be prepared ({first}); rejected.csv has all reasons")
    rows = [
        {
            "id": c.id,
            "split": c.split,
            "image": f"images/{c.id}.{image_format}",
            "mask": f"masks/{c.id}.png" if source.masked else "",
            **c.fields,
        }
        for c in kept
    ]
    used = [name for name in source.columns if any(row.get(name) for row in rows)]
    names = ["id", "split", "image", "mask", *used]
    rows = [{name: row.get(name, "") for name in names} for row in rows]
    write_csv(out / "manifest.csv", names, rows)
    digests = [(done[c.id].image, done[c.id].mask) for c in kept]
    counts = Counter(c.split for c in kept)
    write_json(
        out / "dataset.json",
        {
            "name": out.resolve().name,
            "size": settings["size"],
            "classes": list(CLASSES) if source.masked else [],
            "source": source.name,
            "samples": len(kept),
            "splits": {split: counts[split] for split in SPLITS},
            "rejected": len(rejected),
            "version": __version__,
            "settings": settings,
            "manifest": sha256(out / "manifest.csv"),
            "hash": data_hash(out / "manifest.csv", digests),
        },
    )
    (out / JOURNAL).unlink()
