"""--track: the values that trackers receive, and the ids of resumed runs."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maskgan_cli.errors import InputError
from maskgan_cli.training import trackers
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.run import Order, train
from maskgan_cli.training.tasks.dmn import DMNRecipe, prepare_training
from tests.conftest import TINY, Command

CHANGES = [TINY[i + 1] for i in range(len(TINY)) if TINY[i] == "--set"]


class Service:
    """Replaces a tracker's server, and records the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Any, ...]] = []
        service = self

        class Tracker:
            def __init__(self, project: str, **options: Any) -> None:
                self.options = options
                service.calls.append(("init", project, options))

            def start(self) -> None:
                run_id = self.options.get("run_id") or "mlflow-1"
                self.tracker = SimpleNamespace(info=SimpleNamespace(run_id=run_id))

            def store_init_configuration(self, values: dict[str, str]) -> None:
                service.calls.append(("settings", values))

            def log(self, values: dict[str, float], step: int) -> None:
                service.calls.append(("log", step, values))

            def finish(self) -> None:
                service.calls.append(("finish",))

        monkeypatch.setattr(trackers, "LOGGER_TYPE_TO_CLASS", {"wandb": Tracker, "mlflow": Tracker})
        monkeypatch.setattr(trackers, "find_spec", lambda name: name in ("wandb", "mlflow") or None)

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [call for call in self.calls if call[0] == kind]


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
def test_trackers_continue_a_resumed_run(
    name: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, run = Service(monkeypatch), tmp_path / "run"
    for steps in (2, 4):
        changes = [*CHANGES, f"schedule.steps={steps}", "schedule.log_every=2", "schedule.validate_every=4"]
        train(
            Order("dmn", DMNRecipe, prepare_training, prepared, run, changes=changes, track=(name,)),
            TrainingCallbacks("cpu"),
        )
    (_, project, first), (_, _, second) = service.of("init")
    assert project == "maskgan"
    kept = json.loads((run / "trackers.json").read_text())[name]
    if name == "wandb":
        assert first["id"] == second["id"] == kept
        assert (second["resume"], second["name"]) == ("allow", "run")
    else:
        assert (first["run_id"], second["run_id"], kept) == (None, "mlflow-1", "mlflow-1")
    (settings,) = [values for _, values in service.of("settings")]
    assert (settings["optimiser.lr"], settings["network.width"]) == ("0.001", "4")
    sent = [{"step": step, **values} for _, step, values in service.of("log")]
    assert sent == [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in sent] == [2, 2, 4, 4]
    assert len(service.of("finish")) == 2


def test_unknown_or_missing_trackers_raise_an_error(prepared: Path, tmp_path: Path, maskgan: Command) -> None:
    with pytest.raises(InputError, match="--track: expected one of tensorboard, wandb, mlflow, found beauty"):
        trackers.check_trackers(["beauty"])
    if find_spec("wandb") is None:
        outcome = maskgan("train", "dmn", prepared, "-o", tmp_path / "run", "--track", "wandb")
        assert outcome.code == 2
        assert "--track: expected the package wandb, found none; pip install wandb" in outcome.err
        assert not (tmp_path / "run").exists()
