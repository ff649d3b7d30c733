"""Distance between two sets of pictures: the FID of Heusel et al. 2017, or the same over a judge's features.

Only the published Inception weights give a *FID*. Every other network gives ``frechet/NAME``, a
number that no table can mistake for it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.judging import JUDGES, Watch, load_judge
from maskgan_cli.evaluation.pictures import batches, digest
from maskgan_cli.evaluation.results import Result, trace
from maskgan_cli.evaluation.subject import Subject
from maskgan_cli.judges.inception import Inception
from maskgan_cli.metrics.frechet import Statistics, StreamingStatistics, frechet_distance
from maskgan_cli.weights.lookup import find_weights


class FeatureNetwork(Protocol):
    """Pictures in, one vector each out."""

    name: str
    sha256: str

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) ``uint8`` -> (N, D) float32."""


NETWORKS: Final = ("inception", *JUDGES)


def load_features(name: str, where: Path | None, device: torch.device) -> tuple[FeatureNetwork, Path]:
    """A feature network by name, and the weights file it came from.

    Raises:
        InputError: an unknown name, or weights that are missing or do not fit.
    """
    if name not in NETWORKS:
        raise InputError("--features", expected=" or ".join(NETWORKS), found=name)
    if name == "inception":
        try:
            where = find_weights(where, "inception")
        except InputError as error:
            raise InputError(
                "--weights", expected="pytorch-fid's pt_inception-2015-12-05-6726825d.pth", found="none",
                hint="run `maskgan weights pull inception`, or let a judge stand in, with --features "
                f"{' | '.join(JUDGES)}",
            ) from error  # fmt: skip
        return Inception(where, device), where
    return load_judge(name, where, device)


def metric_name(network: FeatureNetwork) -> str:
    """``fid`` for the published Inception alone, else ``frechet/`` and what the features are."""
    return "fid" if getattr(network, "published", False) else f"frechet/{network.name}"


class FrechetDistance:
    """A measure (see `subject.Measure`): the distance of the results' features from the reals'.

    Args:
        network: what sees the features.
        reals: the pictures to compare with; ``where`` they are is for the record.
        record: the network's weights by its name, for the result.
        batch_size, cache, watch: see `measure`, which looks at the reals at once.
    """

    def __init__(
        self, network: FeatureNetwork, reals: Sequence[Path], where: Path, record: dict[str, dict[str, Any]],
        *, batch_size: int, cache: Path | None, watch: Watch,
    ) -> None:  # fmt: skip
        self._network, self._reals, self._where, self._record = network, list(reals), where, record
        self._theirs = measure(reals, network, batch_size=batch_size, cache=cache, watch=watch)
        self._ours = StreamingStatistics()

    def take(self, images: Tensor) -> None:
        """The next results (N, 3, S, S) ``uint8``."""
        self._ours.add(self._network.features(images).float().cpu().numpy())

    def result(self, subject: Subject) -> Result:
        """FID, or the distance over other features under its own name."""
        ours = self._ours.finish()
        return subject.result(
            metric_name(self._network), frechet_distance(self._theirs, ours), self._record,
            details={"reals": len(self._reals), "features": len(ours.mean)},
            inputs={"reals": trace(self._where, self._reals)},
        )  # fmt: skip


@torch.inference_mode()
def measure(
    paths: Sequence[Path], network: FeatureNetwork, *, batch_size: int, cache: Path | None, watch: Watch
) -> Statistics:
    """Statistics of the pictures' features.

    With ``cache``, statistics of the same contents (whatever the files are called) by the same
    weights are taken from there, or left there for the next comparison.

    Args:
        watch: passes the batches through, given their number too (a progress bar).

    Raises:
        InputError: fewer than two pictures, pictures of several sizes, NaN features.
    """
    if len(paths) < 2:
        raise InputError(paths[0].parent, expected="at least two pictures", found=str(len(paths)))
    _, hashes = digest(paths)
    key = hashlib.sha256("\n".join([network.name, network.sha256, *sorted(hashes)]).encode()).hexdigest()
    kept = cache / f"{key}.npz" if cache is not None else None
    if kept is not None:
        with contextlib.suppress(InputError):  # missing or damaged: what a cache holds can be computed again
            return Statistics.load(kept)
    stream = StreamingStatistics()
    for images in watch(batches(paths, batch_size), -(-len(paths) // batch_size)):
        stream.add(network.features(images).float().cpu().numpy())
    found = stream.finish()
    if kept is not None:
        with contextlib.suppress(InputError, OSError):  # a full or read-only disk costs the next comparison's time only
            found.save(kept)
    return found
