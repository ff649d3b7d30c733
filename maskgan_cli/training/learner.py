"""One network and its Adam: what a task that trains a single network needs to update it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from maskgan_cli.config import OptimiserSettings
from maskgan_cli.data.dataset import Batch
from maskgan_cli.training.accumulate import Part, mean_terms
from maskgan_cli.training.processes import average_gradients, in_shares

Network = TypeVar("Network", bound=nn.Module)


class Learner(Generic[Network]):
    """A network on its device, with its optimiser.

    Args:
        name: of the network in a run's state.
        network: to train.
        settings: Adam's.
        accelerator: device, processes, precision.
        weight_decay: Adam's.
        rate: of this network, as a multiple of the recipe's learning rate.
    """

    def __init__(
        self, name: str, network: Network, settings: OptimiserSettings, accelerator: Accelerator, *,
        weight_decay: float = 0.0, rate: float = 1.0,
    ) -> None:  # fmt: skip
        place: dict[str, Any] = {"device": accelerator.device, "memory_format": torch.channels_last}
        self.network, self.accelerator = network.to(**place), accelerator
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        group = {"params": network.parameters(), "rate": rate}  # the loop multiplies the learning rate by it
        betas = (settings.beta1, settings.beta2)
        adam = Adam([group], lr=settings.lr * rate, betas=betas, weight_decay=weight_decay)
        self.optimiser = accelerator.prepare_optimizer(adam)
        self.part = Part()
        self.networks: Mapping[str, nn.Module] = {name: network}
        self.optimisers: Mapping[str, Optimizer] = {name: self.optimiser}

    @property
    def updates(self) -> int:
        """How many updates the network has had; Adam counts them, so a resumed run knows."""
        return max((int(state["step"]) for state in self.optimiser.state.values()), default=0)

    def update(self, loss: Tensor) -> None:
        """One step of Adam on the gradient of a loss, averaged over the processes.

        Where ``part`` is one of several, the gradient is added to those of the parts before, and Adam steps after the
        last part. Networks that the loss came through, and that are not this one, collect nothing.
        """
        if self.part.first:
            self.optimiser.zero_grad()
        self.accelerator.backward(self.part.share(loss), inputs=self.parameters)
        if not self.part.last:
            return
        average_gradients(self.accelerator, self.network)
        self.optimiser.step()

    def step_in_parts(self, parts: Sequence[Batch], step: Callable[[Batch], dict[str, Tensor]]) -> dict[str, Tensor]:
        """One step of Adam on a batch in parts, each of which ``step`` updates on; the mean losses."""
        terms = []
        for i, batch in enumerate(parts):
            self.part = Part(i, len(parts))
            terms.append(step(batch))
        self.part = Part()
        return mean_terms(terms)

    @torch.no_grad()
    def answers(self, inputs: Tensor, answer: Callable[[Tensor], Tensor], batch_size: int) -> Tensor:
        """What the network says in its state for inference, on the CPU; then it goes on training.

        During validation each process answers its share (`processes.in_shares`).

        Args:
            inputs: (N, ...), cut into batches that are brought to the device.
            answer: a batch of them -> (n, ...), calling the network.
            batch_size: how many at once.
        """

        def compute(rows: slice) -> Tensor:
            parts = torch.split(inputs[rows], batch_size)
            return torch.cat([answer(part.to(self.accelerator.device)) for part in parts])

        self.network.eval()
        try:
            return in_shares(len(inputs), compute)
        finally:
            self.network.train()
