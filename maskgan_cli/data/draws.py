"""The sampler that selects the samples of each training step. The selection depends only on the seed and the step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from torch.utils.data import Sampler

from maskgan_cli.errors import InputError

Draw = tuple[int, bool]  # index of a sample, and whether to mirror it


class StepSampler(Sampler[list[Draw]]):
    """Batch sampler that yields, for each training step, a list of (index of a sample, whether to mirror the sample).

    The samples of all steps are an endless sequence of shuffled epochs, divided into batches. A batch depends only on
    the seed and the step, so a resumed run needs no sampler state. Batches are the same for any number of processes:
    each process loads its part of every batch.

    Args:
        count: number of samples in the split.
        batch_size: batch size of all processes together.
        seed: seed of shuffling and mirroring.
        flip: mirror each draw with a probability of 0.5.
        first_step: the step to start with.
        rank, world: index of this process, and number of processes.
        groups: name of each sample's group. The sampler alternates between the groups; None means that all samples
            are in one group.
        shares: group name -> number of consecutive samples that are drawn from this group before the next group
            follows; 1 for groups that are not named.
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
        """Return the samples that this process loads in one step, as a list of (index, whether to mirror)."""
        share = self.batch_size // self.world
        start = step * self.batch_size + self.rank * share
        return [self._draw(position) for position in range(start, start + share)]

    def _draw(self, position: int) -> Draw:
        """Return (index, whether to mirror) of the sample at a position in the endless sequence of all steps."""
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
