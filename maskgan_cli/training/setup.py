"""Setup of a training, the same for all tasks: builds the training loop from data set, recipe, run folder and task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch.utils.data import Sampler

from maskgan_cli.config import TrainingRecipe
from maskgan_cli.data.dataset import Batch, FaceDataset, first_samples
from maskgan_cli.data.draws import Draw, StepSampler
from maskgan_cli.data.loader import batches
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import InputError
from maskgan_cli.models.dmn import parameter_count
from maskgan_cli.training.callbacks import TrainingCallbacks
from maskgan_cli.training.checkpoint import RunFolder
from maskgan_cli.training.loop import Loop
from maskgan_cli.training.processes import check_agreement
from maskgan_cli.training.start import initialise, read_start, trained
from maskgan_cli.training.task import Task
from maskgan_cli.weights.format import Weights, load_strictly

Samplers = Callable[[int], Sampler[list[Draw]]]  # first step -> sampler of the faces of this and all later steps


@dataclass(frozen=True)
class TrainingPlan:
    """Options of a training that do not depend on its task.

    Attributes:
        data: the prepared data set.
        out: the run folder.
        accelerator: devices, processes and precision.
        resume: continue a run that ``out`` already contains.
        overwrite: delete a run that ``out`` already contains.
        callbacks: the caller's callbacks.
        start: a weights file or run folder whose weights replace the random initialisation.
        track: names of experiment trackers, see `trackers.check_trackers`.
    """

    data: PreparedData
    out: Path
    accelerator: Accelerator
    resume: bool
    overwrite: bool
    callbacks: TrainingCallbacks
    start: Path | None = None
    track: tuple[str, ...] = ()

    def check_size(self, size: int) -> None:
        """Check that the pictures of the data set are ``size`` pixels wide, as the network requires.

        Raises:
            InputError: the data set has another size.
        """
        if self.data.size != size:
            raise InputError(
                self.data.root,
                expected=f"a data set of {size} px (network.image_size)",
                found=f"{self.data.size} px",
                hint=f"maskgan prep-data ... --size {size}",
            )

    def loop(
        self,
        recipe: TrainingRecipe,
        make_task: Callable[[Batch], Task],
        dependencies: Mapping[str, Mapping[str, Any]],
        *,
        masked: bool = True,
        start_kind: str = "",
        expression_variants: bool = False,
        edits: Path | None = None,
        sampler: Samplers | None = None,
    ) -> Loop:
        """Prepare the run folder, build the task, and return a training loop that has not run any new step yet.

        Args:
            recipe: the resolved recipe.
            make_task: builds the task from a batch of validation faces; called after the run folder is ready.
            dependencies: dict from names (e.g. ``perceptual``) to descriptions, with hashes, of the trained networks
                that the run uses. The data set is added to this dict. When a run resumes, all descriptions must be the
                same as before.
            masked: whether the task needs masks.
            start_kind: kind of the weights in ``self.start``, a key of `networks.KINDS`; these weights initialise the
                task's first network. If ``self.start`` is a folder, the task's other networks (discriminators) are
                initialised from this folder too. If ``start_kind`` is empty, ``self.start`` is not used.
            expression_variants: whether batches also contain, for each face, another rendering of the same scene with
                another expression.
            edits: folder with two edits of every training mask, which batches also contain; None for no edits.
            sampler: function from the first step to a sampler, which chooses the training faces of this and all later
                steps; None for shuffled epochs.

        Raises:
            InputError: data, recipe and run folder do not fit together.
        """
        data, accelerator = self.data, self.accelerator
        data.check_manifest()
        check_agreement(accelerator, f"the data set {data.root}", data.hash, "copy one data set to all machines")
        train = FaceDataset(
            data.split("train"),
            data.size,
            cache=recipe.data.cache,
            masked=masked,
            variants=expression_variants,
            edits=edits,
        )
        validation = FaceDataset(data.split("val"), data.size, cache=False, masked=masked)
        dependencies = {"data": {"name": data.info.get("name"), "hash": data.hash}, **dependencies}
        start = None if self.start is None or not start_kind else read_start(self.start, start_kind)
        if start is not None:
            dependencies["start"] = {"sha256": start.sha256}
        run = RunFolder(self.out)
        if accelerator.is_main_process:
            machine = {"processes": accelerator.num_processes, "device": str(accelerator.device)}
            about = {**dependencies, "torch": torch.__version__, **machine}
            about = run.start(recipe, about, resume=self.resume, overwrite=self.overwrite)
            dependencies.update({"start": about["start"]} if "start" in about else {})
        accelerator.wait_for_everyone()
        task = make_task(first_samples(validation, recipe.schedule.validation_samples))
        if start is not None:
            self._initialise(task, start, start_kind)
        self._say_sizes(task, len(train))
        card = {"recipe": recipe.model_dump(mode="json"), **dependencies}
        stream = self._stream(recipe, train, sampler)
        return Loop(task, recipe, run, stream, accelerator, about=card, callbacks=self.callbacks, track=self.track)

    def _initialise(self, task: Task, start: Weights, kind: str) -> None:
        """Load trained weights into the task's networks.

        The task's first network gets the weights ``start``. If the folder ``self.start`` also has weights of the task's
        other networks (discriminators), these networks are initialised too.

        Args:
            task: the task whose networks are changed.
            start: weights for the first network.
            kind: kind of the first network, a key of `networks.KINDS`.
        """
        (_, first), *others = task.networks.items()
        initialise(first, start, kind)
        for name, network in others:
            if (tensors := trained(name, self.start)) is not None:
                load_strictly(network, tensors, start.path.parent)
            self.callbacks.say(f"{name}: {'from scratch' if tensors is None else 'trained'}")

    def _say_sizes(self, task: Task, faces: int) -> None:
        """Report the number of training faces, the networks' sizes, the processes and the device to the user."""
        counted = {name: network for name, network in task.networks.items() if name != "average"}
        networks = ", ".join(f"{name} {parameter_count(network) / 1e6:.1f} M" for name, network in counted.items())
        self.callbacks.say(
            f"{faces} training faces of {self.data.size} px; parameters: {networks}; "
            f"{self.accelerator.num_processes} process(es) on {self.accelerator.device}"
        )

    def _stream(
        self, recipe: TrainingRecipe, train: FaceDataset, sampler: Samplers | None
    ) -> Callable[[int], Iterator[Batch]]:
        """Return a function from the number of the first step to an endless iterator over this process's batches.

        Args:
            recipe: the resolved recipe.
            train: the training faces.
            sampler: see `loop`.
        """
        accelerator = self.accelerator

        def epochs(first_step: int) -> StepSampler:
            return StepSampler(
                len(train),
                recipe.data.batch_size,
                seed=recipe.seed,
                flip=recipe.data.flip,
                first_step=first_step,
                rank=accelerator.process_index,
                world=accelerator.num_processes,
                groups=_groups(train, recipe.data.balance, self.data.root),
                shares=recipe.data.shares,
            )

        def stream(first_step: int) -> Iterator[Batch]:
            return batches(
                train,
                (sampler or epochs)(first_step),
                workers=recipe.data.workers,
                pin=accelerator.device.type == "cuda",
                batch_size=recipe.data.batch_size // accelerator.num_processes,
                say=self.callbacks.say,
                stop=self.callbacks.stop,
            )

        return stream


def _groups(faces: FaceDataset, column: str, root: Path) -> list[str] | None:
    """Return a list with the group of each face, which is the face's value in a column of the manifest.

    Batches are balanced between the groups, see ``data.balance``. If ``column`` is empty, the result is None.

    Args:
        faces: the training faces.
        column: name of the column, ``data.balance`` of the recipe.
        root: folder of the data set, for the error message.

    Raises:
        InputError: a face has no value in this column.
    """
    if not column:
        return None
    values = [sample.fields.get(column, "") for sample in faces.samples]
    if not all(values):
        raise InputError(
            root / "manifest.csv",
            expected=f"a column {column} with a value for every training face (data.balance)",
            found=f"{values.count('')} faces without one",
        )
    return values
