"""Compute the Frechet distance between two sets of features (Heusel et al. 2017), from their means and covariances.

d^2 = |m1 - m2|^2 + tr(C1) + tr(C2) - 2 tr((C1 C2)^(1/2)), with means m1, m2 and covariances C1, C2.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskgan_cli.errors import InputError
from maskgan_cli.files import atomic

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Statistics:
    """Mean (D,) and unbiased covariance (D, D) of a set of ``count`` feature vectors."""

    mean: Array
    covariance: Array
    count: int

    def save(self, path: Path) -> Path:
        """Write the statistics to the ``.npz`` file ``path`` atomically, and return ``path``."""
        with atomic(path) as temporary, temporary.open("wb") as file:
            np.savez(file, mean=self.mean, covariance=self.covariance, count=self.count)
        return path

    @classmethod
    def load(cls, path: Path) -> Statistics:
        """Read statistics from a file that `save` has written.

        Raises:
            InputError: the file is missing, corrupt or has another format.
        """
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                found = cls(file["mean"], file["covariance"], int(file["count"]))
            found._check()
        except Exception as error:  # zipfile, zlib, struct and NumPy raise different errors
            reason = " ".join(str(error).split())[:80] or type(error).__name__
            raise InputError(path, expected="statistics of features", found=reason) from error
        return found

    def _check(self) -> None:
        """Raise ValueError if arrays have wrong types or shapes, or contain NaN or infinity."""
        whole = self.mean.dtype == self.covariance.dtype == np.float64 and self.mean.ndim == 1 and self.mean.size > 0
        if not (whole and self.covariance.shape == self.mean.shape * 2 and self.count > 1):
            raise ValueError("arrays of other types or shapes")
        if not (np.isfinite(self.mean).all() and np.isfinite(self.covariance).all()):
            raise ValueError("NaN or infinity")


class StreamingStatistics:
    """Computes mean and covariance of features that are added in batches and not stored (Chan et al. 1979)."""

    def __init__(self) -> None:
        self._count = 0
        self._mean: Array = np.zeros(0)
        self._scatter: Array = np.zeros((0, 0))

    def add(self, features: npt.NDArray[np.floating]) -> None:
        """Add a batch of features (N, D).

        Raises:
            InputError: some features are NaN or infinite.
        """
        batch = features.astype(np.float64)
        if wrong := int((~np.isfinite(batch).all(1)).sum()):
            raise InputError(
                "features",
                expected="finite numbers",
                found=f"NaN or infinity for {wrong} of {len(batch)} pictures",
                hint="check the weights of the feature network",
            )
        if not self._count:
            self._mean, self._scatter = np.zeros(batch.shape[1]), np.zeros((batch.shape[1],) * 2)
        mean = batch.mean(0)
        centred, step = batch - mean, mean - self._mean
        total = self._count + len(batch)
        self._scatter += centred.T @ centred + np.outer(step, step) * (self._count * len(batch) / total)
        self._mean += step * (len(batch) / total)
        self._count = total

    def finish(self) -> Statistics:
        """Return mean, covariance and number of the features of all batches.

        Raises:
            InputError: there are fewer than two feature vectors, so the covariance is undefined.
        """
        if self._count < 2:
            raise InputError("features", expected="at least two pictures", found=str(self._count))
        return Statistics(self._mean, self._scatter / (self._count - 1), self._count)


def statistics(features: npt.NDArray[np.floating]) -> Statistics:
    """Return mean and covariance of N feature vectors (N, D).

    Raises:
        InputError: there are fewer than two vectors, or some values are NaN or infinite.
    """
    stream = StreamingStatistics()
    stream.add(features)
    return stream.finish()


def frechet_distance(a: Statistics, b: Statistics) -> float:
    """Return the squared Frechet distance between two Gaussians, given their statistics; 0 if they are equal.

    Each covariance is factored as C = F F'. The trace of (C1 C2)^(1/2) is then the sum of the singular values of
    F1' F2. The usual computation takes square roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which loses precision
    because the eigenvalues are rounded. Singular values are accurate even for fewer pictures than features.

    Raises:
        InputError: the features have different dimensions.
    """
    if a.mean.shape != b.mean.shape:
        raise InputError("features", expected=f"{len(a.mean)} numbers per picture", found=str(len(b.mean)))
    mixed = np.linalg.svd(_factor(a.covariance).T @ _factor(b.covariance), compute_uv=False).sum()
    difference = a.mean - b.mean
    squared = difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * mixed
    return max(float(squared), 0.0)  # rounding may give about -1e-12 for equal sets


def _factor(covariance: Array) -> Array:
    """Return a matrix F (D, rank) so that F F' is the covariance (D, D). Eigenvalues at rounding level are dropped."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo(np.float64).eps * max(values[-1], 0.0)
    factor: Array = vectors[:, kept] * np.sqrt(values[kept])
    return factor
