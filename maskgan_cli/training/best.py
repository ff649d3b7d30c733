"""Which values of a metric are better; used to choose the best checkpoint, and in tables of runs."""

from __future__ import annotations

from typing import Final

_HIGHER_IS_BETTER: Final = ("psnr", "accuracy", "iou", "auc", "tar", "correlation")


def goodness(metric: str, value: float) -> float:
    """Return a score that is higher for a better value of the metric called ``metric``.

    Sharpness is relative to that of the photos, so its best value is 1.
    """
    if "sharpness" in metric:
        return -abs(value - 1)
    return value if more_is_better(metric) else -value


def more_is_better(metric: str) -> bool:
    """Return whether higher values of the metric called ``metric`` are better."""
    return any(word in metric for word in _HIGHER_IS_BETTER)
