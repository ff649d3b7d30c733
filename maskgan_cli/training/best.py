"""Tells which values of a metric are better; used to choose the best checkpoint, and in tables of runs."""

from __future__ import annotations

from typing import Final

_HIGHER_IS_BETTER: Final = ("psnr", "accuracy", "iou", "auc", "tar", "correlation")


def goodness(metric: str, value: float) -> float:
    """Return a score that is higher for a better value of the metric called ``metric``.

    The score is ``value`` or ``-value``. For metrics of sharpness, it is ``-abs(value - 1)``: the sharpness of
    generated faces is divided by the sharpness of photos, so 1 is best.
    """
    if "sharpness" in metric:
        return -abs(value - 1)
    return value if more_is_better(metric) else -value


def more_is_better(metric: str) -> bool:
    """Return whether higher values of the metric called ``metric``, e.g. ``val_psnr``, are better."""
    return any(word in metric for word in _HIGHER_IS_BETTER)
