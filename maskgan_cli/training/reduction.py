"""Averages gradients over the processes while the backward pass is still running."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, distributed, nn

BUCKET_BYTES: Final = 25 << 20  # size of the gradients in one message, as in DistributedDataParallel


@dataclass
class _Sent:
    """A running all-reduce of one bucket, i.e. of a group of gradients that are sent together.

    Attributes:
        gradients: the gradients of the bucket.
        flat: the same values in one flat tensor, which the all-reduce changes.
        work: handle to wait for the end of the all-reduce.
    """

    gradients: list[Tensor]
    flat: Tensor
    work: distributed.Work


class GradientReduction:
    """Replaces the gradients of parameters by their mean over all processes.

    The parameters are divided into buckets, the last layers first. A bucket is sent as soon as the backward pass has
    computed all gradients of the bucket; meanwhile, the backward pass computes the gradients of earlier layers. Buckets
    are sent in the same order in every process. If the processes have equal shares of a batch, the mean is the gradient
    of the whole batch.

    PyTorch's DistributedDataParallel does the same, but does not work here, because it expects one forward pass of one
    network for each backward pass. A step of a GAN backpropagates through a fixed discriminator, and EBST runs one
    generator three times.

    Args:
        parameters: the parameters whose gradients are averaged, in the same order in every process.
        bucket_bytes: minimum size of a bucket; the last bucket may be smaller.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], bucket_bytes: int = BUCKET_BYTES) -> None:
        self._buckets: list[list[nn.Parameter]] = []
        size = bucket_bytes
        for parameter in reversed(parameters):
            if size >= bucket_bytes:
                self._buckets.append([])
                size = 0
            self._buckets[-1].append(parameter)
            size += parameter.numel() * parameter.element_size()
        self._missing: list[int] = []  # gradients of each bucket that the backward pass has not computed yet
        self._next = 0  # index of the next bucket to send
        self._sent: list[_Sent] = []
        self._active = False
        for number, bucket in enumerate(self._buckets):
            for parameter in bucket:
                register: Any = parameter.register_post_accumulate_grad_hook
                register(lambda _, number=number: self._computed(number))

    @contextlib.contextmanager
    def during_backward(self) -> Iterator[None]:
        """Context manager in which to run one backward pass; yields None.

        On exit, all gradients have been replaced by their means over the processes.
        """
        self._missing = [len(bucket) for bucket in self._buckets]
        self._next, self._active = 0, True
        try:
            yield
            while self._next < len(self._buckets):  # buckets with parameters that got no gradient
                self._send()
            for sent in self._sent:
                sent.work.wait()
                sent.flat /= distributed.get_world_size()
                lengths = [gradient.numel() for gradient in sent.gradients]
                for gradient, mean in zip(sent.gradients, torch.split(sent.flat, lengths), strict=True):
                    gradient.copy_(mean.view(gradient.shape))
        finally:
            self._sent, self._active = [], False

    def _computed(self, number: int) -> None:
        """Count one more computed gradient in the bucket with index ``number``; then send all buckets that are due.

        The next bucket is due if all of its gradients have been computed.
        """
        if not self._active:
            return
        self._missing[number] -= 1
        while self._next < len(self._buckets) and self._missing[self._next] == 0:
            self._send()

    def _send(self) -> None:
        """Start the all-reduce of the next bucket."""
        gradients = [p.grad for p in self._buckets[self._next] if p.grad is not None]
        self._next += 1
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            work = distributed.all_reduce(flat, async_op=True)
            assert work is not None
            self._sent.append(_Sent(gradients, flat, work))
