"""Compare results of the demo with the ground truth, by PSNR and SSIM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from maskgan_cli.data.resize import resize_image
from maskgan_cli.files import read_image, read_label_map
from maskgan_cli.metrics.similarity import compare


def against_truth(
    pairs: Sequence[Mapping[str, str]], methods: Mapping[str, Sequence[Path]]
) -> dict[str, dict[str, float]]:
    """Return a dict from each method to the mean PSNR (dB) and SSIM of its results, inside and outside the edit.

    Results are resized to the size of the ground truth. The edited region is where the ground truth's mask differs from
    the source's mask.

    Args:
        pairs: rows of the CSV file that ``maskgan eval pairs --protocol counterfactual`` writes.
        methods: dict from a method's name to its results, one picture file per pair.

    Returns:
        For each method a dict with the keys ``psnr_inside``, ``psnr_outside``, ``ssim_inside`` and ``ssim_outside``;
        each value is the mean over the pairs.
    """
    table: dict[str, dict[str, float]] = {}
    for name, paths in methods.items():
        values: list[list[float]] = []
        for row, path in zip(pairs, paths, strict=True):
            truth = read_image(row["truth"])
            edited = read_label_map(row["source_mask"]) != read_label_map(row["truth_mask"])
            values.append(list(vars(compare(resize_image(read_image(path), len(truth)), truth, edited)).values()))
        means = np.nanmean(np.array(values), axis=0)
        names = ("psnr_inside", "psnr_outside", "ssim_inside", "ssim_outside")
        table[name] = {key: round(float(value), 3) for key, value in zip(names, means, strict=True)}
    return table
