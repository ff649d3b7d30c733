"""Writes a data set of rendered faces in the raw CelebAMask-HQ layout; interrupted runs can be resumed."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskgan_cli.errors import InputError
from maskgan_cli.files import (
    encode_png,
    read_json,
    remove_leftovers,
    write_bytes,
    write_csv,
    write_image,
    write_json,
    write_label_map,
)
from maskgan_cli.labels import PARTS
from maskgan_cli.locks import locked
from maskgan_cli.synth.celeba_attributes import CELEBA, attributes
from maskgan_cli.synth.dataset_plan import (
    EARLIER,
    EXPRESSIONS_KEY,
    DatasetPlan,
    answered,
    celeba_index,
    counterfactual,
    pair_of,
)
from maskgan_cli.synth.render import head_truth, render
from maskgan_cli.workers import spread

PAIR_FIELDS = (
    "pair",
    "source",
    "target",
    "truth",
    "truth_mask",
    "source_identity",
    "target_identity",
    "yaw",
    "pitch",
    "roll",
)
Progress = Callable[[int, int], None]


def write_dataset(
    out: str | Path,
    count: int,
    size: int,
    identities: int | None = None,
    *,
    seed: int = 0,
    workers: int | None = None,
    counterfactuals: int = 0,
    expressions: int = 1,
    progress: Progress | None = None,
    takes: int | None = None,
) -> Path:
    """Write ``count`` rendered faces to a folder, and return the folder. A repeated call resumes an interrupted one.

    Args:
        out: the folder; existing pictures are kept.
        count: number of pictures, 1 to 150,000.
        size: side of pictures and masks in pixels, 32 to 1024.
        identities: number of people; scene i shows person i modulo this number. Default: a fifth of the scenes.
        seed: seed of all random choices.
        workers: number of processes, by default one per core; 1 runs everything in this process.
        counterfactuals: number of counterfactual pairs. For each pair of a source and a target picture, the source is
            rendered with the target's expression and written to ``counterfactuals/``, as ground truth of an edit.
        expressions: number of pictures of each scene. The pictures differ only in the expression, so `train dmn` can
            learn from pairs of them: the second picture is the ground truth of an edit of the first picture.
        progress: called with (done, total) after each picture or pair.
        takes: former name of ``expressions``.

    Raises:
        InputError: a setting is out of range, or the folder was written with other settings.
    """
    out = Path(out)
    expressions = expressions if takes is None else takes
    scenes = -(-count // max(1, expressions))
    people = max(1, scenes // 5) if identities is None else identities
    plan = DatasetPlan(count, size, min(people, max(scenes, 1)), seed, counterfactuals, expressions)
    _check_settings(plan)
    with locked(out, "maskgan synth"):
        _check_folder(out, plan)
        write_json(out / "synth.json", plan.settings())
        _write_lists(out, plan, _work(out, plan, workers, progress))
    return out


def _check_settings(plan: DatasetPlan) -> None:
    """Raise an InputError if a setting of the plan is out of range."""
    for name, value, low, high in (
        ("count", plan.count, 1, 150_000),
        ("size", plan.size, 32, 1024),
        ("identities", plan.identities, 1, plan.count),
        ("seed", plan.seed, 0, 2**32 - 1),
        ("counterfactuals", plan.counterfactuals, 0, 1_000_000),
        ("expressions", plan.expressions, 1, 100),
    ):
        if not low <= value <= high:
            raise InputError(name, expected=f"a whole number from {low} to {high}", found=str(value))
    if plan.counterfactuals and plan.count < 2:
        raise InputError("counterfactuals", expected="at least two pictures", found="1")


def _check_folder(out: Path, plan: DatasetPlan) -> None:
    """Delete temporary files of killed runs, and check that this run may write to the folder.

    Raises:
        InputError: the folder contains files of another program, or a data set with other settings.
    """
    remove_leftovers(*_folders(out))
    if (out / "synth.json").exists():
        there = read_json(out / "synth.json")
        said = EARLIER | there if isinstance(there, dict) else {}
        if said != plan.settings():
            changed = [name for name, value in plan.settings().items() if said.get(name) != value]
            changed = ["expressions" if name == EXPRESSIONS_KEY else name for name in changed]
            raise InputError(
                out,
                expected="the settings of the earlier run in this folder",
                found=f"another {', '.join(changed)}",
                hint="choose another folder or repeat the earlier settings",
            )
    elif out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise InputError(
            out,
            expected="a new or empty folder",
            found="files that synth did not write",
            hint="choose another folder",
        )


# A job is ("picture", i) or ("pair", j). A row is the ground truth of this picture or pair, as a dict.
Job = tuple[str, int]
Row = dict[str, Any]


def _work(out: Path, plan: DatasetPlan, workers: int | None, progress: Progress | None) -> dict[Job, Row]:
    """Write all pictures and counterfactual pairs in parallel, and return their ground truth.

    The keys of the returned dict are ("picture", i) and ("pair", j); its values are those of `_picture` and `_pair`.
    """
    jobs: list[Job] = [("picture", i) for i in range(plan.count)]
    jobs += [("pair", j) for j in range(plan.counterfactuals)]
    done: dict[Job, Row] = {}
    rows = spread(partial(_do, out, plan), jobs, workers or os.cpu_count() or 1, chunk=1)
    for job, row in zip(jobs, rows, strict=True):
        done[job] = row
        if progress is not None:
            progress(len(done), len(jobs))
    return done


def _do(out: Path, plan: DatasetPlan, job: Job) -> Row:
    """Write one picture or one counterfactual pair unless its file exists, and return its ground truth.

    ``job`` is ("picture", number) or ("pair", number).
    """
    kind, number = job
    return _picture(out, plan, number) if kind == "picture" else _pair(out, plan, number)


def _folders(out: Path) -> list[Path]:
    """Return all folders in the data set folder ``out`` in which files are written."""
    masks = out / "CelebAMask-HQ-mask-anno"
    parts = [path for path in masks.iterdir() if path.is_dir()] if masks.is_dir() else []
    return [out, out / "CelebA-HQ-img", out / "counterfactuals", *parts]


def picture_path(out: Path, number: int) -> Path:
    """Return the path of picture ``number`` in the data set folder ``out``."""
    return out / "CelebA-HQ-img" / f"{number}.jpg"


def mask_path(out: Path, number: int, part: str) -> Path:
    """Return the path of one mask of picture ``number`` in the data set folder ``out``.

    ``part`` is the name of a class, e.g. ``hair`` (see `PARTS`). Classes that the picture does not show have no file.
    """
    return out / "CelebAMask-HQ-mask-anno" / str(number // 2000) / f"{number:05d}_{part}.png"


def _picture(out: Path, plan: DatasetPlan, number: int) -> Row:
    """Write a picture and its masks unless they exist.

    Returns:
        a dict with ``pose`` (yaw, pitch and roll in degrees) and ``attributes`` (dict from name to 1 or -1).
    """
    target = picture_path(out, number)
    person, scene = plan.drawn_by(number)
    if target.exists():  # the picture is written after its masks, so these exist too
        return {"pose": head_truth(person, scene), "attributes": attributes(person, scene)}
    drawn = render(person, scene, plan.size)
    for value, part in enumerate(PARTS, start=1):
        where = drawn.labels == value
        if where.any():
            mask = Image.fromarray(where.astype(np.uint8) * np.uint8(255))
            write_bytes(mask_path(out, number, part), encode_png(mask))
    write_image(target, drawn.picture)
    return {"pose": (drawn.yaw, drawn.pitch, drawn.roll), "attributes": drawn.attributes}


def _pair(out: Path, plan: DatasetPlan, number: int) -> Row:
    """Write picture and mask of the ground truth of a counterfactual pair, unless these files exist.

    Returns:
        the pair's row of ``pairs.csv``: a dict from column name (``PAIR_FIELDS``) to value.
    """
    folder = out / "counterfactuals"
    picture, mask = folder / f"{number:05d}.png", folder / f"{number:05d}.mask.png"
    source, target = pair_of(plan, number)
    if picture.exists():
        yaw, pitch, roll = head_truth(*answered(plan, source, target))
    else:
        drawn = counterfactual(plan, number)[2]
        write_label_map(mask, drawn.labels)
        write_image(picture, drawn.picture)
        yaw, pitch, roll = drawn.yaw, drawn.pitch, drawn.roll
    values = (
        number,
        picture_path(out, source),
        picture_path(out, target),
        picture,
        mask,
        plan.person(source) + 1,
        plan.person(target) + 1,
        f"{yaw:.4f}",
        f"{pitch:.4f}",
        f"{roll:.4f}",
    )
    relative = (v.relative_to(out).as_posix() if isinstance(v, Path) else v for v in values)
    return dict(zip(PAIR_FIELDS, relative, strict=True))


def _write_lists(out: Path, plan: DatasetPlan, rows: dict[Job, Row]) -> None:
    """Write CelebA's text files (mapping, attributes, poses, identities, scenes), and ``pairs.csv`` if there are pairs.

    ``rows`` holds the ground truth of all pictures and pairs, as returned by `_work`.
    """
    mapping, marks, poses, people = ["idx        orig_idx   orig_file"], [], [], []
    for i in range(plan.count):
        row, index = rows["picture", i], celeba_index(i, plan.identities, plan.expressions)
        original = f"{index + 1:06d}.jpg"
        mapping.append(f"{i:<10d} {index:<10d} {original}")
        marks.append(f"{i}.jpg  {' '.join(str(row['attributes'][name]) for name in CELEBA)}")
        poses.append(f"{i}.jpg {' '.join(f'{angle:.4f}' for angle in row['pose'])}")
        people.append(f"{original} {plan.person(i) + 1}")
    lists = {
        "CelebA-HQ-to-CelebA-mapping.txt": mapping,
        "CelebAMask-HQ-attribute-anno.txt": [str(plan.count), " ".join(CELEBA), *marks],
        "CelebAMask-HQ-pose-anno.txt": [str(plan.count), "Yaw Pitch Raw", *poses],
        "identity_CelebA.txt": people,
    }
    if plan.expressions > 1:
        scenes = [f"{i}.jpg {i // plan.expressions}" for i in range(plan.count)]
        lists["CelebAMask-HQ-scene-anno.txt"] = [str(plan.count), "Scene", *scenes]
    for name, lines in lists.items():
        write_bytes(out / name, ("\n".join(lines) + "\n").encode())
    if plan.counterfactuals:
        pairs = [rows["pair", j] for j in range(plan.counterfactuals)]
        write_csv(out / "counterfactuals" / "pairs.csv", PAIR_FIELDS, pairs)
