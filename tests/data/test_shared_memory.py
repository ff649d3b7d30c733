"""Tests of loader processes with too little shared memory."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from maskgan_cli.data import shared_memory
from maskgan_cli.data.dataset import FaceDataset
from maskgan_cli.data.draws import StepSampler
from maskgan_cli.data.loader import batches
from maskgan_cli.data.prepared import PreparedData
from maskgan_cli.errors import Stopped, WorkError

LINUX = pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory of Linux")


def _stream(prepared: Path, **options: Any) -> Any:
    dataset = FaceDataset(PreparedData.load(prepared).split("train"), 64, cache=False)
    sampler = StepSampler(len(dataset), 4, seed=0, flip=False)
    return batches(dataset, sampler, workers=1, pin=False, batch_size=4, **options)


@LINUX
def test_no_loader_processes_without_enough_shared_memory(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100_000, 0, 100_000))
    said: list[str] = []
    stream = _stream(prepared, say=said.append)
    assert len(next(stream).images) == 4
    assert not multiprocessing.active_children()
    assert len(said) == 1
    for word in ("shared memory", "--shm-size", "--workers 0"):
        assert word in said[0]


def _cannot(*_: object) -> None:
    raise RuntimeError("unable to write to file </torch_1_2_3>: No space left on device (28)")


@LINUX
def test_a_batch_that_cannot_be_returned_raises_an_error(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from multiprocessing.reduction import ForkingPickler

    import torch
    from torch.multiprocessing import reductions

    monkeypatch.setitem(ForkingPickler._extra_reducers, torch.Tensor, _cannot)  # type: ignore[attr-defined]
    assert reductions is not None
    stream, begun = _stream(prepared), time.monotonic()
    with pytest.raises(WorkError, match=r"shared memory.*--shm-size.*--workers 0"):
        next(stream)
    assert time.monotonic() - begun < 20


def test_waiting_for_a_batch_ends_at_a_stop_request(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaceDataset, "__getitem__", lambda *_: time.sleep(600))
    stream, begun = _stream(prepared, stop=lambda: True), time.monotonic()
    with pytest.raises(Stopped, match="run the same command"):
        next(stream)
    assert time.monotonic() - begun < 15


def test_other_errors_are_not_changed() -> None:
    assert shared_memory.loader_error(RuntimeError("shapes differ")) is None
    killed = shared_memory.loader_error(
        RuntimeError(f"DataLoader worker (pid 5) is killed by signal: {signal.SIGKILL}")
    )
    assert killed is not None and "died" in str(killed)
    bus = shared_memory.loader_error(RuntimeError("DataLoader worker (pid 5) is killed by signal: Bus error. "))
    assert bus is not None and "full" in str(bus)
