"""Training in several processes: checks that their inputs are equal, and divides the validation among the processes."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import torch
from accelerate import Accelerator
from torch import Tensor

from maskgan_cli.errors import InputError

_SHARING: ContextVar[Accelerator | None] = ContextVar("sharing", default=None)


def check_agreement(accelerator: Accelerator, what: str, value: object, hint: str) -> None:
    """Check that a value is the same in all processes, which may be on several machines.

    Args:
        accelerator: connects the processes.
        what: description of the value, for the error message.
        value: this process's value; the values are compared as text.
        hint: advice for the user, for the error message.

    Raises:
        InputError: the values differ; raised in every process.
    """
    if accelerator.num_processes == 1:
        return
    digest = hashlib.sha256(str(value).encode()).digest()
    own = torch.tensor([int.from_bytes(digest[:7], "big")], device=accelerator.device)
    if accelerator.gather(own).unique().numel() > 1:
        raise InputError(what, expected="the same in all processes", found=f"different ones (here: {value})", hint=hint)


@contextlib.contextmanager
def shared(accelerator: Accelerator) -> Iterator[None]:
    """Context manager inside which `in_shares` divides the rows to compute among the processes; yields None.

    All processes must enter the context together.
    """
    token = _SHARING.set(accelerator)
    try:
        yield
    finally:
        _SHARING.reset(token)


def in_shares(count: int, compute: Callable[[slice], Tensor]) -> Tensor:
    """Compute a tensor row by row, e.g. one row for each face, and return the whole tensor.

    Inside the context `shared`, each process computes an equal share of the rows, and all processes exchange their
    shares. Outside of the context, this process computes all rows.

    Args:
        count: number of rows of the whole result, at least 1.
        compute: function from a slice of row numbers to the tensor of these rows; its result for a slice must be the
            same in every process.

    Returns:
        All rows (count, ...) on the CPU, in every process.
    """
    accelerator = _SHARING.get()
    if accelerator is None or accelerator.num_processes == 1:
        return compute(slice(0, count)).cpu()
    world = accelerator.num_processes
    size = -(-count // world)
    starts = [min(rank * size, count - size) for rank in range(world)]  # the last shares overlap, so all are equal
    first = starts[accelerator.process_index]
    share = compute(slice(first, first + size)).to(accelerator.device)
    gathered = accelerator.gather(share).cpu()
    whole: Tensor = gathered.new_empty((count, *gathered.shape[1:]))
    for rank, start in enumerate(starts):
        whole[start : start + size] = gathered[rank * size : (rank + 1) * size]
    return whole
