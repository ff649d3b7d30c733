"""Finds missing inputs of a plan before any of its stages (commands) runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from maskgan_cli.config import load_recipe
from maskgan_cli.data.prepared import PreparedData, attributes_of, poses_of
from maskgan_cli.data.sources import SPLITS
from maskgan_cli.errors import InputError
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.reproduce.plan import ATTRIBUTES, ReproductionPlan
from maskgan_cli.reproduce.stages import Stage
from maskgan_cli.weights.lookup import find_weights

FEWEST_PAIRS: Final = 10  # minimum number of pairs of one person for choosing a threshold
_RESIZED: Final = ("attributes", "identity", "pose")  # trainings whose network accepts faces of any size


@dataclass(frozen=True)
class Missing:
    """Something that a plan needs and that is missing, e.g. weights, masks or head poses.

    Attributes:
        stage: name of the first stage (command of the plan) that would fail; "" if no single stage would fail.
        what: description of the missing input.
        hint: how the user can provide the input.
    """

    stage: str
    what: str
    hint: str

    def __str__(self) -> str:
        where = f"stage `{self.stage}`: " if self.stage else ""
        return f"{where}{self.what}; {self.hint}"


@dataclass(frozen=True)
class DataProperties:
    """Properties of a data set that affect a plan.

    Attributes:
        data: the data set.
        has_identities: whether all samples have an identity label.
        has_poses: whether all samples have yaw, pitch and roll.
        attributes: comma-separated names: the attributes of `plan.ATTRIBUTES` that are known for all samples and differ
            between faces. Smiling is always included, because every table needs it.
        threshold_split: the split with which the threshold of an identity network is chosen, see the function
            `threshold_split`.
    """

    data: PreparedData
    has_identities: bool
    has_poses: bool
    attributes: str
    threshold_split: str

    @classmethod
    def of(cls, where: Path) -> DataProperties:
        """Determine the properties of the prepared data set in the folder ``where``.

        Raises:
            InputError: the folder is not a prepared data set.
        """
        data = PreparedData.load(where)
        identified = all(sample.fields.get("identity") for sample in data.samples)
        try:
            poses_of(data.samples)
            posed = True
        except InputError:
            posed = False
        shown = [(sample.split, sample.fields["identity"]) for sample in data.samples] if identified else []
        known = [name for name in ATTRIBUTES.split(",") if name == "Smiling" or _has_attribute(data, name)]
        return cls(data, identified, posed, ",".join(known), threshold_split(shown))


def _has_attribute(data: PreparedData, name: str) -> bool:
    """Return whether an attribute is known for all train and test samples, and has both values in each split."""
    samples = [[sample for sample in data.samples if sample.split == split] for split in ("train", "test")]
    try:
        return all(len(set(attributes_of(some, [name])[:, 0])) == 2 for some in samples)
    except InputError:
        return False


def rendered_faces(count: int, people: int) -> list[tuple[str, str]]:
    """Return split and person of each picture that ``maskgan synth`` will render.

    Args:
        count: number of pictures.
        people: number of people.

    Returns:
        (split, person) of each picture; the split is train, val or test, the person a number as text.
    """
    from maskgan_cli.synth.dataset_plan import split_of

    splits = {"validation": "val"}  # name in the published data set -> name in the manifest
    persons = [picture % people for picture in range(count)]
    return [(splits.get(split_of(person), split_of(person)), str(person)) for person in persons]


def threshold_split(shown: Sequence[tuple[str, str]]) -> str:
    """Select the split whose pairs of pictures are used to choose the threshold of an identity network.

    Args:
        shown: (split, person) of each picture.

    Returns:
        "val"; "train" if val has fewer than `FEWEST_PAIRS` pairs of one person; "" if both splits have too few.
    """
    enough = (split for split in ("val", "train") if _balanced([p for s, p in shown if s == split]) >= FEWEST_PAIRS)
    return next(enough, "")


def _balanced(people: Sequence[str]) -> int:
    """Count the pairs of pictures of one person and the pairs of two people, and return the smaller number.

    Args:
        people: the person of each picture.
    """
    counts = Counter(people).values()
    genuine = sum(count * (count - 1) // 2 for count in counts)
    return min(genuine, (len(people) ** 2 - sum(count**2 for count in counts)) // 2)


def missing(plan: ReproductionPlan, faces: DataProperties | None) -> list[Missing]:
    """Return everything that a plan needs and that is missing, e.g. weights, masks or head poses.

    Args:
        plan: a plan that contains the stages (commands) of all its tables.
        faces: properties of ``plan.data``; None if the faces are rendered.
    """
    found = [*_of_data(plan, faces.data)] if faces is not None else []
    unposed = faces is not None and not faces.has_poses and "--pose-weights" not in _words(plan)
    if unposed and (first := _first(plan, "pairs smiling", "pairs identity")):
        found.append(
            Missing(
                first,
                "the data set has no head poses, and no network estimates them",
                "add --judge pose=HOPENET.pkl, or prepare the data with its pose file",
            )
        )
    judge = plan.judges.get("identity", "")
    undecided = judge and plan.threshold is None and not plan.threshold_split
    if undecided and (first := _first_with(plan, "--identity-weights")) and not own_threshold(judge):
        found.append(
            Missing(
                first,
                "the identity network has no threshold, and the data set has fewer than "
                f"{FEWEST_PAIRS} pairs of one person in val and in train",
                "add --threshold COSINE",
            )
        )
    if first := _first_with(plan, "inception"):
        found += _found(
            first,
            "inception",
            plan.judges.get("inception"),
            "maskgan weights pull inception, or add --judge inception=FILE",
        )
    for stage in plan.stages.values():
        if stage.words[0] == "train":
            found += _of_training(plan, stage)
    return list(dict.fromkeys(found))


def _words(plan: ReproductionPlan) -> set[str]:
    """Return all arguments of all commands of the plan."""
    return {word for stage in plan.stages.values() for word in stage.words}


def _first(plan: ReproductionPlan, *names: str) -> str:
    """Return the first of the plan's stage names that is also in ``names``; "" if there is none."""
    return next((name for name in plan.stages if name in names), "")


def _first_with(plan: ReproductionPlan, word: str) -> str:
    """Return the name of the first stage whose command has the argument ``word``; "" if there is none."""
    return next((name for name, stage in plan.stages.items() if word in stage.words), "")


def own_threshold(where: str) -> bool:
    """Return whether the weights file ``where`` of an identity network contains a threshold of the cosine similarity.

    If the file cannot be read, return False.
    """
    import torch

    from maskgan_cli.judges.identity import load_identity

    try:
        return load_identity(where, torch.device("cpu")).threshold is not None
    except InputError:
        return False


def _of_data(plan: ReproductionPlan, data: PreparedData) -> Iterator[Missing]:
    """Yield a `Missing` for each requirement of the plan that a data set fails: size, masks, splits, attributes."""
    if data.size != plan.preset.size:
        yield Missing(
            "",
            f"{data.root} has faces of {data.size} px, the preset's recipes need {plan.preset.size} px",
            f"maskgan prep-data {data.root} ANOTHER --size {plan.preset.size}",
        )
    if not data.masked:
        yield Missing("", f"{data.root} has no masks", "prepare a data set with masks")
    splits = Counter(sample.split for sample in data.samples)
    for split in SPLITS:
        if not splits[split]:
            yield Missing("", f"{data.root} has no faces in its {split} split", "prepare more faces")
    needed = dict.fromkeys(["Smiling", *_changed(plan)])
    if "pairs style-copy" in plan.stages:
        needed |= dict.fromkeys(ATTRIBUTES.split(","))
    elif any(name.startswith("train attributes") for name in plan.stages):
        needed |= dict.fromkeys(plan.attributes.split(","))
    for name in needed:
        try:
            has = attributes_of(data.samples, [name])[:, 0]
        except InputError:
            yield Missing("", f"{data.root} does not say which faces have {name}", "prepare it with its attributes")
            continue
        for split in ("train", "test"):
            seen = {bool(value) for value, sample in zip(has, data.samples, strict=True) if sample.split == split}
            if len(seen) == 1:
                only = "all" if seen == {True} else "none"
                yield Missing("", f"{only} of the {split} faces have {name}", "prepare more faces")


def _changed(plan: ReproductionPlan) -> list[str]:
    """Return the names of the attributes that the plan trains StarGAN and ELEGANT to change."""
    return [
        attribute
        for name in ("stargan", "elegant")
        if f"train {name}" in plan.stages
        for attribute in str(getattr(plan.preset.attributes, name)).split(",")
    ]


def _found(stage: str, kind: str, given: Any, hint: str) -> Iterator[Missing]:
    """Yield a `Missing` if the weights that a stage (command of the plan) needs do not exist.

    Args:
        stage: name of the stage.
        kind: kind of the network, e.g. ``vgg19``.
        given: path of the weights; None for the default weights.
        hint: how the user can provide the weights.
    """
    try:
        path = find_weights(None if given is None else Path(given), kind)
    except InputError:
        yield Missing(stage, f"no {kind} weights", hint)
        return
    if not path.exists():
        yield Missing(stage, f"no file {path}", hint)


def _of_training(plan: ReproductionPlan, stage: Stage) -> Iterator[Missing]:
    """Yield a `Missing` for each reason why the training command ``stage`` would fail at its start.

    The reasons are: the recipe cannot be loaded, the network's image size differs from the size of the faces, or the
    weights of VGG-19 are missing.
    """
    training = next(t for t in trainings() if t.name == stage.words[1])
    words = list(stage.words)
    changes = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    named = words[words.index("--recipe") + 1]
    try:
        recipe: Any = load_recipe(resolve(f"{training.module}:{training.recipe}"), training.name, named, changes)
    except InputError as error:
        yield Missing(stage.name, f"its recipe cannot be used: {error}", "correct the preset")
        return
    size = getattr(recipe.network, "image_size", None)
    learnt = _size_of(plan, words[2])
    # EBST uses the network of the generator that it starts from.
    if training.name not in (*_RESIZED, "ebst") and size is not None and size != learnt:
        yield Missing(
            stage.name,
            f"its network is of {size} px, its faces of {learnt} px",
            "set network.image_size, or the network's size, in the preset",
        )
    perceptual = getattr(recipe, "perceptual", None)
    if perceptual is not None and perceptual.network == "vgg19":
        yield from _found(stage.name, "vgg19", perceptual.weights, "maskgan weights pull vgg19")


def _size_of(plan: ReproductionPlan, data: str) -> int:
    """Return the side in pixels of the pictures in the data set with the path ``data``, e.g. 256 for ``data-256``."""
    name, _, size = Path(data).name.rpartition("-")
    return int(size) if name == "data" and f"prepare {size}" in plan.stages else plan.preset.size


def judges_fit(plan: ReproductionPlan) -> Iterator[Missing]:
    """Load all judges (evaluation networks) that the user named, so that invalid ones are reported before the training.

    Yields:
        a `Missing` for each judge that cannot be loaded, and for each classifier without an attribute that the tables
        need.
    """
    import torch

    from maskgan_cli.evaluation.judging import load_judge

    for kind, where in plan.judges.items():
        if kind == "inception":
            continue
        try:
            judge, _ = load_judge(kind, Path(where), torch.device("cpu"))
        except InputError as error:
            yield Missing("", f"--judge {kind}={where} cannot be used: {error}", "name another file")
            continue
        if kind == "attributes":
            asked = ATTRIBUTES.split(",") if "pairs style-copy" in plan.stages else ["Smiling"]
            for name in asked:
                if name not in judge.names:
                    yield Missing(
                        "", f"--judge attributes={where} does not know {name}", f"it knows {', '.join(judge.names)}"
                    )
