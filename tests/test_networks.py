"""Tests of the registry of networks: all entries resolve, and a new network needs only an entry."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import pytest
import torch
import typer

from maskgan_cli.cli.shell import run
from maskgan_cli.cli.train import register
from maskgan_cli.config import TrainingRecipe, recipe_folder
from maskgan_cli.errors import InputError
from maskgan_cli.networks import KINDS, canonical, choose, imported, judges, resolve, trainings
from maskgan_cli.weights.cache import cached_weights, in_cache
from maskgan_cli.weights.format import build, load, save_weights
from maskgan_cli.weights.lookup import bundled, find_weights
from tests.conftest import Command, Outcome
from tests.toy_network import TONE, ToneConfig, ToneNet


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_names_in_an_entry_resolve(kind: object) -> None:
    entry = KINDS[kind.name]  # type: ignore[attr-defined]
    network = build(entry, {})
    assert all(tensor.is_meta for tensor in network.state_dict().values()), "no memory may be allocated"
    for where in filter(None, (entry.layout, entry.onnx, entry.judge)):
        assert resolve(where) is not None
    assert (bundled(entry.name) is not None) is entry.bundled
    for part in (entry.start, *entry.trunks.values()):
        assert not part or entry.trainings
    for training in entry.trainings:
        assert issubclass(resolve(f"{training.module}:{training.recipe}"), TrainingRecipe)
        own = {option.name for option in training.options if not option.setting}
        prepare = inspect.signature(resolve(f"{training.module}:prepare_training")).parameters
        assert list(prepare)[:2] == ["plan", "recipe"]
        assert set(list(prepare)[2:]) == own
        assert (recipe_folder(training.name) / "tiny-cpu.yaml").is_file()


@pytest.mark.parametrize("package", ["models", "weights", "judges"])
def test_package_docstrings_list_their_modules(package: str) -> None:
    found = importlib.import_module(f"maskgan_cli.{package}")
    assert found.__file__ and found.__doc__
    for module in Path(found.__file__).parent.glob("*.py"):
        assert module.name == "__init__.py" or module.name in found.__doc__, module.name


def test_unknown_names_are_reported_and_former_names_accepted() -> None:
    names = [name for kind in KINDS.values() for name in (kind.name, *kind.aliases)]
    variables = [name for kind in KINDS.values() for name in kind.variables]
    commands = [training.name for training in trainings()]
    for all_of_them in (names, variables, commands):
        assert len(set(all_of_them)) == len(all_of_them)
    assert [canonical(name) for name in ("generator", "hopenet", "arcface", "dmn", "wig")] == [
        "dmn",
        "pose",
        "identity",
        "dmn",
        "wig",
    ]
    assert judges() == ("parser", "attributes", "pose", "identity")
    with pytest.raises(InputError, match=r"KIND: expected one of dmn, .*, found hopent; did you mean pose\?"):
        choose("hopent", imported(), "KIND")
    with pytest.raises(InputError, match=r"did you mean parser\?"):
        choose("parsre", imported(), "KIND")


def test_files_and_variables_with_former_names_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(KINDS, "tone", TONE)
    network = ToneNet(ToneConfig())
    old = save_weights(cached_weights("tint"), network, kind="tone", config={}, about={})
    content = old.read_bytes().replace(b'\\"kind\\": \\"tone\\"', b'\\"kind\\": \\"tint\\"')
    assert b"tint" in content
    old.write_bytes(content)
    assert in_cache("tone") == in_cache("tint") == find_weights(None, "tone") == old
    again, weights = load("tone", old, torch.device("cpu"))
    assert weights.kind == "tone"
    assert torch.equal(again.mix.weight, network.mix.weight)
    monkeypatch.setenv("MASKGAN_TINT_WEIGHTS", "elsewhere")
    assert find_weights(None, "tone") == Path("elsewhere")
    monkeypatch.setenv("MASKGAN_TONE_WEIGHTS", "new")
    assert find_weights(None, "tone") == Path("new")


def test_new_network_needs_only_its_entry(
    prepared: Path, tmp_path: Path, maskgan: Command, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(KINDS, "tone", TONE)
    app = typer.Typer()
    register(app)

    def train(*arguments: object) -> Outcome:
        capfd.readouterr()
        code = run(app, [str(argument) for argument in arguments])
        return Outcome(code, *capfd.readouterr())

    assert "Train a mixer of tones." in train("--help").out
    (tmp_path / "quick.yaml").write_text("schedule: {steps: 2}\ndata: {batch_size: 4, workers: 0}")
    done = train(
        "tone",
        prepared,
        "--goal",
        7,
        "--outputs",
        5,
        "-r",
        tmp_path / "quick.yaml",
        "-o",
        tmp_path / "run",
        "--device",
        "cpu",
    )
    assert (done.code, done.lines) == (0, [str(tmp_path / "run" / "model.safetensors")]), done.err
    assert f"next: maskgan mix {tmp_path / 'run'}" in done.err.replace("\n", "")
    assert "mixer of tones, 0.0 M numbers" in (tmp_path / "run" / "model.md").read_text()
    first, _ = load("tone", tmp_path / "run", torch.device("cpu"))
    assert first.mix.out_features == 5
    for seed in (1, 2):  # every seed starts from the same trained weights and continues training
        done = train(
            "tone",
            prepared,
            "--goal",
            7,
            "--outputs",
            5,
            "-r",
            tmp_path / "quick.yaml",
            "--seed",
            seed,
            "-o",
            tmp_path / f"on-{seed}",
            "--start-from",
            tmp_path / "run",
            "--device",
            "cpu",
        )
        assert done.code == 0, done.err
        begun, _ = load("tone", tmp_path / f"on-{seed}", torch.device("cpu"))
        assert 0 < (begun.mix.weight - first.mix.weight).abs().max() < 1e-3  # two steps of Adam at 2e-4
    missing = train("tone", prepared)
    assert (missing.code, "Missing option '--goal'" in missing.err) == (2, True)

    theirs = {"w.weight": torch.ones(2, 3), "w.bias": torch.zeros(2)}
    torch.save(theirs, tmp_path / "tone.pth")
    brought = maskgan("weights", "import", "tint", tmp_path / "tone.pth")
    assert (brought.code, brought.lines[0]) == (0, str(cached_weights("tone"))), brought.err
    assert "CC0" in cached_weights("tone").with_suffix(".md").read_text()
    rows = {row["name"]: row for row in json.loads(maskgan("weights", "list", "--json").out)["weights"]}
    assert (rows["tone"]["here"], rows["tone"]["licence"]) == (True, "CC0")
    assert "train one with `maskgan train tone DATA" in str(_nothing_found(monkeypatch, tmp_path))


def _nothing_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> InputError:
    monkeypatch.setenv("MASKGAN_CACHE", str(tmp_path / "none"))
    with pytest.raises(InputError) as error:
        find_weights(None, "tone")
    return error.value
