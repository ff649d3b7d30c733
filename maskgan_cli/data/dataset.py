"""Prepared data set -> batches. Which sample is drawn when depends on the seed and the step alone."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
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

_TICK: Final = 1  # seconds; how often a stream that waits for a batch looks whether the user asked to stop
_PATIENCE: Final = 5  # seconds that it waits for the batch after that

Draw = tuple[int, bool]  # index of a sample, and whether to mirror it
Face = tuple[Picture, LabelMap]
Item = tuple[int, bool, Picture, LabelMap, Face | None]


@dataclass(frozen=True)
class Batch:
    """Faces as bytes, on their way to the device.

    Attributes:
        images: (N, 3, H, W) ``uint8``.
        labels: (N, H, W) ``uint8`` class ids; (N, 0, 0) where the task looks at images only.
        indices: (N,) which samples of the split these are.
        mirrored: (N,) ``bool``, whether left and right were exchanged.
        other_images, other_labels: the same scenes with another expression, of the same shapes; None where the
            task does not ask for takes.
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
        samples: of one prepared data set.
        size: the side the network wants.
        cache: keep every decoded sample in memory (4 bytes a pixel).
        masked: read the label maps too.
        takes: with each face another of its scene, the next in the list; the same where there is none.

    Raises:
        InputError: takes are asked for, and the samples do not say of which scenes they are.
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
        """What a sample takes in a batch."""
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
                    path, expected=f"{self.size}x{self.size}", found=f"{array.shape[1]}x{array.shape[0]}",
                    hint="prepare the data set at the network's size (`maskgan prep-data --size`)",
                )  # fmt: skip
        if self._cache is not None:
            self._cache[index] = (picture, labels)
        return picture, labels


def _next_takes(samples: list[Sample]) -> list[int]:
    """For each sample the next one of its scene, the first after the last."""
    scenes: dict[str, list[int]] = {}
    for i, sample in enumerate(samples):
        if "scene" not in sample.fields:
            raise InputError(
                sample.image, expected="its scene in manifest.csv", found="none",
                hint="look.takes is for rendered faces: maskgan synth ... --takes 2",
            )  # fmt: skip
        scenes.setdefault(sample.fields["scene"], []).append(i)
    following = {a: b for takes in scenes.values() for a, b in zip(takes, [*takes[1:], takes[0]], strict=True)}
    return [following[i] for i in range(len(samples))]


class StepSampler(Sampler[list[Draw]]):
    """The draws of each step: an endless walk through shuffled epochs, cut into batches.

    Being a pure function of (seed, step), it needs no state to resume, and every number of
    processes sees the same batches: each takes its slice.

    Args:
        count: samples in the split.
        batch_size: of all processes together.
        seed: decides the shuffles and the mirroring.
        flip: mirror half of the draws.
        first_step: where to start.
        rank, world: this process and how many there are.
        groups: which group each sample belongs to; draws take turns between groups. One group if None.
        shares: how many draws of each turn go to a group; 1 if it is not named.
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
        """This process's draws of one step."""
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
    """An endless stream of batches, one per step.

    Loader processes do not hear SIGINT and SIGTERM: the process that trains hears them, goes on to the end
    of its step and ends the loaders itself. They end when the stream does: by what is wrong with a sample, or
    because nobody holds it any more.

    Args:
        dataset: the samples.
        sampler: the draws of each step.
        workers: loader processes; none are started where shared memory has no room for their batches.
        pin: copy batches to pinned memory.
        batch_size: samples in this process's batches, to know how much shared memory they need.
        say: told when no loader processes are started though some were asked for.
        stop: whether the user asked to stop; a stream that waits for a batch then ends within seconds.

    Raises:
        InputError: a sample cannot be read; by the stream, when its batch is asked for.
        WorkError: a loader process died; likewise.
        Stopped: asked to stop while no batch comes; likewise.
    """
    if workers and (trouble := shared_memory.too_small(dataset.bytes_per_sample * batch_size, workers)):
        say(f"{trouble}: batches are loaded without loader processes; {shared_memory.HINT}")
        workers = 0
    loader: DataLoader[Item | MaskGANError] = DataLoader(
        _Told(dataset), batch_sampler=sampler, num_workers=workers, collate_fn=_collate_or_tell, pin_memory=pin,
        persistent_workers=workers > 0, timeout=_TICK if workers else 0,
        worker_init_fn=shared_memory.end_on_full if workers else None,
    )  # fmt: skip
    before = multiprocessing.active_children()
    with _deaf():
        loaded = iter(loader)
    return _stream(loaded, [child for child in multiprocessing.active_children() if child not in before], stop)


class _Told(Dataset["Item | MaskGANError"]):
    """A data set that hands over what is wrong with a sample: raised in a loader, it would arrive as its traceback."""

    def __init__(self, dataset: FaceDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, draw: Draw) -> Item | MaskGANError:
        try:
            return self._dataset[draw]
        except MaskGANError as error:
            return error


def _collate_or_tell(items: list[Item | MaskGANError]) -> Batch | MaskGANError:
    wrong = [item for item in items if isinstance(item, MaskGANError)]
    return wrong[0] if wrong else collate([item for item in items if not isinstance(item, MaskGANError)])


def _stream(
    loaded: Iterator[Batch | MaskGANError], workers: list[BaseProcess], stop: Callable[[], bool]
) -> Iterator[Batch]:
    try:
        while (batch := _next(loaded, stop)) is not None:
            if isinstance(batch, MaskGANError):
                raise batch
            yield batch
    finally:
        del loaded  # ends the loader's processes: a traceback would keep them, and the program's end waits for them
        shared_memory.end_processes(workers)


def _next(loaded: Iterator[Batch | MaskGANError], stop: Callable[[], bool]) -> Batch | MaskGANError | None:
    """The next batch; None after the last. The loader is asked in ticks, to hear that the user wants to stop."""
    ticks = 0
    while True:
        try:
            return next(loaded, None)
        except RuntimeError as error:
            if "timed out" not in str(error):
                raise shared_memory.loader_error(error) or error from error
        ticks = ticks + 1 if stop() else 0
        if ticks * _TICK >= _PATIENCE:
            raise Stopped("stopped while waiting for a batch; run the same command to go on from the last saved state")


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started in this block never see SIGINT or SIGTERM; this one sees them after it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def collate(items: list[Item]) -> Batch:
    """Samples -> one batch."""
    indices, mirrored, pictures, labels, others = zip(*items, strict=True)
    other = (None, None) if others[0] is None else _stacked(*zip(*others, strict=True))
    return Batch(*_stacked(pictures, labels), torch.tensor(indices), torch.tensor(mirrored), *other)


def _stacked(pictures: Sequence[Picture], labels: Sequence[LabelMap]) -> tuple[Tensor, Tensor]:
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)  # channels last in memory
    return images, torch.from_numpy(np.stack(labels))


def first_samples(dataset: FaceDataset, count: int) -> Batch:
    """The first samples of a split, unmirrored: the same faces in every validation."""
    return collate([dataset[(i, False)] for i in range(min(count, len(dataset)))])
