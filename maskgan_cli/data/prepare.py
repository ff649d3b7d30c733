"""Raw layouts -> a prepared data set: square images and exact label maps of one size."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.data.sources import SPLITS, Candidate, Source
from maskgan_cli.errors import InputError, MaskGANError
from maskgan_cli.files import (
    Picture,
    read_image,
    read_json,
    read_label_map,
    read_part,
    sha256,
    write_bytes,
    write_csv,
    write_image,
    write_json,
    write_label_map,
)
from maskgan_cli.labels import CLASSES, ID, PARTS, LabelMap

JOURNAL = ".prepare.jsonl"
MIN_SIZE, MAX_SIZE = 64, 1024


@dataclass(frozen=True)
class Done:
    """What became of one candidate: digests of its files, or why it was rejected."""

    id: str
    image: str = ""
    mask: str = ""
    reason: str = ""


def prepare(
    source: Source, out: Path, *, size: int, image_format: str, workers: int, overwrite: bool
) -> Iterator[Done]:
    """Prepare a source, yielding each candidate's fate as it is known; the last one completes the set.

    Work already done for the same settings (an interrupted run) is taken over, not repeated.

    Raises:
        InputError: ``out`` holds something else, or another preparation and not ``overwrite``.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError("--size", expected=f"{MIN_SIZE} to {MAX_SIZE}", found=str(size))
    settings = {
        "source": source.name,
        "listing": _listing(source),
        "size": size,
        "image_format": image_format,
    }
    done = _open_output(out, settings, overwrite)
    todo = []
    for candidate in source.candidates:
        if candidate.id in done:
            yield done[candidate.id]
        elif candidate.reason:
            done[candidate.id] = Done(candidate.id, reason=candidate.reason)
            yield done[candidate.id]
        else:
            todo.append(candidate)
    work = partial(_prepare_one, out=out, size=size, image_format=image_format, order=source.order)
    with (out / JOURNAL).open("a", encoding="utf-8") as journal:
        for result in _map(work, todo, workers):
            done[result.id] = result
            if not result.reason:  # a rejected sample is looked at again, it may have been mended
                journal.write(json.dumps(asdict(result)) + "\n")
                journal.flush()
            yield result
    _finish(source, out, settings, done, image_format)


def merge_parts(parts: dict[str, Path]) -> LabelMap:
    """Part files -> one label map (H, W), later parts of the painting order covering earlier ones.

    Raises:
        InputError: an unreadable part, or parts of different sizes.
    """
    labels: LabelMap | None = None
    for part in PARTS:
        if part not in parts:
            continue
        region = read_part(parts[part])
        if labels is None:
            labels = np.zeros(region.shape, np.uint8)
        if region.shape != labels.shape:
            raise InputError(parts[part], expected=_side(labels), found=_side(region))
        labels[region] = ID[part]
    if labels is None:
        raise ValueError("merge_parts needs at least one part")
    return labels


def _prepare_one(candidate: Candidate, *, out: Path, size: int, image_format: str, order: str) -> Done:
    """Runs in a worker process. Anything wrong with the sample becomes its reason."""
    assert candidate.image is not None
    try:
        picture = read_image(candidate.image)
        labels = None
        if candidate.masks:
            plain = candidate.masks.get("")
            labels = merge_parts(candidate.masks) if plain is None else read_label_map(plain, order=order)
        if problem := _problem(picture, labels, raw="" not in candidate.masks):
            return Done(candidate.id, reason=problem)
    except InputError as error:
        return Done(candidate.id, reason=str(error))
    image = write_image(out / "images" / f"{candidate.id}.{image_format}", resize_image(picture, size))
    if labels is None:
        return Done(candidate.id, sha256(image))
    mask = write_label_map(out / "masks" / f"{candidate.id}.png", resize_labels(labels, size))
    return Done(candidate.id, sha256(image), sha256(mask))


def _problem(picture: Picture, labels: LabelMap | None, *, raw: bool) -> str:
    if picture.shape[0] != picture.shape[1]:
        return f"wrong size: the image is {_side(picture)}, not square"
    if labels is None:
        return ""
    if labels.shape[0] != labels.shape[1]:
        return f"wrong size: the mask is {_side(labels)}, not square"
    # In the raw layout masks are half the images' size; a plain pair is one picture, drawn twice.
    if not raw and labels.shape != picture.shape[:2]:
        return f"wrong size: the image is {_side(picture)}, its mask {_side(labels)}"
    if not labels.any():
        return "empty mask: every pixel is background"
    return ""


def _side(array: Any) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"


def _map(work: Any, todo: list[Candidate], workers: int) -> Iterator[Done]:
    if workers <= 1 or len(todo) < 2:
        yield from map(work, todo)
        return
    # spawn: the parent has threads (the progress bar), and a forked copy of them can deadlock.
    pool = ProcessPoolExecutor(min(workers, len(todo)), multiprocessing.get_context("spawn"))
    try:
        yield from pool.map(work, todo, chunksize=max(1, min(16, len(todo) // (4 * workers))))
    finally:
        pool.shutdown(cancel_futures=True)


def _listing(source: Source) -> str:
    """Digest of what the source lists, so that a changed source is noticed."""
    digest = hashlib.sha256(source.order.encode())
    for c in source.candidates:
        digest.update(json.dumps([c.id, c.split, c.fields, sorted(c.masks)]).encode())
    return digest.hexdigest()


def _open_output(out: Path, settings: dict[str, Any], overwrite: bool) -> dict[str, Done]:
    """The candidates already done in ``out``; makes it ready to go on."""
    journal, finished = out / JOURNAL, out / "dataset.json"
    done: dict[str, Done] = {}
    if overwrite and (journal.is_file() or finished.is_file()):
        for folder in ("images", "masks"):
            shutil.rmtree(out / folder, ignore_errors=True)
        for file in (journal, finished, out / "manifest.csv", out / "rejected.csv"):
            file.unlink(missing_ok=True)
    elif finished.is_file():
        raise InputError(
            out, found=f"a prepared data set of {read_json(finished).get('samples')} samples",
            hint="choose another folder, or add --overwrite to prepare it again",
        )  # fmt: skip
    elif journal.is_file():
        started, *results = _read_lines(journal) or [None]
        if started != settings:
            raise InputError(
                out, found="the start of another preparation (other source, size or format)",
                hint="choose another folder, or add --overwrite to start over",
            )  # fmt: skip
        done = {result["id"]: Done(**result) for result in results}
    elif out.is_dir() and any(out.iterdir()):
        raise InputError(out, expected="a new or empty folder", found="other files in it")
    lines = [settings, *map(asdict, done.values())]
    write_bytes(journal, "".join(json.dumps(line) + "\n" for line in lines).encode())
    return done


def _read_lines(path: Path) -> list[Any]:
    """The JSON documents of a file, up to the first that is cut short (where the power went)."""
    documents = []
    for line in path.read_text("utf-8").splitlines():
        try:
            documents.append(json.loads(line))
        except ValueError:
            break
    return documents


def _finish(source: Source, out: Path, settings: dict[str, Any], done: dict[str, Done], image_format: str) -> None:
    kept = [c for c in source.candidates if not done[c.id].reason]
    rejected = [done[c.id] for c in source.candidates if done[c.id].reason]
    write_csv(out / "rejected.csv", ["id", "reason"], [{"id": d.id, "reason": d.reason} for d in rejected])
    if not kept:
        first = f"{rejected[0].id}: {rejected[0].reason}" if rejected else "the source lists no sample"
        raise MaskGANError(f"{out}: no sample could be prepared ({first}); all reasons are in rejected.csv")
    rows = [
        {
            "id": c.id, "split": c.split, "image": f"images/{c.id}.{image_format}",
            "mask": f"masks/{c.id}.png" if source.masked else "", **c.fields,
        }
        for c in kept
    ]  # fmt: skip
    used = [name for name in source.columns if any(row.get(name) for row in rows)]
    fields = ["id", "split", "image", "mask", *used]
    rows = [{name: row.get(name, "") for name in fields} for row in rows]
    write_csv(out / "manifest.csv", fields, rows)
    digest = hashlib.sha256((out / "manifest.csv").read_bytes())
    for c in kept:
        digest.update(f"{done[c.id].image} {done[c.id].mask}\n".encode())
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
            "hash": digest.hexdigest(),
        },
    )
    (out / JOURNAL).unlink()
