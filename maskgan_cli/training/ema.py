"""Exponential moving average of a generator's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def moving_average(decay: float, warmup: bool) -> Callable[[Any, Any, Any], None]:
    """Return a function for the argument ``multi_avg_fn`` of torch's `AveragedModel`.

    Each call of the function updates the averages of all weights in place, as exponential moving averages.

    Args:
        decay: weight of the old average: average = decay * average + (1 - decay) * current.
        warmup: limit the decay to (1 + n) / (10 + n) after n updates.
    """

    @torch.no_grad()
    def update(averages: Any, current: Any, count: Any) -> None:
        n = int(count)
        kept = min(decay, (1 + n) / (10 + n)) if warmup else decay
        torch._foreach_lerp_(averages, current, 1 - kept)

    return update
