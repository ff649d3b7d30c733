"""Metrics that compare whole sets of features: KID, and precision and recall."""

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
from maskgan_cli.evaluation.pictures import batches, digest
from maskgan_cli.evaluation.results import Result, trace
from maskgan_cli.evaluation.subject import Subject
from maskgan_cli.files import atomic
from maskgan_cli.metrics.kernel import kernel_distance
from maskgan_cli.metrics.manifold import NEIGHBOURS, precision_and_recall

Features = npt.NDArray[np.float32]


class SharedFeatures:
    """A feature network that several measures ask about the same batch: it looks at each batch once."""

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


class _SetMeasure:
    """A measure (see `subject.Measure`) that needs all features of reals and results at its end.

    Args:
        network: whose features.
        reals: features of the real pictures (N, D).
        real_paths: these pictures; ``where`` they are is for the record.
        record: the network's weights by its name, for the result.
    """

    def __init__(
        self, network: FeatureNetwork, reals: Features, real_paths: Sequence[Path], where: Path,
        record: dict[str, dict[str, Any]],
    ) -> None:  # fmt: skip
        self.network, self.reals, self.record = network, reals, record
        self._paths, self._where = list(real_paths), where
        self._found: list[Features] = []

    def take(self, images: Tensor) -> None:
        """The next results (N, 3, S, S) ``uint8``."""
        self._found.append(self.network.features(images).float().cpu().numpy())

    def found(self) -> Features:
        """Features of the results (M, D).

        Raises:
            InputError: some are NaN or infinite.
        """
        return finite(np.concatenate(self._found))

    def inputs(self) -> dict[str, dict[str, Any]]:
        """The record of the real pictures."""
        return {"reals": trace(self._where, self._paths)}


class KernelInceptionDistance(_SetMeasure):
    """The kernel distance of results and reals: ``kid`` for the published Inception, else ``kernel/NAME``."""

    def result(self, subject: Subject) -> Result:
        """The mean over random subsets; their deviation is among the details."""
        distance = kernel_distance(self.reals, self.found())
        published = bool(getattr(self.network, "published", False))
        return subject.result(
            "kid" if published else f"kernel/{self.network.name}", distance.mean, self.record,
            details={
                "deviation": distance.deviation, "subsets": distance.subsets, "subset_size": distance.subset_size,
                "reals": len(self.reals),
            },
            inputs=self.inputs(),
        )  # fmt: skip


class PrecisionRecall(_SetMeasure):
    """How many results look real, and how much of the real pictures' variety the results have."""

    def result(self, subject: Subject) -> Result:
        """``precision/NAME`` and ``recall/NAME``, NAME being the network whose features were compared."""
        precision, recall = precision_and_recall(self.reals, self.found())
        name = self.network.name
        return subject.result(
            f"precision/{name}", precision, self.record, values={f"recall/{name}": recall},
            details={"neighbours": NEIGHBOURS, "reals": len(self.reals)}, inputs=self.inputs(),
        )  # fmt: skip


def finite(features: Features) -> Features:
    """The features (N, D) themselves.

    Raises:
        InputError: some are NaN or infinite.
    """
    if wrong := int((~np.isfinite(features).all(1)).sum()):
        raise InputError(
            "features", expected="finite numbers", found=f"NaN or infinity for {wrong} of {len(features)} pictures",
            hint="check the weights of the feature network",
        )  # fmt: skip
    return features


@torch.inference_mode()
def features_of(
    paths: Sequence[Path], network: FeatureNetwork, *, batch_size: int, cache: Path | None, watch: Watch
) -> Features:
    """Features (N, D) of pictures, in the order of the pictures' hashes.

    With ``cache``, features of the same contents by the same weights are read from there, or kept there.

    Raises:
        InputError: pictures of several sizes, or features that are NaN or infinite.
    """
    _, hashes = digest(paths)
    order = sorted(range(len(paths)), key=hashes.__getitem__)
    key = hashlib.sha256("\n".join([network.name, network.sha256, *(hashes[i] for i in order)]).encode()).hexdigest()
    kept = cache / f"{key}.features.npy" if cache is not None else None
    if kept is not None:
        with contextlib.suppress(OSError, ValueError, EOFError):  # a missing or damaged file is written again
            found: Features = np.load(kept, allow_pickle=False)
            if found.dtype == np.float32 and found.ndim == 2 and len(found) == len(paths) and np.isfinite(found).all():
                return found
    ordered = [paths[i] for i in order]
    seen = [
        network.features(images).float().cpu().numpy()
        for images in watch(batches(ordered, batch_size), -(-len(ordered) // batch_size))
    ]
    features = finite(np.concatenate(seen).astype(np.float32))
    if kept is not None:
        with contextlib.suppress(InputError, OSError), atomic(kept) as temporary, temporary.open("wb") as file:
            np.save(file, features)
    return features
