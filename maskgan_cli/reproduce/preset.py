"""Presets: YAML files that set the scale of an experiment (faces, networks, steps). They are validated here."""

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
    "sean",
    "elegant",
    "stargan",
    "vae",
    "ebst",
    "control",
    "pose",
]
Protocol = Literal["smiling", "style-copy", "identity", "edits"]


class RenderedFaces(Section):
    """Number of pictures and number of people that are rendered if the user gives no data set."""

    count: Positive
    people: Positive


class Network(Section):
    """Training settings of one network.

    Attributes:
        recipe: name of a recipe in ``recipes/KIND/``.
        steps: number of training steps; None for the number in the recipe.
        set: further changes of the recipe: dict from the dotted name of a setting (``section.name``) to its value.
        seconds: measured seconds per step on one core; None if not measured.
        size: side of the training pictures in pixels; None for the size of the preset.
        bundled: if the faces are rendered, use the bundled weights instead of training the network.
    """

    recipe: str
    steps: Positive | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    seconds: Annotated[float, Field(gt=0)] | None = None
    size: Positive | None = None
    bundled: bool = False


class Changed(Section):
    """Attributes that ELEGANT and StarGAN learn to change, comma-separated."""

    elegant: str = "Smiling,Eyeglasses"
    stargan: str = "Smiling"


class Preset(Section):
    """Scale of an experiment: size of the pictures, number of faces and pairs, training of the networks.

    Attributes:
        size: side of all pictures in pixels; the recipes of the networks must have the same size.
        faces: rendered faces, used if no data set is given.
        pairs: dict from the name of a protocol (rule for choosing pairs of faces) to the number of pairs. For protocols
            that are not in the dict, ``eval pairs`` uses its default.
        features: feature network of the Fréchet distance; only inception gives an FID.
        separate_attributes: train one classifier per attribute, as in the paper, instead of one for all.
        attributes: attributes that the StarGAN and ELEGANT networks change.
        repetitions: number of seeds with which training with simulated edits (EBST) and the same training without
            simulated edits (the control) are repeated.
        shown: number of pairs that each figure shows.
        networks: dict from the name of each network to its training settings.
    """

    size: Positive
    faces: RenderedFaces
    pairs: dict[Protocol, Positive] = Field(default_factory=dict)
    features: Literal["inception", "attributes"] = "inception"
    separate_attributes: bool = False
    attributes: Changed = Field(default_factory=Changed)
    repetitions: Positive = 3
    shown: Positive = 6
    networks: dict[Name, Network]


def preset_names() -> list[str]:
    """List the names of the presets in the package."""
    return sorted(path.stem for path in recipe_folder("reproduce").glob("*.yaml"))


def load_preset(name: str) -> Preset:
    """Load a preset by name or from a YAML file.

    Raises:
        InputError: the preset does not exist or is invalid.
    """
    if name not in preset_names() and not Path(name).is_file():
        raise InputError("--preset", expected=f"a YAML file or one of {', '.join(preset_names())}", found=name)
    return load_recipe(Preset, "reproduce", name, [])


def recipe_steps(task: str, name: str) -> int | None:
    """Return the number of steps of a recipe in the package; None if the package has no such recipe."""
    path = recipe_folder(task) / f"{name}.yaml"
    return int(yaml.safe_load(path.read_text("utf-8"))["schedule"]["steps"]) if path.is_file() else None
