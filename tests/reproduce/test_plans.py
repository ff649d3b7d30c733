"""Tests of the plans: all commands parse, and every input is written by an earlier stage."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from maskgan_cli.cli.app import app
from maskgan_cli.config import load_recipe
from maskgan_cli.errors import InputError
from maskgan_cli.networks import resolve, trainings
from maskgan_cli.reproduce.plan import ReproductionPlan, _spelled
from maskgan_cli.reproduce.preset import load_preset, preset_names
from maskgan_cli.reproduce.record import over_seeds
from maskgan_cli.reproduce.stages import Stage
from maskgan_cli.reproduce.tables import TABLES
from tests.conftest import Command

SCRIPTS = Path(__file__).parents[2] / "recipes" / "reproduce"
ROOT: Any = typer.main.get_command(app)


def _plan(table: str, preset: str = "tiny", **settings: Any) -> ReproductionPlan:
    plan = ReproductionPlan(load_preset(preset), **settings)
    TABLES[table](plan)
    return plan


def _parsed(stage: Stage) -> dict[str, Any]:
    """Parse a stage's arguments with its command; unknown arguments are errors."""
    command, words = ROOT, list(stage.words)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    with command.make_context(command.name, words, resilient_parsing=False) as context:
        return dict(context.params)


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("table", TABLES)
def test_every_command_parses_and_needs_only_earlier_stages(table: str, preset: str) -> None:
    plan = _plan(table, preset)
    made: set[str] = set()
    for stage in plan.stages.values():
        _parsed(stage)
        assert set(stage.needs) <= made, stage.name
        made.add(stage.name)
        # Every input in the plan's folder is an output of a stage in its (transitive) needs.
        left = [output for need in _all_needs(plan, stage) for output in plan.stages[need].outputs]
        own = {str(Path(output).parts[0]) for output in stage.outputs}
        for word in stage.words:
            path = (
                word.partition("=")[2]
                if word.partition("=")[0] in plan.stages or "/" in word.partition("=")[2]
                else word
            )
            if path.split("/")[0] in ("runs", "smiling", "identity", "style-copy", "edits") and "/" in path:
                known = any(
                    path == o or o.startswith(f"{path}/") or path.startswith(f"{o}/") for o in [*left, *stage.outputs]
                )
                assert known, (stage.name, path)
        assert own
    assert {table.name for table in plan.tables} >= {table}


def _all_needs(plan: ReproductionPlan, stage: Stage) -> set[str]:
    found = set(stage.needs)
    for need in stage.needs:
        found |= _all_needs(plan, plan.stages[need])
    return found


@pytest.mark.parametrize("preset", preset_names())
def test_every_recipe_of_a_preset_loads(preset: str) -> None:
    known = {training.name: training for training in trainings()}
    for table in TABLES:
        for stage in _plan(table, preset).stages.values():
            if stage.words[0] != "train":
                continue
            training, given = known[stage.words[1]], _parsed(stage)
            recipe = load_recipe(
                resolve(f"{training.module}:{training.recipe}"), training.name, given["recipe"], list(given["changes"])
            )
            size = getattr(recipe.network, "image_size", None) if training.name != "ebst" else None
            if size is not None and training.name not in ("identity", "parser", "attributes"):
                learnt = given["data"].name.removeprefix("data-")
                assert size == (load_preset(preset).size if learnt == "data" else int(learnt))


@pytest.mark.parametrize(("value", "text"), [(None, "null"), (True, "true"), (False, "false"), (0, "0"), (1.0, "1.0")])
def test_settings_are_formatted_for_set(value: object, text: str) -> None:
    assert _spelled(value) == text


@pytest.mark.parametrize("preset", ["tiny", "modest", "small"])
def test_methods_are_compared_under_equal_settings(preset: str) -> None:
    networks = load_preset(preset).networks
    painters = [networks[n] for n in ("maskgan", "pix2pixhd-m", "spade", "sean", "elegant", "stargan")]
    spent = [(one.steps or 0) * (one.seconds or 0) for one in painters]
    assert all(spent)
    assert max(spent) < 1.2 * min(spent)
    assert networks["control"].steps == networks["ebst"].steps


def test_every_ebst_run_has_a_control_of_the_same_seed() -> None:
    plan = _plan("ebst")
    control, treated = plan.stages["train control-1"], plan.stages["train maskgan-ebst-1"]
    for option in ("--seed", "schedule.steps"):
        assert _word_after(control, option) == _word_after(treated, option)
    assert "--start-from" in control.words
    assert control.words[1] == "dmn"
    assert "train vae" not in _all_needs(plan, control)


def test_small_preset_uses_the_bundled_mask_vae() -> None:
    small = ReproductionPlan(load_preset("small"))
    TABLES["ebst"](small)
    assert "train vae" not in small.stages
    assert "--vae" not in small.stages["train maskgan-ebst"].words
    tiny = _plan("ebst").stages["train maskgan-ebst"]
    assert tiny.words[tiny.words.index("--vae") + 1] == "runs/vae"
    own = ReproductionPlan(load_preset("small"), data="/data/faces")
    TABLES["ebst"](own)
    assert "train vae" in own.stages, "the bundled MaskVAE was not trained on photos"


def _word_after(stage: Stage, name: str) -> str:
    found = [w for i, w in enumerate(stage.words) if w.startswith(f"{name}=") or stage.words[i - 1] == name]
    return found[0]


def test_tables_share_stages() -> None:
    plan = ReproductionPlan(load_preset("tiny"))
    for make in TABLES.values():
        make(plan)
    assert sum(stage.words[:2] == ("train", "dmn") for stage in plan.stages.values()) == 2 + 3, (
        "sft, concat, three controls"
    )
    assert len({str(stage) for stage in plan.stages.values()}) == len(plan.stages)


def test_own_data_set_has_no_ground_truth_and_uses_no_bundled_judge() -> None:
    plan = _plan("attribute-transfer", data="/data/faces", has_identities=False)
    assert "train parser" in plan.stages
    assert not any("truth" in name or "render" in name for name in plan.stages)
    assert "identity" not in _parsed(plan.stages["measure smiling maskgan"])["metrics"]
    with pytest.raises(InputError, match="only rendered faces have ground truth"):
        _plan("counterfactual", data="/data/faces")
    given = _plan("attribute-transfer", data="/data/faces", judges={"parser": "/p.safetensors"})
    assert "train parser" not in given.stages
    assert "/p.safetensors" in given.stages["measure smiling maskgan"].words


def test_scripts_in_the_repository_equal_the_plans(maskgan: Command) -> None:
    """`recipes/reproduce/TABLE.sh` is the output of --dry-run with the tiny preset; regenerate it with that command."""
    for table in TABLES:
        assert (SCRIPTS / f"{table}.sh").read_text() == maskgan("reproduce", table, "--dry-run").out, table


def test_a_dry_run_writes_nothing(maskgan: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = maskgan("reproduce", "ebst", "--dry-run", "-o", "a b", "--device", "cuda", "--workers", "3")
    assert outcome.code == 0
    assert list(tmp_path.iterdir()) == []
    assert "cd 'a b'" in outcome.out
    lines = [shlex.split(line) for line in outcome.out.splitlines() if line.startswith("maskgan train")]
    assert lines
    assert all(line[-2:] == ["--device", "cuda"] for line in lines)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["attribute-transfer", "--preset", "huge"],
            "--preset: expected a YAML file or one of modest, paper, paper-256, small,",
        ),
        (["figure-1"], "figure-1"),
        (["identity", "--judge", "taste=x"], "--judge: expected KIND=WEIGHTS, KIND one of parser"),
        (
            ["identity", "--judge", "parser=nowhere"],
            "--judge: expected a weights file or a run folder, found no nowhere",
        ),
        (["identity", "--data", "nowhere"], "nowhere: expected a prepared data set"),
    ],
)
def test_invalid_input_is_reported_in_one_line(arguments: list[str], line: str, maskgan: Command) -> None:
    outcome = maskgan("reproduce", *arguments, "--dry-run")
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert line in outcome.err


def test_data_set_of_another_size_is_rejected(prepared: Path, maskgan: Command) -> None:
    call = ("reproduce", "identity", "--preset", "small", "--data", prepared)
    planned = maskgan(*call, "--dry-run")
    assert planned.code == 0
    assert "missing: " in planned.err
    assert "has faces of 64 px, the preset's recipes need 128 px; maskgan prep-data" in planned.err
    assert "maskgan train" in planned.out
    refused = maskgan(*call, "-o", prepared.parent / "never")
    assert refused.code == 2
    assert "the preset's recipes need 128 px" in refused.err.splitlines()[-1]
    assert not (prepared.parent / "never").exists()


def test_difference_over_seeds_has_students_t_interval() -> None:
    rows = {"maskgan": {"x": {"value": 0.0}}}
    for seed, (before, after) in enumerate([(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]):
        rows[f"control-{seed}"] = {"x": {"value": before}}
        rows["maskgan-ebst" if seed == 0 else f"maskgan-ebst-{seed}"] = {"x": {"value": after}}
    found = over_seeds(rows)["x"]
    assert (found["ebst"], found["control"], found["difference"], found["seeds"]) == (4.0, 2.0, 2.0, 3)
    # Differences 1, 2, 3: standard deviation 1, standard error 1/sqrt(3), t(2) = 4.303.
    assert found["interval_95"] == pytest.approx([2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5])
    assert over_seeds({"maskgan": {}, "control-0": {}, "maskgan-ebst": {}}) == {}
