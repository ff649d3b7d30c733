"""Metrics that compare two sets of features: KID, and precision and recall."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from maskgan_cli.errors import InputError
from maskgan_cli.evaluation.fid import FeatureNetwork
from maskgan_cli.evaluation.judging import Watch
from maskgan_cli.evaluation.method_results import MethodResults
from maskgan_cli.evaluation.picture_set import batches, digest
from maskgan_cli.evaluation.results import MetricResult, trace
from maskgan_cli.files import atomic
from maskgan_cli.metrics.kernel import kernel_distance
from maskgan_cli.metrics.manifold import NEIGHBOURS, precision_and_recall

Features = npt.NDArray[np.float32]


class SharedFeatures:
    """Wraps a feature network for several metrics, so that the features of each batch are computed only once.

    The features of the last batch are kept, and returned again if the next call passes the same tensor object.
    """

    def __init__(self, network: FeatureNetwork) -> None:
        self._network = network
        self.name, self.sha256 = network.name, network.sha256
        self.published = bool(getattr(network, "published", False))
        self._images: Tensor | None = None
        self._found: Tensor | None = None

    def features(self, images: Tensor) -> Tensor:
        """Return the features (N, D) float32 of pictures (N, 3, S, S) ``uint8``."""
        if self._found is None or images is not self._images:
            self._images, self._found = images, self._network.features(images)
        return self._found


class _SetMetric:
    """Base class of metrics that compare all features of the results with those of real pictures.

    Subclasses add ``compute`` and thus implement `method_results.ResultMetric`.

    Args:
        network: computes the features of the results.
        reals: features (N, D) of the real pictures, from the same network.
        real_paths: files of the real pictures.
        where: folder of the real pictures, whose path is stored with the result.
        record: dict from the network's name to name, path and hash of its weights, see `weights_of`.
    """

    def __init__(
        self,
        network: FeatureNetwork,
        reals: Features,
        real_paths: Sequence[Path],
        where: Path,
        record: dict[str, dict[str, Any]],
    ) -> None:
        self.network, self.reals, self.record = network, reals, record
        self._paths, self._where = list(real_paths), where
        self._batches: list[Features] = []

    def update(self, images: Tensor) -> None:
        """Add the next batch of results (N, 3, S, S) ``uint8`` to the metric."""
        self._batches.append(self.network.features(images).float().cpu().numpy())

    def features(self) -> Features:
        """Return the features (M, D) of all M results added so far.

        Raises:
            InputError: some features are NaN or infinite.
        """
        return finite(np.concatenate(self._batches))

    def inputs(self) -> dict[str, dict[str, Any]]:
        """Return a dict from the role ``reals`` to the record (path and hash) of the real pictures."""
        return {"reals": trace(self._where, self._paths)}


class KernelInceptionDistance(_SetMetric):
    """Measures the Kernel Inception Distance (KID) between results and real pictures; lower is better.

    The metric is called ``kid`` with the published Inception weights, and ``kernel/NAME`` with another feature network.
    """

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the kernel distance of generated to real pictures: the mean over random subsets of their features.

        The details of the result contain the standard deviation over the subsets.
        """
        distance = kernel_distance(self.reals, self.features())
        published = bool(getattr(self.network, "published", False))
        return results.result(
            "kid" if published else f"kernel/{self.network.name}",
            distance.mean,
            self.record,
            details={
                "deviation": distance.deviation,
                "subsets": distance.subsets,
                "subset_size": distance.subset_size,
                "reals": len(self.reals),
            },
            inputs=self.inputs(),
        )


class PrecisionRecall(_SetMetric):
    """Measures precision and recall of the results' distribution, see `metrics.manifold`.

    Precision is the proportion of results that resemble real pictures. Recall is the proportion of real pictures that
    resemble some result. Higher is better for both.
    """

    def compute(self, results: MethodResults) -> MetricResult:
        """Return the metrics ``precision/NAME`` and ``recall/NAME`` (0 to 1), where NAME is the feature network."""
        precision, recall = precision_and_recall(self.reals, self.features())
        name = self.network.name
        return results.result(
            f"precision/{name}",
            precision,
            self.record,
            values={f"recall/{name}": recall},
            details={"neighbours": NEIGHBOURS, "reals": len(self.reals)},
            inputs=self.inputs(),
        )


def finite(features: Features) -> Features:
    """Return features (N, D) unchanged after checking that they are finite.

    Raises:
        InputError: some features are NaN or infinite.
    """
    if wrong := int((~np.isfinite(features).all(1)).sum()):
        raise InputError(
            "features",
            expected="finite numbers",
            found=f"NaN or infinity for {wrong} of {len(features)} pictures",
            hint="check the weights of the feature network",
        )
    return features


@torch.inference_mode()
def features_of(
    paths: Sequence[Path], network: FeatureNetwork, *, batch_size: int, cache: Path | None, watch: Watch
) -> Features:
    """Return the features (N, D) of N pictures: from the cache if it contains them, otherwise from the network.

    The rows of the result are in the order of the pictures' hashes, not in the order of ``paths``.

    Args:
        paths: the pictures, all of the same size.
        network: computes the features.
        batch_size: number of pictures in a batch.
        cache: folder in which features are stored under a hash of weights and pictures; None: no cache.
        watch: wraps the batches in an iterator that shows the progress, see `judging.Watch`.

    Raises:
        InputError: the pictures have several sizes, or features are NaN or infinite.
    """
    _, hashes = digest(paths)
    order = sorted(range(len(paths)), key=hashes.__getitem__)
    key = hashlib.sha256("\n".join([network.name, network.sha256, *(hashes[i] for i in order)]).encode()).hexdigest()
    kept = cache / f"{key}.features.npy" if cache is not None else None
    if kept is not None:
        with contextlib.suppress(OSError, ValueError, EOFError):  # a missing or corrupt file is written again
            found: Features = np.load(kept, allow_pickle=False)
            if found.dtype == np.float32 and found.ndim == 2 and len(found) == len(paths) and np.isfinite(found).all():
                return found
    ordered = [paths[i] for i in order]
    parts = [
        network.features(images).float().cpu().numpy()
        for images in watch(batches(ordered, batch_size), -(-len(ordered) // batch_size))
    ]
    features = finite(np.concatenate(parts).astype(np.float32))
    if kept is not None:
        with contextlib.suppress(InputError, OSError), atomic(kept) as temporary, temporary.open("wb") as file:
            np.save(file, features)
    return features
