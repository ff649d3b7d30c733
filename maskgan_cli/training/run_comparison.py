"""Comparison of runs: reads the metrics of run folders, and draws their training curves."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from PIL import Image, ImageDraw, ImageFont

from maskgan_cli.errors import InputError
from maskgan_cli.files import Picture, unreadable
from maskgan_cli.training.best import goodness

_COLOURS: Final = ((31, 119, 180), (214, 39, 40), (44, 160, 44), (255, 127, 14), (148, 103, 189), (140, 86, 75))
_TEXT, _GRID, _BACKGROUND = (40, 40, 40), (225, 225, 225), (255, 255, 255)
_WIDTH, _HEIGHT, _MARGIN = 560, 300, 56  # size of a panel and its margin, in pixels


@dataclass(frozen=True)
class RunMetrics:
    """The logged metrics of a run.

    Attributes:
        name: name of the run folder.
        task: name of the trained task, from the recipe.
        steps: number of steps of the whole training, from the recipe.
        step: last step with metrics.
        series: for each metric's name, a list of pairs (step, value), in the order of the steps.
    """

    name: str
    task: str
    steps: int
    step: int
    series: dict[str, list[tuple[int, float]]]

    @classmethod
    def load(cls, where: Path) -> RunMetrics:
        """Read ``config.yaml`` and ``metrics.jsonl`` of a run folder; incomplete lines are skipped.

        Raises:
            InputError: the folder is not a run folder, or has no metrics.
        """
        try:
            recipe: Any = yaml.safe_load((where / "config.yaml").read_text("utf-8"))
            task, steps = str(recipe["task"]), int(recipe["schedule"]["steps"])
            lines = (where / "metrics.jsonl").read_text("utf-8").splitlines()
        except OSError as error:
            raise unreadable(where, error, "a run folder of `maskgan train` with metrics.jsonl") from error
        except (yaml.YAMLError, LookupError, TypeError, ValueError) as error:
            raise InputError(where / "config.yaml", expected="the recipe of a run", found="something else") from error
        series: dict[str, list[tuple[int, float]]] = {}
        last = 0
        for line in lines:
            try:
                values = json.loads(line)
                step = int(values.pop("step"))
            except (ValueError, LookupError, TypeError, AttributeError):
                continue
            last = max(last, step)
            for name, value in values.items():
                if isinstance(value, int | float) and math.isfinite(value):
                    series.setdefault(name, []).append((step, float(value)))
        if not series:
            raise InputError(where / "metrics.jsonl", expected="lines of metrics", found="none")
        return cls(where.resolve().name, task, steps, last, series)

    def last(self, metric: str) -> float | None:
        """Return the last value of a metric; None if the run does not have the metric."""
        return self.series[metric][-1][1] if metric in self.series else None

    def best(self, metric: str) -> tuple[int, float] | None:
        """Return the pair (step, value) with a metric's best value; None if the run does not have the metric."""
        if metric not in self.series:
            return None
        return max(self.series[metric], key=lambda pair: goodness(metric, pair[1]))


def metrics_of(runs: Sequence[RunMetrics], wanted: Sequence[str]) -> list[str]:
    """Choose the metrics to compare.

    Args:
        runs: the runs to compare.
        wanted: names of the metrics that the user wants; empty for a default choice.

    Returns:
        The names in ``wanted``, without duplicates. If ``wanted`` is empty: the validation metrics that all runs have,
        or, if they have none in common, the losses that all runs have.

    Raises:
        InputError: no run has a wanted metric, or the runs have no metric in common.
    """
    known = list(dict.fromkeys(name for run in runs for name in run.series))
    if unknown := [name for name in wanted if name not in known]:
        raise InputError("--metric", expected=f"one of {', '.join(known)}", found=unknown[0])
    if wanted:
        return list(dict.fromkeys(wanted))
    shared = [n for n in known if all(n in run.series for run in runs) and n not in ("lr", "images_per_second")]
    validated = [name for name in shared if name.startswith("val_") and "/" not in name]
    if not shared:
        raise InputError(
            "the runs", expected="a metric that all of them have", found="none", hint="name metrics with --metric"
        )
    return validated or [name for name in shared if "/" not in name]


def draw_curves(runs: Sequence[RunMetrics], metrics: Sequence[str]) -> Picture:
    """Draw the curves of metrics, and return a picture (H, W, 3) with one panel per metric and one line per run."""
    columns = min(2, len(metrics))
    rows = -(-len(metrics) // columns)
    head = 18 * len(runs) + 16
    image = Image.new("RGB", (columns * _WIDTH, head + rows * _HEIGHT), _BACKGROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(13)
    for i, run in enumerate(runs):
        y = 14 + 18 * i
        pen.line([(_MARGIN, y), (_MARGIN + 28, y)], fill=_colour(i), width=3)
        pen.text((_MARGIN + 38, y), f"{run.name} ({run.task})", fill=_TEXT, font=font, anchor="lm")
    for place, metric in enumerate(metrics):
        corner = (place % columns * _WIDTH, head + place // columns * _HEIGHT)
        _panel(pen, font, corner, metric, [run.series.get(metric, []) for run in runs])
    return np.asarray(image)


def _panel(
    pen: ImageDraw.ImageDraw,
    font: Any,
    corner: tuple[int, int],
    metric: str,
    lines: Sequence[Sequence[tuple[int, float]]],
) -> None:
    """Draw the panel of one metric.

    Args:
        pen, font: tools of Pillow.
        corner: top left corner (x, y) of the panel in pixels.
        metric: name of the metric, the title of the panel.
        lines: for each run, pairs (step, value); empty for a run without this metric.
    """
    values = [value for line in lines for _, value in line]
    low, high = min(values), max(values)
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    most = max(step for line in lines for step, _ in line) or 1
    left, top = corner[0] + _MARGIN + 16, corner[1] + 30
    width, height = _WIDTH - _MARGIN - 40, _HEIGHT - 70

    def at(step: int, value: float) -> tuple[float, float]:
        return left + width * step / most, top + height * (high - value) / (high - low)

    pen.text((left, corner[1] + 14), metric, fill=_TEXT, font=font, anchor="lm")
    for share in (0.0, 0.5, 1.0):
        value, step = low + share * (high - low), round(share * most)
        y, x = at(0, value)[1], at(step, low)[0]
        pen.line([(left, y), (left + width, y)], fill=_GRID)
        pen.text((left - 6, y), f"{value:.4g}", fill=_TEXT, font=font, anchor="rm")
        pen.text((x, top + height + 6), f"{step:,}", fill=_TEXT, font=font, anchor="mt")
    for i, line in enumerate(lines):
        points = [at(step, value) for step, value in line]
        if len(points) > 1:
            pen.line(points, fill=_colour(i), width=2)
        for x, y in points if len(points) < 40 else []:
            pen.ellipse([x - 2.5, y - 2.5, x + 2.5, y + 2.5], fill=_colour(i))


def _colour(i: int) -> tuple[int, int, int]:
    """Return the colour of the run with index ``i``."""
    return _COLOURS[i % len(_COLOURS)]
