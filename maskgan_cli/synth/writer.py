"""A data set of rendered faces in the raw CelebAMask-HQ layout, on all cores and resumable."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

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
)  # fmt: skip
from maskgan_cli.labels import PARTS
from maskgan_cli.locks import locked
from maskgan_cli.synth.attributes import CELEBA, attributes
from maskgan_cli.synth.parameters import Scene
from maskgan_cli.synth.render import Rendered, face, head_truth, render, with_expression
from maskgan_cli.synth.sampling import sample_identity, sample_scene
from maskgan_cli.workers import spread

VERSION: Final = 1  # raise when the same seed gives another picture
TRAIN_END, VALIDATION_END, END = 162771, 182638, 202599  # CelebA's own index ranges
_SPLIT_START = {"train": 0, "validation": TRAIN_END, "test": VALIDATION_END}
PAIR_FIELDS = (
    "pair", "source", "target", "truth", "truth_mask",
    "source_identity", "target_identity", "yaw", "pitch", "roll",
)  # fmt: skip
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What is written; every file is a pure function of it."""

    count: int
    size: int
    identities: int
    seed: int
    counterfactuals: int

    def settings(self) -> dict[str, Any]:
        """As kept in ``synth.json``."""
        return {"version": VERSION, **vars(self)}


def split_of(identity: int) -> str:
    """The split that all pictures of a person belong to: 80, 10 and 10 of every hundred people."""
    return {1: "validation", 2: "test"}.get(identity % 10, "train")


def celeba_index(picture: int, identities: int) -> int:
    """A CelebA index for a picture that the published rule sends to its person's split."""
    turn, person = divmod(picture, identities)
    split = split_of(person)
    return _SPLIT_START[split] + turn * _people(split, identities) + _people(split, person)


def _people(split: str, below: int) -> int:
    """How many of the first ``below`` people belong to a split."""
    by_digit = {"validation": (below + 8) // 10, "test": (below + 7) // 10}
    return by_digit.get(split, below - by_digit["validation"] - by_digit["test"])


def write_dataset(
    out: str | Path, count: int, size: int, identities: int | None = None, *, seed: int = 0,
    workers: int | None = None, counterfactuals: int = 0, progress: Progress | None = None,
) -> Path:  # fmt: skip
    """Write ``count`` rendered faces to a folder; run again after an interruption, it goes on.

    Args:
        out: the folder; pictures that are there already are kept.
        size: pixels per side of pictures and masks, 32..1024.
        identities: people; picture i shows person i modulo that. A fifth of ``count`` if not given.
        workers: processes, all cores if not given; 1 stays in this process.
        counterfactuals: pairs to write under ``counterfactuals/``: the source again with the
            target's expression.
        progress: called with (done, total) as pictures and pairs finish.

    Returns:
        The folder.

    Raises:
        InputError: settings out of range, or the folder holds other settings' work.
    """
    out = Path(out)
    people = max(1, count // 5) if identities is None else identities
    plan = Plan(count, size, min(people, max(count, 1)), seed, counterfactuals)
    _check_settings(plan)
    with locked(out, "maskgan synth"):
        _check_folder(out, plan)
        write_json(out / "synth.json", plan.settings())
        _write_lists(out, plan, _work(out, plan, workers, progress))
    return out


def _check_settings(plan: Plan) -> None:
    for name, value, low, high in (
        ("count", plan.count, 1, 150_000), ("size", plan.size, 32, 1024),
        ("identities", plan.identities, 1, plan.count),
        ("seed", plan.seed, 0, 2**32 - 1), ("counterfactuals", plan.counterfactuals, 0, 1_000_000),
    ):  # fmt: skip
        if not low <= value <= high:
            raise InputError(name, expected=f"a whole number from {low} to {high}", found=str(value))
    if plan.counterfactuals and plan.count < 2:
        raise InputError("counterfactuals", expected="at least two pictures", found="1")


def _check_folder(out: Path, plan: Plan) -> None:
    remove_leftovers(*_folders(out))
    if (out / "synth.json").exists():
        there = read_json(out / "synth.json")
        if there != plan.settings():
            changed = [k for k, v in plan.settings().items() if not isinstance(there, dict) or there.get(k) != v]
            raise InputError(
                out, expected="the settings this folder was begun with",
                found=f"another {', '.join(changed)}",
                hint="choose another folder or repeat the first settings",
            )  # fmt: skip
    elif out.is_dir() and any(not path.name.startswith(".") for path in out.iterdir()):
        raise InputError(
            out,
            expected="a new or empty folder",
            found="files that are not ours",
            hint="choose another folder",
        )


# A job is ("picture", i) or ("pair", j); what comes back is its row of truth.
Job = tuple[str, int]
Row = dict[str, Any]


def _work(out: Path, plan: Plan, workers: int | None, progress: Progress | None) -> dict[Job, Row]:
    jobs: list[Job] = [("picture", i) for i in range(plan.count)]
    jobs += [("pair", j) for j in range(plan.counterfactuals)]
    done: dict[Job, Row] = {}
    rows = spread(partial(_do, out, plan), jobs, workers or os.cpu_count() or 1, chunk=1)
    for job, row in zip(jobs, rows, strict=True):
        done[job] = row
        if progress is not None:
            progress(len(done), len(jobs))
    return done


def _do(out: Path, plan: Plan, job: Job) -> Row:
    kind, number = job
    return _picture(out, plan, number) if kind == "picture" else _pair(out, plan, number)


def _folders(out: Path) -> list[Path]:
    """Every folder of a data set that files are written to."""
    masks = out / "CelebAMask-HQ-mask-anno"
    parts = [path for path in masks.iterdir() if path.is_dir()] if masks.is_dir() else []
    return [out, out / "CelebA-HQ-img", out / "counterfactuals", *parts]


def picture_path(out: Path, number: int) -> Path:
    """Where picture ``number`` of a data set lies."""
    return out / "CelebA-HQ-img" / f"{number}.jpg"


def mask_path(out: Path, number: int, part: str) -> Path:
    """Where one part's mask lies; parts that are not seen have no file."""
    return out / "CelebAMask-HQ-mask-anno" / str(number // 2000) / f"{number:05d}_{part}.png"


def _picture(out: Path, plan: Plan, number: int) -> Row:
    target = picture_path(out, number)
    if target.exists():  # the picture is written last, so its masks are there
        person = sample_identity(plan.seed, number % plan.identities)
        scene = sample_scene(plan.seed, number, person)
        return {"pose": head_truth(person, scene), "attributes": attributes(person, scene)}
    drawn = face(plan.seed, number, plan.size, plan.identities)
    for value, part in enumerate(PARTS, start=1):
        where = drawn.labels == value
        if where.any():
            mask = Image.fromarray(where.astype(np.uint8) * np.uint8(255))
            write_bytes(mask_path(out, number, part), encode_png(mask))
    write_image(target, drawn.picture)
    return {"pose": (drawn.yaw, drawn.pitch, drawn.roll), "attributes": drawn.attributes}


@lru_cache(maxsize=4)
def _tested(count: int, identities: int) -> tuple[int, ...]:
    tested = tuple(i for i in range(count) if split_of(i % identities) == "test")
    return tested if len(tested) >= 2 else tuple(range(count))


def candidates(plan: Plan, number: int) -> list[int]:
    """The source of a counterfactual, and up to eight pictures of which one becomes its target."""
    rng = np.random.default_rng([plan.seed, 5, number])
    return [int(v) for v in rng.permutation(_tested(plan.count, plan.identities))[:9]]


def pair_of(plan: Plan, number: int) -> tuple[int, int]:
    """Source and target of a counterfactual: other people, other mouths, of the test split if it can be."""
    source, *others = candidates(plan, number)

    def scene(i: int) -> Scene:
        return sample_scene(plan.seed, i, sample_identity(plan.seed, i % plan.identities))

    own, person = scene(source), source % plan.identities

    # Another person first, then another mouth, then the pose that is nearest.
    def unlike(i: int) -> tuple[bool, int, float]:
        other = scene(i)
        mouths = (own.smiling != other.smiling) + (own.mouth_open != other.mouth_open)
        return i % plan.identities != person, mouths, -abs(other.yaw - own.yaw)

    target = max(others, key=unlike)
    return source, target


def counterfactual(plan: Plan, number: int) -> tuple[int, int, Rendered]:
    """Source, target, and the source drawn again with the target's expression."""
    source, target = pair_of(plan, number)
    return source, target, answer(plan, source, target)


def answer(plan: Plan, source: int, target: int) -> Rendered:
    """Picture ``source`` of a data set, drawn again with the expression of picture ``target``."""
    people = [sample_identity(plan.seed, i % plan.identities) for i in (source, target)]
    scenes = [sample_scene(plan.seed, i, who) for i, who in zip((source, target), people, strict=True)]
    return render(people[0], with_expression(*scenes), plan.size)


def read_plan(folder: Path) -> Plan:
    """What a folder of rendered faces was written by.

    Raises:
        InputError: it is none, or one of another version, whose pictures are drawn otherwise today.
    """
    what = "a folder of `maskgan synth`"
    if not (folder / "synth.json").is_file():
        raise InputError(folder, expected=what, found="no synth.json")
    there = read_json(folder / "synth.json")
    names = [field.name for field in fields(Plan)]
    if not isinstance(there, dict) or not all(type(there.get(name)) is int for name in names):
        raise InputError(folder / "synth.json", expected=f"what {what[2:]} says of itself", found="something else")
    if there.get("version") != VERSION:
        raise InputError(folder, expected=f"faces of version {VERSION}", found=f"version {there.get('version')}",
                         hint="render them again in another folder")  # fmt: skip
    return Plan(**{name: there[name] for name in names})


def _pair(out: Path, plan: Plan, number: int) -> Row:
    folder = out / "counterfactuals"
    picture, mask = folder / f"{number:05d}.png", folder / f"{number:05d}.mask.png"
    source, target = pair_of(plan, number)
    if picture.exists():
        people = [sample_identity(plan.seed, i % plan.identities) for i in (source, target)]
        scenes = [sample_scene(plan.seed, i, who) for i, who in zip((source, target), people, strict=True)]
        yaw, pitch, roll = head_truth(people[0], with_expression(*scenes))
    else:
        drawn = counterfactual(plan, number)[2]
        write_label_map(mask, drawn.labels)
        write_image(picture, drawn.picture)
        yaw, pitch, roll = drawn.yaw, drawn.pitch, drawn.roll
    values = (
        number, picture_path(out, source), picture_path(out, target), picture, mask,
        source % plan.identities + 1, target % plan.identities + 1,
        f"{yaw:.4f}", f"{pitch:.4f}", f"{roll:.4f}",
    )  # fmt: skip
    relative = (v.relative_to(out).as_posix() if isinstance(v, Path) else v for v in values)
    return dict(zip(PAIR_FIELDS, relative, strict=True))


def _write_lists(out: Path, plan: Plan, rows: dict[Job, Row]) -> None:
    mapping, marks, poses, people = ["idx        orig_idx   orig_file"], [], [], []
    for i in range(plan.count):
        row, index = rows["picture", i], celeba_index(i, plan.identities)
        original = f"{index + 1:06d}.jpg"
        mapping.append(f"{i:<10d} {index:<10d} {original}")
        marks.append(f"{i}.jpg  {' '.join(str(row['attributes'][name]) for name in CELEBA)}")
        poses.append(f"{i}.jpg {' '.join(f'{angle:.4f}' for angle in row['pose'])}")
        people.append(f"{original} {i % plan.identities + 1}")
    for name, lines in {
        "CelebA-HQ-to-CelebA-mapping.txt": mapping,
        "CelebAMask-HQ-attribute-anno.txt": [str(plan.count), " ".join(CELEBA), *marks],
        "CelebAMask-HQ-pose-anno.txt": [str(plan.count), "Yaw Pitch Raw", *poses],
        "identity_CelebA.txt": people,
    }.items():
        write_bytes(out / name, ("\n".join(lines) + "\n").encode())
    if plan.counterfactuals:
        pairs = [rows["pair", j] for j in range(plan.counterfactuals)]
        write_csv(out / "counterfactuals" / "pairs.csv", PAIR_FIELDS, pairs)
