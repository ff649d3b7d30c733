"""Identity (paper, Sec. 5.3): is the result still the source's person, by ArcFace (Deng et al. 2019)?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, judged


@dataclass(frozen=True)
class Verification:
    """Pairs of faces, verified.

    Attributes:
        accuracy: share of the pairs whose cosine is at least the threshold.
        cosine: mean cosine similarity of the embeddings, -1 to 1.
    """

    accuracy: float
    cosine: float


def verify(
    results: Sequence[Path], sources: Sequence[Path], embed: Callable[[Tensor], Tensor], threshold: float, watch: Watch
) -> Verification:
    """Compare each result with its source, by embeddings (N, D) of any length.

    Raises:
        InputError: unreadable pictures, or embeddings that are no numbers.
    """
    found, expected = (torch.cat(list(judged(embed, paths, watch))).double() for paths in (results, sources))
    cosines = cosine(found, expected).numpy()
    if not np.isfinite(cosines).all():
        raise InputError("the identity network", expected="finite embeddings", found="NaN or zero for some faces")
    return Verification(float((cosines >= threshold).mean()), float(cosines.mean()))


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosine similarity (N,) of the rows of two matrices (N, D); NaN where a row is zero."""
    lengths: Tensor = a.norm(dim=1) * b.norm(dim=1)
    return (a * b).sum(1) / lengths
