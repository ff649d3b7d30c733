"""The run folder: corrupt files are named and the previous state is used; stale model files are rewritten."""

from __future__ import annotations

import errno
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Adam

from maskgan_cli.config import ScheduleSettings, load_recipe
from maskgan_cli.errors import InputError, WorkError
from maskgan_cli.training import state
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.run import Order, train
from maskgan_cli.training.schedule import check_rate, learning_rate
from maskgan_cli.training.state import Progress
from maskgan_cli.training.tasks.dmn import DMNRecipe, prepare_training
from maskgan_cli.weights.format import read_weights
from tests.conftest import TINY, Command

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]
RECIPE = load_recipe(DMNRecipe, "dmn", "tiny-cpu", CHANGES)


def _ignore(text: str) -> None:
    """Ignore a message."""


def _parts() -> tuple[dict[str, nn.Module], dict[str, Any]]:
    network = nn.Linear(3, 2)
    return {"net": network}, {"net": Adam(network.parameters(), lr=0.1)}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with states of steps 1 and 2 of a network with eight parameters."""
    folder = RunFolder(tmp_path / "run")
    folder.start(RECIPE, {}, resume=True, overwrite=False)
    networks, optimisers = _parts()
    for step in (1, 2):
        networks["net"](torch.ones(1, 3)).sum().backward()
        optimisers["net"].step()
        folder.save(Progress(step, 1, {"loss": 1.0, "seconds": 0.1}, {"val": 2.0}), networks, optimisers)
    return folder


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 255
    path.write_bytes(data)


def _replace(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "truncated": _truncate,
    "one byte": _flip,
    "another document": lambda path: path.write_text("[1]"),
    "deep": lambda path: path.write_text("[" * 100_000),
    "a folder": _replace,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["net.safetensors", "optimisers.pt", "progress.json"])
def test_a_corrupt_file_is_named_and_the_previous_state_used(run: RunFolder, name: str, damage: str) -> None:
    DAMAGES[damage](run.states[1] / name)
    networks, optimisers = _parts()
    said: list[str] = []
    progress = run.restore(networks, optimisers, said.append)
    assert progress == Progress(1, 1, {"loss": 1.0, "seconds": 0.1}, {"val": 2.0})
    assert len(said) == 1
    assert said[0].startswith(f"{run.states[1] / name}: damaged (")
    assert said[0].endswith("using step-000001 instead")
    DAMAGES[damage](run.states[0] / name)
    with pytest.raises(InputError, match=f"{run.states[1] / name}: damaged .*; no intact state is left"):
        run.restore(*_parts(), _ignore)


@pytest.mark.parametrize(
    "document", ["{}", '{"step": 1}', '{"step": "2"}', '{"step": 2, "sums": {"a": "b"}}', '{"x": 2}']
)
def test_states_without_hashes_are_checked_by_their_content(run: RunFolder, document: str) -> None:
    (run.states[1] / "hashes.json").unlink()
    assert run.restore(*_parts(), _ignore).step == 2  # a state of an earlier version
    (run.states[1] / "progress.json").write_text(document)
    assert run.restore(*_parts(), _ignore).step == 1


def test_a_state_with_other_optimisers_is_not_called_corrupt(run: RunFolder) -> None:
    networks, optimisers = _parts()
    with pytest.raises(InputError, match=r"expected a training with other, found one with net; .* --start-from"):
        run.restore(networks, {"other": optimisers["net"]}, _ignore)


@pytest.mark.parametrize("name", ["config.yaml", "run.json"])
@pytest.mark.parametrize("damage", ["empty", "another document", "deep", "bytes"])
def test_a_corrupt_recipe_or_description_is_named(run: RunFolder, name: str, damage: str) -> None:
    if damage == "bytes":
        (run.path / name).write_bytes(b"\xff\x00")
    else:
        DAMAGES[damage](run.path / name)
    with pytest.raises(InputError, match=f"{run.path / name}: expected"):
        run.start(RECIPE, {}, resume=True, overwrite=False)


def test_corrupt_lines_of_metrics_are_removed(run: RunFolder) -> None:
    run.metrics.write_bytes(b'{"step": 1}\n\xff\n[]\n{"step": "x"}\n{"step": 3}\n{"step": 2}\n{"step": 2')
    run.forget_metrics_after(2)
    assert run.metrics.read_bytes() == b'{"step": 1}\n{"step": 2}\n'


def test_partial_files_of_killed_processes_are_removed(run: RunFolder, tmp_path: Path) -> None:
    for name in (".config-0123abcd.tmp.yaml", ".run-0123abcd.tmp.json", ".model-0123abcd.tmp.safetensors"):
        (run.path / name).write_text("half")
    (run.path / "state" / ".step-000003").mkdir()
    run.start(RECIPE, {}, resume=True, overwrite=False)
    assert sorted(p.name for p in run.path.rglob(".*")) == []
    fresh = RunFolder(tmp_path / "fresh")
    fresh.path.mkdir()
    for name in (".config-0123abcd.tmp.yaml", "run.json"):  # the process was killed before the folder was a run
        (fresh.path / name).write_text("{}")
    fresh.start(RECIPE, {}, resume=True, overwrite=False)
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("")
    with pytest.raises(InputError, match="found other files in it"):
        RunFolder(other).start(RECIPE, {}, resume=True, overwrite=False)


def test_overwrite_removes_the_old_run(run: RunFolder) -> None:
    for name in (
        "blender.safetensors",
        "blender.md",
        "model.safetensors",
        "model.md",
        "metrics.jsonl",
        "events/x",
        "samples/step-000001.png",
    ):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).write_text("old")
    run.start(RECIPE, {}, resume=True, overwrite=True)
    assert sorted(p.name for p in run.path.iterdir()) == ["config.yaml", "run.json"]


def test_the_start_of_a_run_is_recorded_and_must_match(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    start = {"start": {"sha256": "a"}}
    folder.start(RECIPE, start, resume=True, overwrite=False)
    for about in ({}, start):
        assert folder.start(RECIPE, about, resume=True, overwrite=False) == start
        assert json.loads((folder.path / "run.json").read_text()) == start
    with pytest.raises(InputError, match="expected a run with start"):
        folder.start(RECIPE, {"start": {"sha256": "b"}}, resume=True, overwrite=False)


def test_a_setting_that_an_old_run_does_not_have_has_its_default(run: RunFolder) -> None:
    before = (run.path / "config.yaml").read_text()
    (run.path / "config.yaml").write_text(
        before.replace("  small_classes: 1.0\n", "").replace("ema_warmup: false\n", "")
    )
    run.start(RECIPE, {}, resume=True, overwrite=False)
    changed = RECIPE.model_copy(update={"ema_warmup": True})
    with pytest.raises(InputError, match="expected a run with ema_warmup=True, found ema_warmup=False"):
        run.start(changed, {}, resume=True, overwrite=False)


@pytest.mark.parametrize(
    ("module", "function", "file", "error"),
    [
        (state, "save_file", "net.safetensors", OSError(errno.ENOSPC, "No space left on device")),
        (torch, "save", "optimisers.pt", RuntimeError("file write failed")),
    ],
    ids=["safetensors", "torch"],
)
def test_a_full_disk_names_the_file_and_keeps_the_last_state(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, module: object, function: str, file: str, error: Exception
) -> None:
    def full(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(module, function, full)
    line = rf"step-000003/{file}: could not be written: .*; the last state is .*step-000002; make room"
    with pytest.raises(WorkError, match=line):
        run.save(Progress(3), *_parts())
    assert [p.name for p in (run.path / "state").iterdir()] == [p.name for p in run.states]


@pytest.mark.parametrize("most", [1, 1024, 50_000, 80_500])
def test_the_message_names_the_disks_error_and_not_torchs(run: RunFolder, most: int) -> None:
    resource = pytest.importorskip("resource")
    network = nn.Linear(100, 100)
    optimiser = Adam(network.parameters())
    network(torch.ones(1, 100)).sum().backward()
    optimiser.step()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        with pytest.raises(WorkError, match=r"optimisers\.pt: could not be written: file too large; "):
            run.save(Progress(3), {}, {"net": optimiser})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_names_the_metrics(run: RunFolder) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    run.metrics.symlink_to("/dev/full")
    with pytest.raises(WorkError, match=r"metrics\.jsonl: could not be written: no space left"):
        run.log({"step": 1})


def test_weights_older_than_the_state_are_rewritten(prepared: Path, tmp_path: Path) -> None:
    """A process can end (killed, or full disk) after it has written the last state and before the model."""
    changes = [*CHANGES, "schedule.steps=2", "schedule.checkpoint_every=1"]
    order = Order("dmn", DMNRecipe, prepare_training, prepared, tmp_path / "run", changes=changes)
    stale: list[bytes] = []
    model, card = tmp_path / "run/model.safetensors", tmp_path / "run/model.md"

    def stepped(done: int, total: int) -> None:
        stale.extend([model.read_bytes(), card.read_bytes()] if done == 1 else [])

    train(order, TrainingCallbacks("cpu", stepped=stepped))
    good, good_card = model.read_bytes(), card.read_bytes()
    assert good != stale[0]
    for weights, words in ((stale[0], stale[1]), (good, stale[1]), (None, None), (b"", b"")):
        for path, content in ((model, weights), (card, words)):
            path.unlink() if content is None else path.write_bytes(content)
        train(order, TrainingCallbacks("cpu"))
        assert model.read_bytes() == good
        assert card.read_bytes() == good_card
    shutil.rmtree(tmp_path / "run/state/step-000002")  # weights that are newer than the state are kept
    longer = [*CHANGES, "schedule.steps=1", "schedule.checkpoint_every=1"]
    train(
        Order("dmn", DMNRecipe, prepare_training, prepared, tmp_path / "run", changes=longer), TrainingCallbacks("cpu")
    )
    assert read_weights(model, "dmn").about["step"] == 2


def test_tensorboard_events_of_repeated_steps_are_purged(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    changes = [*CHANGES, "schedule.log_every=1", "schedule.checkpoint_every=2", "schedule.validate_every=9"]
    order = Order(
        "dmn", DMNRecipe, prepare_training, prepared, tmp_path / "run", changes=[*changes, "schedule.steps=5"]
    )

    def stepped(done: int, total: int) -> None:
        if done == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # in the third step, after the state of the second
        train(order, TrainingCallbacks("cpu", stepped=stepped))
    time.sleep(1.1)  # event files are read in the order of their names, which begin with the time in seconds
    assert isinstance(train(order, TrainingCallbacks("cpu")), Loop)
    events = EventAccumulator(str(tmp_path / "run/events"))
    events.Reload()
    assert [event.step for event in events.Scalars("pixel")] == [1, 2, 3, 4, 5]


def test_the_learning_rate_is_constant_then_linear_to_zero() -> None:
    schedule = ScheduleSettings(steps=100, decay_from=60)
    assert [learning_rate(2.0, step, schedule) for step in (0, 59, 60, 80, 100, 120)] == [2, 2, 2, 1, 0, 0]
    assert learning_rate(2.0, 99, ScheduleSettings(steps=100)) == 2


def test_a_resumed_run_must_not_raise_the_learning_rate_by_accident() -> None:
    before, run = ScheduleSettings(steps=100, decay_from=60), Path("run")
    for now in (ScheduleSettings(steps=200, decay_from=60), ScheduleSettings(steps=200, decay_from=70)):
        with pytest.raises(InputError, match=r"found 0\.\d+ with schedule.steps=200; set schedule.decay_from to 100"):
            check_rate(run, before, now, 100)
    for now in (
        ScheduleSettings(steps=200),
        ScheduleSettings(steps=200, decay_from=100),
        before,
        ScheduleSettings(steps=90, decay_from=60),
    ):
        check_rate(run, before, now, 100)
    check_rate(run, before, ScheduleSettings(steps=200, decay_from=60), 60)  # the decay has not begun
    check_rate(run, ScheduleSettings(steps=100), ScheduleSettings(steps=200), 100)


def test_a_decay_that_starts_after_the_last_step_raises_an_error(
    prepared: Path, tmp_path: Path, maskgan: Command
) -> None:
    outcome = maskgan(
        "train", "vae", prepared, "-o", tmp_path / "run", "--set", "data.workers=0", "--set", "schedule.steps=20"
    )
    assert outcome.code == 2
    assert outcome.err.startswith("maskgan: --set schedule.steps=20: found schedule: decay_from=1500 must be less than")
    assert not (tmp_path / "run").exists()
