"""From data set and recipe to the loop before its first step: what every training task sets up alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils.data import Sampler

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.data.dataset import Batch, Draw, FaceDataset, StepSampler, batches, first_samples
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.models.dmn import parameter_count
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.host import Host
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.processes import check_agreement
from maskgan_cli.training.start import begin_with, read_start, trained
from maskgan_cli.training.task import Task
from maskgan_cli.weights.format import load_strictly


@dataclass(frozen=True)
class Plan:
    """What the command line settles before a task is looked at.

    Attributes:
        data: the faces.
        out: the run folder.
        accelerator: devices, processes, precision.
        resume, overwrite: what to do with a run that is there, see `RunFolder.start`.
        host: who runs it.
        start: a weights file or run folder to begin with instead of random numbers.
        track: trackers of the metrics, see `trackers.check_trackers`.
    """

    data: PreparedData
    out: Path
    accelerator: Accelerator
    resume: bool
    overwrite: bool
    host: Host
    start: Path | None = None
    track: tuple[str, ...] = ()

    def check_size(self, size: int) -> None:
        """Insist that the data set is of the network's size.

        Raises:
            InputError: it is not.
        """
        if self.data.size != size:
            raise InputError(
                self.data.root, expected=f"a data set of {size} px (network.image_size)",
                found=f"{self.data.size} px", hint=f"maskgan prep-data ... --size {size}",
            )  # fmt: skip

    def loop(
        self,
        recipe: TrainingRecipe,
        make_task: Callable[[Batch], Task],
        rests: Mapping[str, Mapping[str, Any]],
        *,
        masked: bool = True,
        begins: str = "",
        takes: bool = False,
        sampler: Callable[[int], Sampler[list[Draw]]] | None = None,
    ) -> Loop:
        """Start or continue the run folder, build the task, connect it with its batches.

        Args:
            recipe: the resolved recipe.
            make_task: called with the validation faces once the run folder is ours.
            rests: what the run rests on besides the data, by name, for the record; must not change
                on resume.
            masked: whether it looks at masks.
            begins: kind of the weights that its first network may begin with; from a folder its others
                (discriminators) come along.
            takes: whether it wants another take of every face's scene.
            sampler: called with the first step; the draws of training samples from there. Shuffled epochs if None.

        Raises:
            InputError: data, recipe and run folder do not go together.
        """
        data, accelerator = self.data, self.accelerator
        data.check_manifest()
        check_agreement(accelerator, f"the data set {data.root}", data.hash, "copy one data set to all machines")
        train = FaceDataset(data.split("train"), data.size, cache=recipe.data.cache, masked=masked, takes=takes)
        validation = FaceDataset(data.split("val"), data.size, cache=False, masked=masked)
        rests = {"data": {"name": data.info.get("name"), "hash": data.hash}, **rests}
        start = None if self.start is None or not begins else read_start(self.start, begins)
        if start is not None:
            rests["start"] = {"sha256": start.sha256}
        about: dict[str, Any] = {
            **rests,
            "torch": torch.__version__,
            "processes": accelerator.num_processes,
            "device": str(accelerator.device),
        }
        run = RunFolder(self.out)
        if accelerator.is_main_process:
            about = run.start(recipe, about, resume=self.resume, overwrite=self.overwrite)
            rests.update({"start": about["start"]} if "start" in about else {})
        accelerator.wait_for_everyone()
        task = make_task(first_samples(validation, recipe.schedule.validation_samples))
        if start is not None:
            first, *others = task.networks.items()
            begin_with(first[1], start, begins)
            for name, network in others:
                if (tensors := trained(name, self.start)) is not None:
                    load_strictly(network, tensors, start.path.parent)
                self.host.say(f"{name}: {'from scratch' if tensors is None else 'trained'}")
        counted = {name: network for name, network in task.networks.items() if name != "average"}
        learners = ", ".join(f"{name} {parameter_count(n) / 1e6:.1f} M" for name, n in counted.items())
        self.host.say(
            f"{len(train)} training faces of {data.size} px; parameters: {learners}; "
            f"{accelerator.num_processes} process(es) on {accelerator.device}"
        )

        def stream(first_step: int) -> Iterator[Batch]:
            draws = sampler(first_step) if sampler is not None else StepSampler(
                len(train), recipe.data.batch_size, seed=recipe.seed, flip=recipe.data.flip, first_step=first_step,
                rank=accelerator.process_index, world=accelerator.num_processes,
                groups=_groups(train, recipe.data.balance, data.root), shares=recipe.data.shares,
            )  # fmt: skip
            return batches(
                train, draws, workers=recipe.data.workers, pin=accelerator.device.type == "cuda",
                batch_size=recipe.data.batch_size // accelerator.num_processes, say=self.host.say, stop=self.host.stop,
            )  # fmt: skip

        card = {"recipe": recipe.model_dump(mode="json"), **rests}
        return Loop(task, recipe, run, stream, accelerator, about=card, host=self.host, track=self.track)


def _groups(faces: FaceDataset, column: str, root: Path) -> list[str] | None:
    """The value of a manifest column for every face; None without a column.

    Raises:
        InputError: a face has no such value.
    """
    if not column:
        return None
    values = [sample.fields.get(column, "") for sample in faces.samples]
    if not all(values):
        raise InputError(
            root / "manifest.csv", expected=f"a column {column} with a value for every training face (data.balance)",
            found=f"{values.count('')} faces without one",
        )  # fmt: skip
    return values
