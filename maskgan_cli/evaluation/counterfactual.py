"""Distance between results and their ground truth, inside and outside the edited region.

A rendered face can be rendered a second time with another mouth, while everything else stays the same. This second
picture (a counterfactual) is the correct result, or ground truth, of an edit that changes the mouth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.evaluation.feature_distance import FeatureDistance
from maskgan_cli.evaluation.identity import cosine
from maskgan_cli.files import Picture, read_image, read_label_map
from maskgan_cli.metrics.intervals import Interval, of_mean
from maskgan_cli.metrics.similarity import Region, compare, mean_over


@dataclass(frozen=True)
class RenderedPair:
    """The files of a result and of its ground truth, the correct result.

    The edited region consists of the pixels at which the mask of the source (``source_mask``) and the mask of the
    ground truth (``truth_mask``) differ.
    """

    result: Path
    source_mask: Path
    truth: Path
    truth_mask: Path


def against_truth(
    pairs: Sequence[RenderedPair],
    distance: FeatureDistance,
    embed: Callable[[Tensor], Tensor] | None,
    watch: Callable[[Sequence[RenderedPair], int], Iterator[RenderedPair]],
) -> tuple[dict[str, float], dict[str, Interval]]:
    """Compare results with their ground truth, which is resized to the size of the results.

    The values are PSNR, SSIM, perceptual distance and identity, each inside and outside the edited region.
    ``identity_cosine`` is the cosine similarity of the identity embeddings of result and ground truth.
    ``identity_inside`` shows the effect of the edited region alone: the pixels of the result outside of the region are
    replaced by those of the ground truth. For ``identity_outside``, the pixels inside are replaced. If a pair has no
    edited region, it has no PSNR, SSIM and perceptual distance inside.

    Args:
        pairs: the files of each result and of its ground truth.
        distance: computes the perceptual distance of two pictures.
        embed: function of pictures (N, 3, S, S) that returns their embeddings (N, D), see `maskgan_cli.judges`; None:
            identity is not measured.
        watch: wraps the pairs in an iterator that shows the progress, see `judging.Watch`.

    Returns:
        two dicts whose keys are the names of the values, e.g. ``psnr_inside``: the mean of each value over the pairs
        that have it, and the 95 % interval (low, high) of this mean.
    """
    rows: list[dict[str, float]] = []
    for pair in watch(pairs, len(pairs)):
        result = read_image(pair.result)
        truth = resize_image(read_image(pair.truth), len(result))
        before, after = (resize_labels(read_label_map(m), len(result)) for m in (pair.source_mask, pair.truth_mask))
        edited: Region = before != after
        row = dict(vars(compare(result, truth, edited)))
        apart = distance(result, truth)
        row |= {
            "feature_distance_inside": mean_over(apart, edited),
            "feature_distance_outside": mean_over(apart, ~edited),
        }
        if embed is not None:
            row |= _identity(result, truth, edited, embed)
        rows.append(row)
    known = {name: [row[name] for row in rows if not np.isnan(row[name])] for name in rows[0]}
    means = {name: float(np.mean(values)) if values else float("nan") for name, values in known.items()}
    return means, {name: of_mean(values) for name, values in known.items()}


def _identity(result: Picture, truth: Picture, edited: Region, embed: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Return a dict with ``identity_cosine``, ``identity_inside`` and ``identity_outside`` of a result.

    `against_truth` describes these values. ``edited`` is True for the pixels of the edited region.
    """
    inside, outside = (np.where(region[..., None], result, truth) for region in (edited, ~edited))
    stack = torch.from_numpy(np.stack([truth, result, inside, outside])).permute(0, 3, 1, 2)
    vectors = embed(stack).cpu().double()
    values = cosine(vectors[1:], vectors[:1].expand(3, -1)).tolist()
    names = ("identity_cosine", "identity_inside", "identity_outside")
    return dict(zip(names, values, strict=True))
