"""Presets: how large the tables are made, as validated YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from maskgan_cli.config import Positive, Section, load_recipe, recipe_folder
from maskgan_cli.errors import InputError

Name = Literal[
    "parser",
    "attributes",
    "identity",
    "maskgan",
    "concat",
    "pix2pixhd-m",
    "spade",
    "elegant",
    "stargan",
    "vae",
    "ebst",
    "control",
    "pose",
]
Protocol = Literal["smiling", "style-copy", "identity", "edits"]


class Faces(Section):
    """Rendered faces, where no data set is given: how many pictures of how many people."""

    count: Positive
    people: Positive


class Network(Section):
    """How one network is trained.

    Attributes:
        recipe: of ``recipes/KIND/``.
        steps: in place of the recipe's.
        set: further changes of the recipe, by their dotted names.
        seconds: measured for one step on one core; None where nobody measured.
        size: of the faces it learns from, where that is not the preset's.
        bundled: on rendered faces the weights that come with the package are taken, and nothing is trained.
    """

    recipe: str
    steps: Positive | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    seconds: Annotated[float, Field(gt=0)] | None = None
    size: Positive | None = None
    bundled: bool = False


class Changed(Section):
    """What the networks that change attributes learn to change."""

    elegant: str = "Smiling,Eyeglasses"
    stargan: str = "Smiling"


class Preset(Section):
    """How large a table is made.

    Attributes:
        size: side of all pictures in pixels; every recipe's.
        faces: rendered where no data set is given.
        pairs: by protocol; a protocol that is not named takes the paper's number, or as many as there are.
        features: whose features the Fréchet distance is over; only inception's make an FID.
        separate_attributes: whether each attribute is judged by a classifier of its own, as in the paper.
        attributes: that StarGAN's and ELEGANT's networks change, by their names.
        repetitions: seeds of EBST and of its control.
        shown: pairs in the figure.
        networks: how each is trained.
    """

    size: Positive
    faces: Faces
    pairs: dict[Protocol, Positive] = Field(default_factory=dict)
    features: Literal["inception", "attributes"] = "inception"
    separate_attributes: bool = False
    attributes: Changed = Field(default_factory=Changed)
    repetitions: Positive = 3
    shown: Positive = 6
    networks: dict[Name, Network]


def preset_names() -> list[str]:
    """The presets that come with the package."""
    return sorted(path.stem for path in recipe_folder("reproduce").glob("*.yaml"))


def load_preset(name: str) -> Preset:
    """A preset by its name, or from a YAML file.

    Raises:
        InputError: no such preset, or not what one must be.
    """
    if name not in preset_names() and not Path(name).is_file():
        raise InputError("--preset", expected=f"a YAML file or one of {', '.join(preset_names())}", found=name)
    return load_recipe(Preset, "reproduce", name, [])


def recipe_steps(task: str, name: str) -> int | None:
    """How many steps a recipe takes; None for one that is not the package's."""
    path = recipe_folder(task) / f"{name}.yaml"
    return int(yaml.safe_load(path.read_text("utf-8"))["schedule"]["steps"]) if path.is_file() else None
