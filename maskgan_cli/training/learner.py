"""Updates of networks with Adam, with gradient accumulation and in several processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Generic, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from maskgan_cli.config import OptimiserSettings
from maskgan_cli.training import accumulate
from maskgan_cli.training.accumulate import BatchPart, Inputs
from maskgan_cli.training.processes import in_shares
from maskgan_cli.training.reduction import GradientReduction

Network = TypeVar("Network", bound=nn.Module)


class AdamUpdate:
    """An Adam optimiser for the parameters of one or more networks. Call it to run the backward pass and the step.

    Args:
        networks: the networks to train.
        settings: learning rate and betas of Adam.
        accelerator: device, processes and precision.
        weight_decay: weight decay of Adam.
        rate: factor of the recipe's learning rate.
        decay: whether the learning rate follows the recipe's schedule; if False, it is constant.

    Attributes:
        optimiser: the Adam optimiser, wrapped by Accelerate.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        settings: OptimiserSettings,
        accelerator: Accelerator,
        *,
        weight_decay: float = 0.0,
        rate: float = 1.0,
        decay: bool = True,
    ) -> None:
        self._accelerator = accelerator
        parameters = [parameter for network in networks for parameter in network.parameters()]
        self._trained = [parameter for parameter in parameters if parameter.requires_grad]
        self._reduction = GradientReduction(self._trained) if accelerator.num_processes > 1 else None
        self._collected: list[Tensor | None] = []
        group = {"params": parameters, "rate": rate, "decay": decay}  # the loop sets the learning rate from these
        betas = (settings.beta1, settings.beta2)
        adam = Adam([group], lr=settings.lr * rate, betas=betas, weight_decay=weight_decay)
        self.optimiser: Optimizer = accelerator.prepare_optimizer(adam)

    def __call__(
        self,
        loss: Tensor,
        part: BatchPart,
        *,
        retain_graph: bool = False,
        through: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """Backpropagate a loss into the trained networks only; after the last part of a batch, step Adam.

        Gradients are averaged over the processes during the backward pass of the last part.

        Args:
            loss: mean loss of one part of the batch.
            part: position of this part in the batch.
            retain_graph: keep the graph, for the backward pass of another loss.
            through: generated pictures and a detached copy of these pictures, if ``loss`` was computed from the copy.
                The gradient of the copy is then backpropagated through the pictures' graph, which is freed even with
                ``retain_graph``. The resulting gradients are bitwise the same as without the copy.
        """
        if part.first:
            self.optimiser.zero_grad()
        self._backpropagate(loss, part, retain_graph=retain_graph, through=through)
        if part.last:
            self.optimiser.step()

    def collect(self, loss: Tensor, part: BatchPart, *, retain_graph: bool = False) -> None:
        """Backpropagate a loss, and store the gradients until `step` is called.

        If several optimisers share parameters, all losses can thus be backpropagated before the first optimiser steps.

        Args:
            loss: mean loss of one part of the batch.
            part: position of this part in the batch; the gradients of all parts are added up.
            retain_graph: keep the graph, for the backward pass of another loss.
        """
        for parameter, gradient in zip(self._trained, self._collected or [None] * len(self._trained), strict=True):
            parameter.grad = None if part.first else gradient
        self._backpropagate(loss, part, retain_graph=retain_graph)
        self._collected = [parameter.grad for parameter in self._trained]
        for parameter in self._trained:
            parameter.grad = None

    def step(self) -> None:
        """Step Adam with the gradients that `collect` stored."""
        for parameter, gradient in zip(self._trained, self._collected, strict=True):
            parameter.grad = gradient
        self._collected = []
        self.optimiser.step()

    def _backpropagate(
        self,
        loss: Tensor,
        part: BatchPart,
        *,
        retain_graph: bool = False,
        through: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """Run the backward pass, and for the last part of a batch, average the gradients over the processes.

        The arguments are those of `__call__`.
        """
        reduction = self._reduction if part.last else None
        with nullcontext() if reduction is None else reduction.during_backward():
            if through is None:
                self._accelerator.backward(part.share(loss), inputs=self._trained, retain_graph=retain_graph)
            else:
                picture, copy = through
                self._accelerator.backward(part.share(loss), inputs=[copy], retain_graph=retain_graph)
                torch.autograd.backward(picture, copy.grad, inputs=self._trained)
                copy.grad = None


class Learner(Generic[Network]):
    """Trains one network with Adam: backward pass, step, gradient accumulation and prediction.

    Args:
        name: name of the network and of its optimiser in a checkpoint.
        network: the network to train; it is moved to the device.
        settings: learning rate and betas of Adam.
        accelerator: device, processes and precision.
        weight_decay: weight decay of Adam.
        rate: factor of the recipe's learning rate.
    """

    def __init__(
        self,
        name: str,
        network: Network,
        settings: OptimiserSettings,
        accelerator: Accelerator,
        *,
        weight_decay: float = 0.0,
        rate: float = 1.0,
    ) -> None:
        place: dict[str, Any] = {"device": accelerator.device, "memory_format": torch.channels_last}
        self.network, self.accelerator = network.to(**place), accelerator
        self._adam = AdamUpdate([network], settings, accelerator, weight_decay=weight_decay, rate=rate)
        self.part = BatchPart()
        self.networks: Mapping[str, nn.Module] = {name: network}
        self.optimisers: Mapping[str, Optimizer] = {name: self._adam.optimiser}

    @property
    def updates(self) -> int:
        """Number of updates so far. Adam's state stores the number, so a resumed run continues to count."""
        return max((int(state["step"]) for state in self._adam.optimiser.state.values()), default=0)

    def update(self, loss: Tensor) -> None:
        """Backpropagate a loss into this network only; after the last part of a batch, step Adam.

        Args:
            loss: mean loss of the current part of the batch.
        """
        self._adam(loss, self.part)

    def step_in_parts(self, parts: Sequence[Inputs], step: Callable[[Inputs], dict[str, Tensor]]) -> dict[str, Tensor]:
        """Make one update of the network on a batch that is divided into parts (gradient accumulation).

        Args:
            parts: for each part of the batch, the argument of ``step``.
            step: function that computes the losses of a part, calls `update` once, and returns a dict from the names of
                the losses to their values.

        Returns:
            A dict from the names of the losses to their means over the parts.
        """
        return accumulate.step_in_parts(self, parts, step)

    @torch.no_grad()
    def predict(self, inputs: Tensor, apply: Callable[[Tensor], Tensor], batch_size: int) -> Tensor:
        """Apply the network in evaluation mode, batch by batch; afterwards the network is in training mode again.

        During validation each process computes a share of the outputs (`processes.in_shares`).

        Args:
            inputs: all inputs (N, ...); each batch is moved to the device.
            apply: function that calls the network on a batch (n, ...) and returns its outputs (n, ...).
            batch_size: largest number n of inputs in a batch.

        Returns:
            All outputs (N, ...) on the CPU.
        """

        def compute(rows: slice) -> Tensor:
            parts = torch.split(inputs[rows], batch_size)
            return torch.cat([apply(part.to(self.accelerator.device)) for part in parts])

        self.network.eval()
        try:
            return in_shares(len(inputs), compute)
        finally:
            self.network.train()
