"""Every suggested next command works: suggestions are collected from small runs and executed."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from pathlib import Path

import pytest

import maskgan_cli
from maskgan_cli.config import fitting_recipe, recipe_paths
from maskgan_cli.files import write_image
from maskgan_cli.networks import trainings
from tests.conftest import TINY, TINY_VAE, Command, Outcome

CLI = Path(maskgan_cli.__file__).parent / "cli"
# Commands whose suggestion some test below runs.
FOLLOWED = {
    "synth",
    "_prepare",
    "examples",
    "check_data",
    "align",
    "parse",
    "simulate_edits",
    "find_directions",
    "_finish",
    "compare",
    "survey",
    "truths",
    "list_",
    "_run",
    "personalise",
}
PLACEHOLDERS = {"ANSWERS.csv"}  # files that only people can make
FEW = ("--set", "schedule.steps=2", "--device", "cpu", "--workers", "0", "-q")
_SMALL, _STEADY = ("--set", "data.batch_size=4"), ("--set", "schedule.decay_from=null")
OWN = {
    "vae": (*TINY_VAE, "--set", "schedule.steps=2"),
    "dmn": (*TINY, "--set", "schedule.steps=2"),
    "parser": ("--set", "network.image_size=64", *_SMALL, *_STEADY),
    **dict.fromkeys(("pose", "attributes", "identity", "stargan"), (*_SMALL, *_STEADY)),
    "elegant": (*_SMALL, "--set", "network.attributes=[Smiling, Male]"),
    "ebst": (*_SMALL, "--set", "discriminator.width=4"),  # as the network that it starts from
}


def hint(outcome: Outcome) -> list[str]:
    """The suggested command in the output of a command."""
    assert outcome.code == 0, outcome.err
    (line,) = re.findall(r"^next: maskgan (.*)$", outcome.err, re.MULTILINE)
    words = shlex.split(line)
    assert not PLACEHOLDERS & set(words), line
    return words


def test_every_suggestion_is_tested() -> None:
    found = set()
    for path in CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(inner, ast.keyword) and inner.arg == "next_command" for inner in ast.walk(node)
            ):
                found.add(node.name)
    assert found - {"finish"} == FOLLOWED


def test_from_nothing_to_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maskgan: Command) -> None:
    """In a folder whose name must be quoted in a shell."""
    (tmp_path / "my faces").mkdir()
    monkeypatch.chdir(tmp_path)
    words = hint(maskgan("synth", "my faces/raw", "-n", 10, "--size", 64, "--workers", 1))
    assert words[0] == "prep-data"
    again = maskgan("synth", "my faces/raw", "-n", 10, "--size", 64, "--workers", 1)
    assert (again.code, "kept 10 existing pictures of 10" in again.err) == (0, True), again.err
    prepare = (*words, "--workers", 1)
    words = hint(maskgan(*prepare))
    assert words[0] == "check-data"
    again = maskgan(*prepare)
    assert (again.code, ", prepared from the same list of files" in again.err) == (0, True), again.err
    words = hint(maskgan(*words, "--workers", 1))
    assert words[:2] == ["train", "dmn"]
    assert words[words.index("--recipe") + 1] == "tiny-cpu"
    words = hint(maskgan(*words, *TINY[2:], *FEW[:2], "--workers", 0))
    assert words[0] == "swap-mouth"
    assert maskgan(*words).code == 0
    data = "data/rendered-64"
    assert maskgan("eval", "pairs", data, "--split", "train", "-n", 1, "-o", "pairs.csv").code == 0
    words = hint(maskgan("eval", "truths", "my faces/raw", "pairs.csv", "-o", "the truth"))
    assert words[0] == "swap-mouth"
    assert maskgan(*words).code == 0


@pytest.mark.slow
@pytest.mark.parametrize("training", [one.name for one in trainings()])
def test_trainings(
    training: str,
    prepared: Path,
    weights: Path,
    vae_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    maskgan: Command,
) -> None:
    monkeypatch.chdir(tmp_path)
    small = OWN.get(training, _SMALL)
    data = _of_few_people(tmp_path, maskgan) if training == "identity" else prepared
    more = ("--dmn", weights, "--vae", vae_weights) if training == "ebst" else ()
    words = hint(maskgan("train", training, data, *more, *small, *FEW[:-1], "-o", "my run"))
    if words[:2] == ["eval", "verify"]:
        words += ["--pairs", "20"]
    outcome = maskgan(*words, *(("--force",) if words[0] in ("swap-mouth", "style-copy") else ()))
    few = ("samples", "faces", "pairs", "people")  # the drawn data set is small; that is no fault of the suggestion
    assert outcome.code == 0 or any(word in outcome.err for word in few), outcome.err


@pytest.mark.parametrize("last", ["vae", "dmn"])
def test_after_a_vae_and_a_dmn_comes_ebst(
    last: str,
    prepared: Path,
    weights: Path,
    vae_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    maskgan: Command,
) -> None:
    monkeypatch.chdir(tmp_path)
    other, file = ("dmn", weights) if last == "vae" else ("vae", vae_weights)
    (tmp_path / "runs" / other).mkdir(parents=True)
    shutil.copy(file / "model.safetensors" if file.is_dir() else file, f"runs/{other}/model.safetensors")
    words = hint(maskgan("train", last, prepared, *OWN[last], *FEW[2:-1], "-o", f"runs/{last}"))
    assert words[:7] == ["train", "ebst", str(prepared), "--dmn", "runs/dmn", "--vae", "runs/vae"]
    assert words[7:] == ["--recipe", "tiny-cpu", "-o", "runs/ebst"]
    if last == "dmn":
        outcome = maskgan(*words, *OWN["ebst"], *FEW)
        assert outcome.code == 0, outcome.err


def _of_few_people(folder: Path, maskgan: Command) -> Path:
    """A data set with several pictures per person."""
    one = ("--workers", 1, "-q")
    assert maskgan("synth", folder / "raw", "-n", 120, "--identities", 20, "--size", 64, *one).code == 0
    assert maskgan("prep-data", folder / "raw", folder / "data", "--size", 64, *one).code == 0
    return folder / "data"


def test_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maskgan: Command) -> None:
    from skimage.data import astronaut

    monkeypatch.chdir(tmp_path)
    (tmp_path / "my photos").mkdir()
    for name in ("a", "b"):
        write_image(tmp_path / "my photos" / f"{name}.png", astronaut())
    words = hint(maskgan("parse", "my photos/a.png", "-o", "masks"))
    assert words == ["align", "my photos/a.png", "-o", "faces"], "its mask is no face's"
    assert maskgan(*words).code == 0
    words = hint(maskgan("align", "my photos", "-o", "my faces", "--size", 128))
    assert words == ["parse", "my faces/a.png"]
    words = hint(maskgan(*words))
    assert words[:2] == ["reshape", "my faces/a.png"]
    assert maskgan(*words).code == 0
    words = hint(maskgan("parse", "my faces"))
    assert words[0] == "swap-mouth"
    assert maskgan(*words[:-1], "swapped.png").code == 0


def test_data_sets_and_results(
    prepared: Path, weights: Path, vae_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maskgan: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    dmn, vae = ("--weights", weights, "--device", "cpu"), ("-w", vae_weights, "--device", "cpu")
    words = hint(maskgan("simulate-edits", prepared, *vae, "--split", "train", "-n", 2, "-o", "my edits"))
    assert maskgan(*words, *dmn).code == 0
    trained = tmp_path / "runs" / "dmn"  # where check-data suggests to train
    trained.mkdir(parents=True)
    shutil.copy(weights / "model.safetensors" if weights.is_dir() else weights, trained / "model.safetensors")
    words = hint(maskgan("simulate-edits", prepared, *vae, "--split", "train", "-n", 2, "-o", "my edits"))
    assert words == ["render", "--pairs", "my edits/edits.csv", "--weights", "runs/dmn", "-o", "rendered"]
    words = hint(maskgan("eval", "pairs", prepared, "--split", "train", "-n", 2, "-o", "mine.csv"))
    assert words == ["swap-mouth", "--pairs", "mine.csv", "--weights", "runs/dmn", "-o", "results"]
    assert maskgan(*words, "--device", "cpu").code == 0
    shutil.rmtree(tmp_path / "runs")
    shutil.rmtree(tmp_path / "results")
    words = hint(maskgan("find-directions", prepared, *vae, "-o", "my ways.safetensors"))
    outcome = maskgan(*words, *dmn)
    assert outcome.code == 0, outcome.err
    words = hint(maskgan("eval", "pairs", prepared, "--split", "train", "-n", 2, "-o", "my pairs.csv"))
    assert words[0] == "swap-mouth"
    assert maskgan(*words, *dmn).code == 0
    methods = ("--method", "one=results", "--method", "other=results")
    words = hint(maskgan("compare", "--pairs", "my pairs.csv", *methods, "-o", "side by side", "-n", 2))
    assert words[:2] == ["eval", "survey"]
    outcome = maskgan(*words, "-n", 1)
    assert outcome.code == 0, outcome.err
    assert "next: maskgan eval survey survey --tally ANSWERS.csv" in outcome.err
    words = hint(maskgan("recipes", "list"))
    assert maskgan(*words).code == 0


@pytest.mark.parametrize("task", ["dmn", "vae", "parser", "attributes"])
def test_recipes_fit_the_datas_size(task: str) -> None:
    names = {path.stem for path in recipe_paths(task)}
    for size in (64, 96, 128, 256, 512):
        words = fitting_recipe(task, size)
        assert words[1] in names
        assert words[2:] in ([], ["--set", f"network.image_size={size}"])
    assert fitting_recipe("dmn", 64) == ["--recipe", "tiny-cpu"]
    assert fitting_recipe("dmn", 128) == ["--recipe", "small-128"]
    assert fitting_recipe("dmn", 512) == ["--recipe", "paper-512"]
    assert fitting_recipe("dmn", 96) == ["--recipe", "tiny-cpu", "--set", "network.image_size=96"]
