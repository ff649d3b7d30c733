"""Loading of batches, in loader processes or in the training process."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Final

from torch.utils.data import DataLoader, Dataset, Sampler

from maskgan_cli.data import shared_memory
from maskgan_cli.data.dataset import Batch, FaceDataset, Item, collate
from maskgan_cli.data.draws import Draw
from maskgan_cli.errors import MaskGANError, Stopped
from maskgan_cli.workers import block_signals

_POLL: Final = 1  # seconds between checks for a stop request while waiting for a batch
_PATIENCE: Final = 5  # seconds to wait for the batch after a stop request


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
    """Return an endless iterator that yields one batch of faces for each training step.

    Loader processes ignore SIGINT and SIGTERM. The training process receives these signals, completes its step and ends
    the loader processes. The loader processes also end when the iterator raises an error or is deleted.

    Args:
        dataset: the samples.
        sampler: yields, for each step, which samples to load and which of them to mirror; e.g. a `StepSampler`.
        workers: number of loader processes; 0 is used if shared memory is too small for their batches.
        pin: copy batches to pinned memory.
        batch_size: batch size of this process, from which the needed shared memory is computed.
        say: function that receives a message if shared memory is too small for loader processes.
        stop: function that returns whether the user requested a stop. If so, an iterator that waits for a batch raises
            `Stopped` after a few seconds.

    Raises:
        InputError: a sample is not readable; raised by the iterator instead of the sample's batch.
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
    """Wrapper of a data set that returns errors instead of raising them.

    PyTorch would replace the message of an error that a loader process raises by a long traceback.
    """

    def __init__(self, dataset: FaceDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, draw: Draw) -> Item | MaskGANError:
        try:
            return self._dataset[draw]
        except MaskGANError as error:
            return error


def _collate_or_propagate(items: list[Item | MaskGANError]) -> Batch | MaskGANError:
    """Combine the items into a batch; if some of them are errors, return the first error instead."""
    errors = [item for item in items if isinstance(item, MaskGANError)]
    return errors[0] if errors else collate([item for item in items if not isinstance(item, MaskGANError)])


def _stream(
    loaded: Iterator[Batch | MaskGANError], workers: list[BaseProcess], stop: Callable[[], bool]
) -> Iterator[Batch]:
    """Yield the batches of a data loader. If the data loader returns an error instead of a batch, raise the error.

    When the iteration ends for any reason, the loader processes are killed.

    Args:
        loaded: iterator of the data loader over batches and errors.
        workers: the loader processes.
        stop: function that returns whether the user requested a stop.
    """
    try:
        while (batch := _next(loaded, stop)) is not None:
            if isinstance(batch, MaskGANError):
                raise batch
            yield batch
    finally:
        del loaded  # ends the loader processes; a traceback could keep them alive and block the program's exit
        shared_memory.end_processes(workers)


def _next(loaded: Iterator[Batch | MaskGANError], stop: Callable[[], bool]) -> Batch | MaskGANError | None:
    """Wait until a data loader returns its next batch or error, and return this batch or error; None after the last.

    The loader's timeout interrupts the wait every second to call ``stop``, which returns whether the user requested a
    stop.

    Raises:
        Stopped: a stop is requested, and no batch arrives within 5 seconds (`_PATIENCE`).
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
