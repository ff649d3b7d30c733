"""Identity accuracy (paper, Sec. 5.4): proportion of results that show the same person as their source.

ArcFace (Deng et al. 2019) decides whether two pictures show one person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, load_judge, predictions
from maskgan_cli.evaluation.method_results import MethodResults
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.results import MetricResult, trace, weights_of
from maskgan_cli.evaluation.verification import read_threshold
from maskgan_cli.metrics.intervals import of_mean, wilson


class IdentityAccuracy:
    """Measures the proportion of results that show the same person as their source (the face that was edited).

    Implements `method_results.ResultMetric`.

    Args:
        embed: function of pictures (N, 3, S, S) that returns identity embeddings (N, D), normalised or not.
        sources: the source of each result, in the same order; the constructor computes their embeddings.
        threshold: two faces count as one person if the cosine similarity of their embeddings is at least this.
        watch: wraps the batches of sources in an iterator that shows the progress, see `judging.Watch`.
        record: dict with name, path and hash of the network's weights (see `weights_of`), stored with the result.
    """

    def __init__(
        self,
        embed: Callable[[Tensor], Tensor],
        sources: Sequence[Path],
        threshold: float,
        watch: Watch,
        record: dict[str, Any] | None = None,
    ) -> None:
        self._embed, self._sources, self.threshold, self._record = embed, list(sources), threshold, record
        self._expected = torch.cat(list(predictions(embed, sources, watch))).double()
        self._found: list[Tensor] = []

    @classmethod
    def load(
        cls, listed: PairList, weights: Path | None, threshold: float | Path | None, device: torch.device, watch: Watch
    ) -> IdentityAccuracy:
        """Load an identity network, and create the metric for the results of a list of pairs.

        Args:
            listed: the pairs.
            weights: weights file of the network; None: the default file, see `find_weights`.
            threshold: the threshold, or a file of ``maskgan eval verify`` that contains it; None: the threshold that
                is stored with the weights.
            device: device of the network.
            watch: see the class.

        Raises:
            InputError: there is no threshold; see also `load_judge` and `read_threshold`.
        """
        judge, where = load_judge("identity", weights, device)
        cosine_threshold = read_threshold(threshold, judge) if isinstance(threshold, Path) else threshold
        cosine_threshold = judge.threshold if cosine_threshold is None else cosine_threshold
        if cosine_threshold is None:
            raise InputError(
                where,
                expected="a network with a threshold",
                found="none",
                hint="give one with --threshold, or choose one with `maskgan eval verify DATA --weights FILE "
                "--points crop -o t.json` and add --threshold-from t.json",
            )
        return cls(judge, listed.files("source"), cosine_threshold, watch, weights_of(judge, where))

    def update(self, images: Tensor) -> None:
        """Add the next batch of results (N, 3, S, S) ``uint8`` to the metric."""
        self._found.append(self._embed(images).cpu())

    def cosines(self) -> npt.NDArray[np.float64]:
        """Return the cosine similarity (N,), from -1 to 1, between the embedding of each result and that of its source.

        Raises:
            InputError: embeddings are NaN or zero.
        """
        cosines: npt.NDArray[np.float64] = cosine(torch.cat(self._found).double(), self._expected).numpy()
        if not np.isfinite(cosines).all():
            raise InputError("the identity network", expected="finite embeddings", found="NaN or zero for some faces")
        return cosines

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the proportion of results whose cosine similarity reaches the threshold, and the mean similarity."""
        cosines = self.cosines()
        same = cosines >= self.threshold
        return results.result(
            "identity_accuracy",
            float(same.mean()),
            {"identity": self._record or {}},
            values={"identity_cosine": float(cosines.mean())},
            details={"threshold": self.threshold},
            intervals={"identity_accuracy": wilson(int(same.sum()), len(same)), "identity_cosine": of_mean(cosines)},
            inputs={"sources": trace(self._sources[0].parent, self._sources)},
        )


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine similarities (N,) of the corresponding rows of two matrices (N, D); NaN if a row is zero."""
    lengths: Tensor = a.norm(dim=1) * b.norm(dim=1)
    return (a * b).sum(1) / lengths
