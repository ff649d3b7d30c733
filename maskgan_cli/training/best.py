"""Which of two values of a measure is better, for the best checkpoint and for comparing runs."""

from __future__ import annotations

from typing import Final

_RISING: Final = ("psnr", "accuracy", "iou", "auc", "tar", "correlation")


def goodness(metric: str, value: float) -> float:
    """A number that is the larger, the better the value is; sharpness is best at 1, the sharpness of the photos."""
    if "sharpness" in metric:
        return -abs(value - 1)
    return value if more_is_better(metric) else -value


def more_is_better(metric: str) -> bool:
    """Whether a metric rises while a training goes well."""
    return any(word in metric for word in _RISING)
