"""Compares two values of a measure, for the best checkpoint and for tables of runs."""

from __future__ import annotations

from typing import Final

_HIGHER_IS_BETTER: Final = ("psnr", "accuracy", "iou", "auc", "tar", "correlation")


def goodness(metric: str, value: float) -> float:
    """A score that is higher for better values. Sharpness is best at 1, the sharpness of the photos."""
    if "sharpness" in metric:
        return -abs(value - 1)
    return value if more_is_better(metric) else -value


def more_is_better(metric: str) -> bool:
    """Whether higher values of a metric are better."""
    return any(word in metric for word in _HIGHER_IS_BETTER)
