"""Attribute accuracy (paper, Sec. 5.3): the share of results that a classifier sees the target's attribute in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, judged


def attribute_accuracy(
    results: Sequence[Path],
    wanted: Mapping[str, Sequence[int]],
    classify: Callable[[Tensor], Tensor],
    names: Sequence[str],
    watch: Watch,
) -> dict[str, float]:
    """Attribute -> share of the results that show (or lack) it as wanted.

    Args:
        wanted: attribute -> 1 or -1 for each result.
        classify: pictures -> probabilities (N, len(names)); from 0.5 on the attribute is there.
        names: what the classifier's columns are.

    Raises:
        InputError: nothing is wanted, or an attribute that the classifier does not know.
    """
    if not wanted:
        raise InputError("the pairs", expected="a column for each attribute the results must have", found="none",
                         hint="choose them with --protocol smiling, style-copy or identity")  # fmt: skip
    if unknown := [name for name in wanted if name not in names]:
        raise InputError("the classifier", expected=f"the attribute {unknown[0]}", found=", ".join(names))
    seen = torch.cat(list(judged(classify, results, watch))) >= 0.5
    return {
        name: float((seen[:, list(names).index(name)] == (torch.tensor(values) > 0)).double().mean())
        for name, values in wanted.items()
    }
