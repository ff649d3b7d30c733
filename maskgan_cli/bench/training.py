"""Benchmark of training steps of ``train dmn`` on rendered faces, including data loading."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from maskgan_cli.bench.figure import Case, Work
from maskgan_cli.bench.table import BenchOptions
from maskgan_cli.config import load_recipe
from maskgan_cli.data.celebamask import read_source
from maskgan_cli.data.prepare import prepare
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.synth import write_dataset
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.run import make_accelerator
from maskgan_cli.training.setup import TrainingPlan
from maskgan_cli.training.tasks.dmn import DMNRecipe, prepare_training

_RARELY = 10**9  # interval, in steps, of logging, validation etc.; so large that these never happen


def cases(options: BenchOptions) -> list[Case]:
    """Return the benchmark cases of ``train dmn``: one case for the recipe ``tiny-cpu``.

    A thorough run also has a case for the bundled generator's recipe at 128 px.
    """
    recipes = ["tiny-cpu", "bundled-128"] if options.thorough else ["tiny-cpu"]
    return [Case("training", f"recipe {name}", {"recipe": name, "device": options.device}) for name in recipes]


@contextlib.contextmanager
def work(recipe: str, device: str, changes: Sequence[str] = ()) -> Iterator[Work]:
    """Context manager that prepares a training run of the Dense Mapping Network, and yields the `Work` to time.

    Each call of `Work.once` runs one training step.

    Args:
        recipe: name of the recipe.
        device: see `devices.pick_device`.
        changes: settings that override settings of the recipe, as ``NAME=VALUE``.
    """
    never = [f"schedule.{name}_every={_RARELY}" for name in ("log", "validate", "sample", "checkpoint")]
    never += [f"schedule.steps={_RARELY}", "schedule.decay_from=null", "schedule.validation_samples=1"]
    settings = load_recipe(DMNRecipe, "dmn", recipe, [*never, *changes])
    with tempfile.TemporaryDirectory() as name:
        data = faces(Path(name), 20, settings.network.image_size)
        accelerator = make_accelerator(device, settings.precision)
        callbacks = TrainingCallbacks(device)
        plan = TrainingPlan(data, Path(name) / "run", accelerator, resume=False, overwrite=False, callbacks=callbacks)
        steps = prepare_training(plan, settings).steps()

        def once() -> None:
            next(steps)
            if accelerator.device.type == "cuda":
                torch.cuda.synchronize()

        about = {"size": settings.network.image_size, "batch": settings.data.batch_size, "recipe": recipe}
        yield Work(once, 1, "step", about)


def faces(folder: Path, count: int, size: int) -> PreparedData:
    """Render ``count`` faces into ``folder``, prepare them at ``size`` px, and return the prepared data set."""
    raw = write_dataset(folder / "raw", count, 64, identities=10, workers=1)
    out = folder / "data"
    for _ in prepare(read_source(raw), out, size=size, image_format="png", workers=1, overwrite=False):
        pass
    return PreparedData.load(out)
