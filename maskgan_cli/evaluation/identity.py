"""Identity (paper, Sec. 5.4): is the result still the source's person, by ArcFace (Deng et al. 2019)?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import Watch, judged, load_judge
from maskgan_cli.evaluation.pair_list import PairList
from maskgan_cli.evaluation.results import Result, trace, weights_of
from maskgan_cli.evaluation.subject import Subject
from maskgan_cli.evaluation.verification import read_threshold
from maskgan_cli.metrics.intervals import of_mean, wilson


class IdentityAccuracy:
    """A measure (see `subject.Measure`): results that are verified as their source's person.

    Args:
        embed: pictures -> embeddings (N, D) of any length.
        sources: the source of each result, in the same order; they are read at once.
        threshold: least cosine of one person.
        watch: shows how far the sources are.
        record: the network's weights, for the result.
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
        self._expected = torch.cat(list(judged(embed, sources, watch))).double()
        self._found: list[Tensor] = []

    @classmethod
    def load(
        cls, listed: PairList, weights: Path | None, threshold: float | Path | None, device: torch.device, watch: Watch
    ) -> IdentityAccuracy:
        """By a network's weights, and its own threshold if none is given.

        Args:
            threshold: least cosine of one person, or the document of ``maskgan eval verify`` that chose it.

        Raises:
            InputError: no threshold; see `load_judge` and `read_threshold`.
        """
        judge, where = load_judge("identity", weights, device)
        least = read_threshold(threshold, judge) if isinstance(threshold, Path) else threshold
        least = judge.threshold if least is None else least
        if least is None:
            raise InputError(
                where, expected="a network with a threshold", found="none",
                hint="give one with --threshold, or choose one with `maskgan eval verify DATA --weights FILE "
                "--points crop -o t.json` and add --threshold-from t.json",
            )  # fmt: skip
        return cls(judge, listed.files("source"), least, watch, weights_of(judge, where))

    def take(self, images: Tensor) -> None:
        """The next results (N, 3, S, S) ``uint8``."""
        self._found.append(self._embed(images).cpu())

    def cosines(self) -> npt.NDArray[np.float64]:
        """Of each result and its source, -1 to 1.

        Raises:
            InputError: embeddings that are no numbers.
        """
        cosines: npt.NDArray[np.float64] = cosine(torch.cat(self._found).double(), self._expected).numpy()
        if not np.isfinite(cosines).all():
            raise InputError("the identity network", expected="finite embeddings", found="NaN or zero for some faces")
        return cosines

    def result(self, subject: Subject) -> Result:
        """The share of results whose cosine is at least the threshold, and the mean cosine."""
        cosines = self.cosines()
        same = cosines >= self.threshold
        return subject.result(
            "identity_accuracy", float(same.mean()), {"identity": self._record or {}},
            values={"identity_cosine": float(cosines.mean())}, details={"threshold": self.threshold},
            intervals={"identity_accuracy": wilson(int(same.sum()), len(same)), "identity_cosine": of_mean(cosines)},
            inputs={"sources": trace(self._sources[0].parent, self._sources)},
        )  # fmt: skip


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosine similarity (N,) of the rows of two matrices (N, D); NaN where a row is zero."""
    lengths: Tensor = a.norm(dim=1) * b.norm(dim=1)
    return (a * b).sum(1) / lengths
