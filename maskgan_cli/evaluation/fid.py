"""Fréchet distance between two sets of pictures, computed from the features of a network.

With the published Inception weights, this distance is the FID (Heusel et al. 2017), and the metric is called ``fid``.
With another network, e.g. a judge, the metric is called ``frechet/NAME``, so that tables distinguish the two.
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
    """Interface of a network that maps each picture to a feature vector.

    Attributes:
        name: name of the network in results.
        sha256: hash of its weights.
    """

    name: str
    sha256: str

    def features(self, images: Tensor) -> Tensor:
        """Return the features (N, D) float32 of pictures (N, 3, S, S) ``uint8``."""


NETWORKS: Final = ("inception", *JUDGES)


def load_features(name: str, where: Path | None, device: torch.device) -> tuple[FeatureNetwork, Path]:
    """Load a feature network; return the network and its weights file.

    Args:
        name: one of `NETWORKS`.
        where: the weights file; None: the default file, see `find_weights`.
        device: device of the network.

    Raises:
        InputError: the name is unknown, or the weights are missing or do not fit the network.
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
    """Return the metric's name: ``fid`` for the published Inception weights, ``frechet/NAME`` for other networks."""
    return "fid" if getattr(network, "published", False) else f"frechet/{network.name}"


class FrechetDistance:
    """Measures the Fréchet distance between the features of results and of real pictures; lower is better.

    Implements `method_results.ResultMetric`.

    Args:
        network: computes the features.
        reals: the real pictures; the constructor computes their features.
        where: folder of the real pictures, whose path is stored with the result.
        record: dict from the network's name to name, path and hash of its weights, see `weights_of`.
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
        """Add the next batch of results (N, 3, S, S) ``uint8`` to the metric."""
        self._ours.add(self._network.features(images).float().cpu().numpy())

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the distance between all results added so far and the real pictures.

        `metric_name` gives the name of the metric.
        """
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
    """Return mean and covariance of the pictures' features: from the cache if it contains them, otherwise computed.

    Args:
        paths: the pictures, all of the same size.
        network: computes the features.
        batch_size: number of pictures in a batch.
        cache: folder in which statistics are stored under a hash of weights and pictures; None: no cache.
        watch: wraps the batches in an iterator that shows the progress, see `judging.Watch`.

    Raises:
        InputError: there are fewer than two pictures, they have several sizes, or features are NaN.
    """
    if len(paths) < 2:
        raise InputError(paths[0].parent, expected="at least two pictures", found=str(len(paths)))
    _, hashes = digest(paths)
    key = hashlib.sha256("\n".join([network.name, network.sha256, *sorted(hashes)]).encode()).hexdigest()
    kept = cache / f"{key}.npz" if cache is not None else None
    if kept is not None:
        with contextlib.suppress(InputError):  # if the file is missing or corrupt, the statistics are computed below
            return Statistics.load(kept)
    stream = StreamingStatistics()
    for images in watch(batches(paths, batch_size), -(-len(paths) // batch_size)):
        stream.add(network.features(images).float().cpu().numpy())
    found = stream.finish()
    if kept is not None:
        with contextlib.suppress(InputError, OSError):  # the cache is optional: the disk may be full or read-only
            found.save(kept)
    return found
