"""Batches of a prepared data set. The samples of a batch depend only on the seed and the step."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from maskgan_cli.data import shared_memory
from maskgan_cli.data.prepared import Sample
from maskgan_cli.errors import InputError, MaskGANError, Stopped
from maskgan_cli.files import Picture, read_image, read_label_map
from maskgan_cli.labels import LabelMap, flip
from maskgan_cli.workers import block_signals

_POLL: Final = 1  # seconds between checks for a stop request while waiting for a batch
_PATIENCE: Final = 5  # seconds to wait for the batch after a stop request

Draw = tuple[int, bool]  # index of a sample, and whether to mirror it
Face = tuple[Picture, LabelMap]
Item = tuple[int, bool, Picture, LabelMap, Face | None]


@dataclass(frozen=True)
class Batch:
    """A batch of faces.

    Attributes:
        images: (N, 3, H, W) ``uint8``.
        labels: class ids (N, H, W) ``uint8``; (N, 0, 0) for a data set without masks.
        indices: indices of the samples in the split (N,).
        mirrored: whether each sample was mirrored (N,) ``bool``.
        other_images, other_labels: expression variants of the same scenes, in the same shapes; None if they are not
            requested.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    mirrored: Tensor
    other_images: Tensor | None = None
    other_labels: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return self._changed(lambda x: x.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory (the data loader calls this)."""
        return self._changed(lambda x: x.pin_memory())

    def _changed(self, change: Callable[[Tensor], Tensor]) -> Batch:
        own = [change(x) for x in (self.images, self.labels, self.indices, self.mirrored)]
        other = [None if x is None else change(x) for x in (self.other_images, self.other_labels)]
        return Batch(*own, *other)


class FaceDataset(Dataset[Item]):
    """Images and label maps of one split.

    Args:
        samples: samples of one prepared data set.
        size: image size of the network.
        cache: keep all decoded samples in memory (4 bytes per pixel).
        masked: also read the label maps.
        takes: also return an expression variant of each face: the next sample of its scene, or the same sample if the
            scene has only one.

    Raises:
        InputError: ``takes`` is true, and the samples have no scenes.
    """

    def __init__(
        self, samples: list[Sample], size: int, *, cache: bool, masked: bool = True, takes: bool = False
    ) -> None:
        self.samples, self.size, self.masked = samples, size, masked
        self._next = _next_takes(samples) if takes else None
        self._cache: dict[int, tuple[Picture, LabelMap]] | None = {} if cache else None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def bytes_per_sample(self) -> int:
        """The size of a sample in a batch."""
        return (1 if self._next is None else 2) * (4 if self.masked else 3) * self.size**2

    def __getitem__(self, draw: Draw) -> Item:
        index, mirrored = draw
        other = None if self._next is None else self._face(self._next[index], mirrored)
        return index, mirrored, *self._face(index, mirrored), other

    def _face(self, index: int, mirrored: bool) -> Face:
        picture, labels = self._read(index)
        return (picture[:, ::-1], flip(labels)) if mirrored else (picture, labels)

    def _read(self, index: int) -> tuple[Picture, LabelMap]:
        if self._cache is not None and index in self._cache:
            return self._cache[index]
        sample = self.samples[index]
        picture = read_image(sample.image)
        files: list[tuple[Path, npt.NDArray[np.uint8]]] = [(sample.image, picture)]
        labels: LabelMap = np.empty((0, 0), np.uint8)
        if self.masked:
            labels = read_label_map(sample.mask)
            files.append((sample.mask, labels))
        for path, array in files:
            if array.shape[:2] != (self.size, self.size):
                raise InputError(
                    path,
                    expected=f"{self.size}x{self.size}",
                    found=f"{array.shape[1]}x{array.shape[0]}",
                    hint="prepare the data set at the network's size (`maskgan prep-data --size`)",
                )
        if self._cache is not None:
            self._cache[index] = (picture, labels)
        return picture, labels


def _next_takes(samples: list[Sample]) -> list[int]:
    """For each sample the index of the next one of its scene; after the last one, the first."""
    scenes: dict[str, list[int]] = {}
    for i, sample in enumerate(samples):
        if "scene" not in sample.fields:
            raise InputError(
                sample.image,
                expected="its scene in manifest.csv",
                found="none",
                hint="style_augmentation.expression_variants is for rendered faces: maskgan synth ... --takes 2",
            )
        scenes.setdefault(sample.fields["scene"], []).append(i)
    following = {a: b for takes in scenes.values() for a, b in zip(takes, [*takes[1:], takes[0]], strict=True)}
    return [following[i] for i in range(len(samples))]


class StepSampler(Sampler[list[Draw]]):
    """The draws of each step: an endless sequence of shuffled epochs, divided into batches.

    The draws are a function of the seed and the step, so resuming needs no state. The batches do not depend on the
    number of processes: each process takes its part of every batch.

    Args:
        count: number of samples in the split.
        batch_size: batch size of all processes together.
        seed: seed of shuffling and mirroring.
        flip: mirror half of the draws.
        first_step: the first step.
        rank, world: index of this process, and number of processes.
        groups: the group of each sample; draws alternate between the groups. None means one group.
        shares: number of draws per group in each turn; 1 for groups that are not named.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        *,
        seed: int,
        flip: bool,
        first_step: int = 0,
        rank: int = 0,
        world: int = 1,
        groups: Sequence[str] | None = None,
        shares: Mapping[str, int] | None = None,
    ) -> None:
        if batch_size % world:
            raise InputError("data.batch_size", expected=f"a multiple of the {world} processes", found=str(batch_size))
        self.count, self.batch_size, self.seed, self.flip = count, batch_size, seed, flip
        self.first_step, self.rank, self.world = first_step, rank, world
        names = list(dict.fromkeys(groups or [""]))
        self._turn = [group for group, name in enumerate(names) for _ in range((shares or {}).get(name, 1))]
        self._groups = [np.array([i for i in range(count) if groups is None or groups[i] == name]) for name in names]
        self._epochs: dict[int, tuple[int, npt.NDArray[np.int64], npt.NDArray[np.bool_]]] = {}

    def __iter__(self) -> Iterator[list[Draw]]:
        step = self.first_step
        while True:
            yield self.draws(step)
            step += 1

    def draws(self, step: int) -> list[Draw]:
        """The draws of this process in one step."""
        share = self.batch_size // self.world
        start = step * self.batch_size + self.rank * share
        return [self._draw(position) for position in range(start, start + share)]

    def _draw(self, position: int) -> Draw:
        turn, slot = divmod(position, len(self._turn))
        group = self._turn[slot]
        members = self._groups[group]
        drawn = turn * self._turn.count(group) + self._turn[:slot].count(group)
        epoch, place = divmod(drawn, len(members))
        if group not in self._epochs or self._epochs[group][0] != epoch:
            rng = np.random.default_rng((self.seed, epoch, group) if group else (self.seed, epoch))
            self._epochs[group] = epoch, rng.permutation(len(members)), rng.random(len(members)) < 0.5
        _, order, mirror = self._epochs[group]
        return int(members[order[place]]), self.flip and bool(mirror[place])


def batches(
    dataset: FaceDataset,
    sampler: Sampler[list[Draw]],
    *,
    workers: int,
    pin: bool,
    batch_size: int = 1,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Batch]:
    """An endless iterator over batches, one per step.

    Loader processes ignore SIGINT and SIGTERM. The training process receives them, completes its step and ends the
    loader processes. They also end when the iterator raises an error or is deleted.

    Args:
        dataset: the samples.
        sampler: the draws of each step.
        workers: number of loader processes; 0 is used if shared memory is too small for their batches.
        pin: copy batches to pinned memory.
        batch_size: batch size of this process, which determines the shared memory that is needed.
        say: receives a message if no loader processes are started because of shared memory.
        stop: whether a stop is requested; if the iterator waits for a batch then, it ends within seconds.

    Raises:
        InputError: a sample is not readable; raised by the iterator at its batch.
        WorkError: a loader process died; raised by the iterator.
        Stopped: a stop is requested and no batch arrives; raised by the iterator.
    """
    if workers and (problem := shared_memory.too_small(dataset.bytes_per_sample * batch_size, workers)):
        say(f"{problem}: batches are loaded without loader processes; {shared_memory.HINT}")
        workers = 0
    loader: DataLoader[Item | MaskGANError] = DataLoader(
        _CapturedErrors(dataset),
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=_collate_or_propagate,
        pin_memory=pin,
        persistent_workers=workers > 0,
        timeout=_POLL if workers else 0,
        worker_init_fn=shared_memory.end_on_full if workers else None,
    )
    before = multiprocessing.active_children()
    with block_signals():
        loaded = iter(loader)
    return _stream(loaded, [child for child in multiprocessing.active_children() if child not in before], stop)


class _CapturedErrors(Dataset["Item | MaskGANError"]):
    """A data set that returns errors instead of raising them, because loader processes turn errors into tracebacks."""

    def __init__(self, dataset: FaceDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, draw: Draw) -> Item | MaskGANError:
        try:
            return self._dataset[draw]
        except MaskGANError as error:
            return error


def _collate_or_propagate(items: list[Item | MaskGANError]) -> Batch | MaskGANError:
    """A batch, or the first error among the items."""
    errors = [item for item in items if isinstance(item, MaskGANError)]
    return errors[0] if errors else collate([item for item in items if not isinstance(item, MaskGANError)])


def _stream(
    loaded: Iterator[Batch | MaskGANError], workers: list[BaseProcess], stop: Callable[[], bool]
) -> Iterator[Batch]:
    try:
        while (batch := _next(loaded, stop)) is not None:
            if isinstance(batch, MaskGANError):
                raise batch
            yield batch
    finally:
        del loaded  # ends the loader processes; a traceback could keep them alive and block the program's exit
        shared_memory.end_processes(workers)


def _next(loaded: Iterator[Batch | MaskGANError], stop: Callable[[], bool]) -> Batch | MaskGANError | None:
    """The next batch, or None after the last one.

    The loader's timeout interrupts the wait regularly, to check for a stop request.

    Raises:
        Stopped: a stop is requested, and no batch arrives within `_PATIENCE`.
        WorkError: a loader process died.
    """
    timeouts = 0
    while True:
        try:
            return next(loaded, None)
        except RuntimeError as error:
            if "timed out" not in str(error):
                raise shared_memory.loader_error(error) or error from error
        timeouts = timeouts + 1 if stop() else 0
        if timeouts * _POLL >= _PATIENCE:
            raise Stopped("stopped while waiting for a batch; run the same command to resume from the last saved state")


def collate(items: list[Item]) -> Batch:
    """Make a batch of samples."""
    indices, mirrored, pictures, labels, others = zip(*items, strict=True)
    other = (None, None) if others[0] is None else _stacked(*zip(*others, strict=True))
    return Batch(*_stacked(pictures, labels), torch.tensor(indices), torch.tensor(mirrored), *other)


def _stacked(pictures: Sequence[Picture], labels: Sequence[LabelMap]) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last in memory
    return images, torch.from_numpy(np.stack(labels))


def first_samples(dataset: FaceDataset, count: int) -> Batch:
    """The first samples of a split, not mirrored, for validation."""
    return collate([dataset[(i, False)] for i in range(min(count, len(dataset)))])
