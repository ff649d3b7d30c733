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
    """A feature network for several metrics, which computes the features of each batch once."""

    def __init__(self, network: FeatureNetwork) -> None:
        self._network = network
        self.name, self.sha256 = network.name, network.sha256
        self.published = bool(getattr(network, "published", False))
        self._images: Tensor | None = None
        self._found: Tensor | None = None

    def features(self, images: Tensor) -> Tensor:
        """(N, 3, S, S) ``uint8`` -> (N, D) float32."""
        if self._found is None or images is not self._images:
            self._images, self._found = images, self._network.features(images)
        return self._found


class _SetMetric:
    """A `method_results.ResultMetric` that needs all features of real pictures and results.

    Args:
        network: computes the features.
        reals: features (N, D) of the real pictures.
        real_paths: the real pictures.
        where: their folder, for the record.
        record: of the network's weights, by the network's name.
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
        """Add the next results (N, 3, S, S) ``uint8``."""
        self._batches.append(self.network.features(images).float().cpu().numpy())

    def features(self) -> Features:
        """Features (M, D) of the results.

        Raises:
            InputError: some are NaN or infinite.
        """
        return finite(np.concatenate(self._batches))

    def inputs(self) -> dict[str, dict[str, Any]]:
        """The record of the real pictures."""
        return {"reals": trace(self._where, self._paths)}


class KernelInceptionDistance(_SetMetric):
    """Kernel distance of results and real pictures: ``kid`` with the published Inception, else ``kernel/NAME``."""

    def compute(self, results: MethodResults) -> MetricResult:
        """The mean over random subsets; the details have their standard deviation."""
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
    """Precision (share of realistic results) and recall (share of the real pictures' variety in the results)."""

    def compute(self, results: MethodResults) -> MetricResult:
        """``precision/NAME`` and ``recall/NAME``, where NAME is the feature network."""
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
    """Check features (N, D), and return them.

    Raises:
        InputError: some are NaN or infinite.
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
    """Features (N, D) of pictures, in the order of the pictures' hashes.

    Args:
        paths: the pictures, of one size.
        network: computes the features.
        batch_size: pictures in a batch.
        cache: a folder of features by hash of weights and pictures, which is read and written; or None.
        watch: passes the batches through and shows the progress.

    Raises:
        InputError: the pictures have several sizes, or features are NaN or infinite.
    """
    _, hashes = digest(paths)
    order = sorted(range(len(paths)), key=hashes.__getitem__)
    key = hashlib.sha256("\n".join([network.name, network.sha256, *(hashes[i] for i in order)]).encode()).hexdigest()
    kept = cache / f"{key}.features.npy" if cache is not None else None
    if kept is not None:
        with contextlib.suppress(OSError, ValueError, EOFError):  # a missing or corrupt file is rewritten
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
