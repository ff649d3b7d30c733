"""Distance between results and their ground truth, inside and outside the edited region.

A rendered face can be drawn a second time with another mouth and everything else equal, so the ground truth of a swap
exists.
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
    """Files of a result and of its ground truth; the edited region is where the two masks differ."""

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
    """Compare results with their ground truth, at the results' size.

    ``identity_inside`` is the cosine between the truth and the truth with the result's pixels in the edited region;
    ``identity_outside`` is the cosine between the truth and the truth with the result's pixels outside of it. A pair
    without an edited region counts only for values outside.

    Args:
        pairs: the files.
        distance: perceptual distance of pictures.
        embed: pictures -> embeddings, see `maskgan_cli.judges`; None: identity is not measured.
        watch: passes the pairs through and shows the progress.

    Returns:
        Means over the pairs and their 95 % intervals, by name.
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
    inside, outside = (np.where(region[..., None], result, truth) for region in (edited, ~edited))
    stack = torch.from_numpy(np.stack([truth, result, inside, outside])).permute(0, 3, 1, 2)
    vectors = embed(stack).cpu().double()
    values = cosine(vectors[1:], vectors[:1].expand(3, -1)).tolist()
    names = ("identity_cosine", "identity_inside", "identity_outside")
    return dict(zip(names, values, strict=True))
