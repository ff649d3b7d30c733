"""Plans a data set of rendered faces: which person and scene each picture shows, and the counterfactual pairs.

A counterfactual pair is a source picture and a target picture. The correct result of copying the target's expression to
the source is known: it is the source rendered with the target's expression.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskgan_cli.errors import InputError
from maskgan_cli.files import read_json
from maskgan_cli.synth.parameters import Identity, Scene
from maskgan_cli.synth.render import Rendered, render, with_expression
from maskgan_cli.synth.sampling import sample_identity, sample_scene

VERSION: Final = 1  # increase this when a change of the code changes the pictures of a seed
TRAIN_END, VALIDATION_END, END = 162771, 182638, 202599  # each split of CelebA ends before this index
EXPRESSIONS_KEY: Final = "takes"  # the key of `DatasetPlan.expressions` in synth.json, its former name
EARLIER: Final = {EXPRESSIONS_KEY: 1}  # settings that synth.json of older folders lacks, with their defaults
_SPLIT_START = {"train": 0, "validation": TRAIN_END, "test": VALIDATION_END}


@dataclass(frozen=True)
class DatasetPlan:
    """Settings of a data set of rendered faces; the settings determine the content of every file.

    Attributes:
        count: number of pictures.
        size: side of the pictures in pixels.
        identities: number of people.
        seed: seed of all random choices.
        counterfactuals: number of counterfactual pairs, for which the correct result of an edit is rendered too.
        expressions: number of consecutive pictures that show one scene, each with a different expression.
    """

    count: int
    size: int
    identities: int
    seed: int
    counterfactuals: int
    expressions: int = 1

    def settings(self) -> dict[str, Any]:
        """Return the content of ``synth.json``: a dict with all settings and the version of the renderer."""
        return {"version": VERSION, **{_key(name): value for name, value in vars(self).items()}}

    def person(self, number: int) -> int:
        """Return the index of the person that picture ``number`` shows; people are numbered from 0."""
        return number // self.expressions % self.identities

    def drawn_by(self, number: int) -> tuple[Identity, Scene]:
        """Sample the identity and the scene from which picture ``number`` is rendered."""
        scene_number, variant = divmod(number, self.expressions)
        who = sample_identity(self.seed, self.person(number))
        scene = sample_scene(self.seed, scene_number, who)
        if variant:  # use the expression of an additional scene, which is not rendered itself
            scene = with_expression(scene, sample_scene(self.seed, self.count + number, who))
        return who, scene


def _key(name: str) -> str:
    """Return the key under which ``synth.json`` stores the attribute ``name`` of `DatasetPlan`."""
    return EXPRESSIONS_KEY if name == "expressions" else name


def split_of(identity: int) -> str:
    """Return the split of the person with index ``identity``.

    The split is ``train`` for 80 % of the people, ``validation`` for 10 % and ``test`` for 10 %.
    """
    return {1: "validation", 2: "test"}.get(identity % 10, "train")


def celeba_index(picture: int, identities: int, expressions: int = 1) -> int:
    """Return the index that a picture gets in CelebA's numbering; it is unique within the data set.

    In CelebA, each split is a range of indices. The returned index lies in the range of the split to which the person
    in the picture belongs (`split_of`).

    Args:
        picture: number of the picture in the data set.
        identities, expressions: see `DatasetPlan`.
    """
    scene, variant = divmod(picture, expressions)
    turn, person = divmod(scene, identities)
    turn = turn * expressions + variant
    split = split_of(person)
    return _SPLIT_START[split] + turn * _people(split, identities) + _people(split, person)


def _people(split: str, below: int) -> int:
    """Return how many of the people 0, 1, ..., ``below`` - 1 belong to a split."""
    by_digit = {"validation": (below + 8) // 10, "test": (below + 7) // 10}
    return by_digit.get(split, below - by_digit["validation"] - by_digit["test"])


@lru_cache(maxsize=4)
def _tested(plan: DatasetPlan) -> tuple[int, ...]:
    """Return the numbers of the pictures in the test split.

    If the test split has fewer than two pictures, return the numbers of all pictures.
    """
    tested = tuple(i for i in range(plan.count) if split_of(plan.person(i)) == "test")
    return tested if len(tested) >= 2 else tuple(range(plan.count))


def candidates(plan: DatasetPlan, number: int) -> list[int]:
    """Choose at random the pictures of which counterfactual pair ``number`` may consist.

    Returns:
        numbers of pictures: first the source, then up to eight candidates for the target.
    """
    rng = np.random.default_rng([plan.seed, 5, number])
    return [int(v) for v in rng.permutation(_tested(plan))[:9]]


def pair_of(plan: DatasetPlan, number: int) -> tuple[int, int]:
    """Return the picture numbers of the source and the target of a pair whose correct result is rendered too.

    ``number`` is the index of the pair. Its correct result is the source's face with the target's expression.
    If possible, source and target show different people with different mouths, and come from the test split.
    """
    source, *others = candidates(plan, number)

    def scene(i: int) -> Scene:
        return plan.drawn_by(i)[1]

    own, person = scene(source), plan.person(source)

    # Prefer a different person, then a different mouth, then the most similar pose.
    def unlike(i: int) -> tuple[bool, int, float]:
        other = scene(i)
        mouths = (own.smiling != other.smiling) + (own.mouth_open != other.mouth_open)
        return plan.person(i) != person, mouths, -abs(other.yaw - own.yaw)

    target = max(others, key=unlike)
    return source, target


def counterfactual(plan: DatasetPlan, number: int) -> tuple[int, int, Rendered]:
    """Return source, target and ground truth (the correct result) of counterfactual pair ``number``.

    Returns:
        picture number of the source, picture number of the target, and the ground truth: the source rendered with the
        target's expression.
    """
    source, target = pair_of(plan, number)
    return source, target, answer(plan, source, target)


def answer(plan: DatasetPlan, source: int, target: int) -> Rendered:
    """Render the correct result of an edit: picture ``source`` with the expression of picture ``target``.

    ``source`` and ``target`` are picture numbers.
    """
    return render(*answered(plan, source, target), plan.size)


def answered(plan: DatasetPlan, source: int, target: int) -> tuple[Identity, Scene]:
    """Return the identity and the scene from which `answer` renders the correct result of an edit.

    Identity and scene are those of picture number ``source``; only the expression in the scene is that of picture
    number ``target``.
    """
    (who, scene), (_, other) = plan.drawn_by(source), plan.drawn_by(target)
    return who, with_expression(scene, other)


def read_plan(folder: Path) -> DatasetPlan:
    """Read the plan (settings) of a data set that ``maskgan synth`` wrote, from ``synth.json`` in its folder.

    Raises:
        InputError: ``maskgan synth`` did not write the folder, or another version of the renderer did.
    """
    what = "a folder of `maskgan synth`"
    if not (folder / "synth.json").is_file():
        raise InputError(folder, expected=what, found="no synth.json")
    there = read_json(folder / "synth.json")
    names = [field.name for field in fields(DatasetPlan)]
    if isinstance(there, dict):
        there = EARLIER | there
    if not isinstance(there, dict) or not all(type(there.get(_key(name))) is int for name in names):
        raise InputError(folder / "synth.json", expected=f"the settings of {what}", found="other content")
    if there.get("version") != VERSION:
        raise InputError(
            folder,
            expected=f"faces of version {VERSION}",
            found=f"version {there.get('version')}",
            hint="render them again in another folder",
        )
    return DatasetPlan(**{name: there[_key(name)] for name in names})
