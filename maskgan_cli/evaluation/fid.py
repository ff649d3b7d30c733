"""Fréchet distance between two sets of pictures: FID (Heusel et al. 2017), or with the features of a judge.

Only the published Inception weights give ``fid``. With any other network the metric is called ``frechet/NAME``, so that
tables distinguish the two.
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
from maskgan_cli.evaluation.method_results import MethodResults
from maskgan_cli.evaluation.picture_set import batches, digest
from maskgan_cli.evaluation.results import MetricResult, trace
from maskgan_cli.judges.inception import Inception
from maskgan_cli.metrics.frechet import Statistics, StreamingStatistics, frechet_distance
from maskgan_cli.weights.lookup import find_weights


class FeatureNetwork(Protocol):
    """A network that maps each picture to a feature vector."""

    name: str
    sha256: str

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) ``uint8`` -> (N, D) float32."""


NETWORKS: Final = ("inception", *JUDGES)


def load_features(name: str, where: Path | None, device: torch.device) -> tuple[FeatureNetwork, Path]:
    """Load a feature network by name; returns it and its weights file.

    Raises:
        InputError: the name is unknown, or the weights are missing or do not fit.
    """
    if name not in NETWORKS:
        raise InputError("--features", expected=" or ".join(NETWORKS), found=name)
    if name == "inception":
        try:
            where = find_weights(where, "inception")
        except InputError as error:
            raise InputError(
                "--weights",
                expected="pytorch-fid's pt_inception-2015-12-05-6726825d.pth",
                found="none",
                hint=f"run `maskgan weights pull inception`, or use a judge: --features {' | '.join(JUDGES)}",
            ) from error
        return Inception(where, device), where
    return load_judge(name, where, device)


def metric_name(network: FeatureNetwork) -> str:
    """``fid`` for the published Inception, else ``frechet/`` and the network's name."""
    return "fid" if getattr(network, "published", False) else f"frechet/{network.name}"


class FrechetDistance:
    """Fréchet distance between the features of results and of real pictures, a `method_results.ResultMetric`.

    Args:
        network: computes the features.
        reals: the real pictures; their features are computed at once.
        where: their folder, for the record.
        record: of the network's weights, by the network's name.
        batch_size, cache, watch: see `measure`.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        reals: Sequence[Path],
        where: Path,
        record: dict[str, dict[str, Any]],
        *,
        batch_size: int,
        cache: Path | None,
        watch: Watch,
    ) -> None:
        self._network, self._reals, self._where, self._record = network, list(reals), where, record
        self._theirs = measure(reals, network, batch_size=batch_size, cache=cache, watch=watch)
        self._ours = StreamingStatistics()

    def update(self, images: Tensor) -> None:
        """Add the next results (N, 3, S, S) ``uint8``."""
        self._ours.add(self._network.features(images).float().cpu().numpy())

    def compute(self, results: MethodResults) -> MetricResult:
        """The distance, named by `metric_name`."""
        ours = self._ours.finish()
        return results.result(
            metric_name(self._network),
            frechet_distance(self._theirs, ours),
            self._record,
            details={"reals": len(self._reals), "features": len(ours.mean)},
            inputs={"reals": trace(self._where, self._reals)},
        )


@torch.inference_mode()
def measure(
    paths: Sequence[Path], network: FeatureNetwork, *, batch_size: int, cache: Path | None, watch: Watch
) -> Statistics:
    """Statistics (mean and covariance) of the pictures' features.

    Args:
        paths: the pictures, of one size.
        network: computes the features.
        batch_size: pictures in a batch.
        cache: a folder of statistics by hash of weights and pictures, which is read and written; or None.
        watch: passes the batches through and shows the progress.

    Raises:
        InputError: there are fewer than two pictures, they have several sizes, or features are NaN.
    """
    if len(paths) < 2:
        raise InputError(paths[0].parent, expected="at least two pictures", found=str(len(paths)))
    _, hashes = digest(paths)
    key = hashlib.sha256("\n".join([network.name, network.sha256, *sorted(hashes)]).encode()).hexdigest()
    kept = cache / f"{key}.npz" if cache is not None else None
    if kept is not None:
        with contextlib.suppress(InputError):  # missing or corrupt: it is computed below
            return Statistics.load(kept)
    stream = StreamingStatistics()
    for images in watch(batches(paths, batch_size), -(-len(paths) // batch_size)):
        stream.add(network.features(images).float().cpu().numpy())
    found = stream.finish()
    if kept is not None:
        with contextlib.suppress(InputError, OSError):  # the cache is optional: the disk may be full or read-only
            found.save(kept)
    return found
