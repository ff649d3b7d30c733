"""Tests of ``recipes list`` and ``recipes show``: the trainings accept what they print."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import yaml

from maskgan_cli.config import load_recipe, recipe_paths
from maskgan_cli.networks import resolve, trainings
from tests.conftest import Command


def test_every_recipe_is_listed(maskgan: Command) -> None:
    outcome = maskgan("recipes", "list")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    there = [(one.name, path.stem) for one in trainings() for path in recipe_paths(one.name)]
    assert [(row["training"], row["recipe"]) for row in rows] == there
    tiny = next(row for row in rows if (row["training"], row["recipe"]) == ("dmn", "tiny-cpu"))
    assert (tiny["pixels"], tiny["steps"]) == ("64", "1500")
    assert tiny["about"].startswith("Minutes on two CPU cores")
    assert all(row["about"] and row["steps"].isdecimal() for row in rows)
    only = json.loads(maskgan("recipes", "list", "vae", "--json").out)["recipes"]
    assert {row["training"] for row in only} == {"vae"}


def test_the_shown_settings_are_a_valid_recipe(maskgan: Command, tmp_path: Path) -> None:
    for training in trainings():
        recipe = resolve(f"{training.module}:{training.recipe}")
        outcome = maskgan("recipes", "show", training.name, "tiny-cpu", "--set", "schedule.steps=9000")
        assert outcome.code == 0, outcome.err
        (tmp_path / "shown.yaml").write_text(outcome.out)
        again = load_recipe(recipe, training.name, str(tmp_path / "shown.yaml"), [])
        assert again == load_recipe(recipe, training.name, "tiny-cpu", ["schedule.steps=9000"])
        assert set(yaml.safe_load(outcome.out)) == set(recipe.model_fields)  # those that the file leaves out too


def test_wrong_names_are_one_line(maskgan: Command) -> None:
    for words, line in (
        (("show", "dnm", "tiny-cpu"), "TRAINING: expected one of dmn"),
        (("list", "dnm"), "did you mean dmn?"),
        (("show", "dmn", "huge"), "--recipe huge: expected a YAML file or one of: bundled-128"),
        (("show", "dmn", "tiny-cpu", "--set", "network.wide=3"), "--set network.wide=3: found unknown setting"),
    ):
        outcome = maskgan("recipes", *words)
        assert (outcome.code, outcome.out) == (2, "")
        assert line in outcome.err
