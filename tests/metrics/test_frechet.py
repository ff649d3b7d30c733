"""The Frechet distance where its value is known: in closed form, and by torch-fidelity's formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg

from maskgan_cli.errors import InputError
from maskgan_cli.metrics.frechet import Statistics, StreamingStatistics, frechet_distance, statistics


def _features(count: int, width: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width)


def _by_matrix_root(a: Statistics, b: Statistics) -> float:
    """As torch-fidelity and pytorch-fid compute it: the root of the product of the covariances."""
    root = linalg.sqrtm(a.covariance @ b.covariance)
    difference = a.mean - b.mean
    return float(
        difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root.real)
    )  # fmt: skip


def test_equal_covariances_leave_the_squared_distance_of_the_means() -> None:
    a = statistics(_features(300, 20, 0))
    shift = np.linspace(-1, 2, 20)
    assert frechet_distance(a, Statistics(a.mean + shift, a.covariance, 300)) == pytest.approx(shift @ shift, rel=1e-12)


@pytest.mark.parametrize(("count", "width"), [(300, 20), (30, 200)], ids=["full rank", "fewer pictures than features"])
def test_a_set_against_itself_is_at_zero(count: int, width: int) -> None:
    a = statistics(_features(count, width, 1))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9 * np.trace(a.covariance))


def test_diagonal_covariances_have_a_closed_form() -> None:
    one, two = np.array([1.0, 4.0, 9.0]), np.array([16.0, 1.0, 0.25])
    a, b = (Statistics(np.zeros(3), np.diag(v), 10) for v in (one, two))
    assert frechet_distance(a, b) == pytest.approx(((one**0.5 - two**0.5) ** 2).sum(), rel=1e-12)


def test_a_covariance_of_nothing_leaves_the_others_trace() -> None:
    a, b = statistics(_features(50, 8, 2)), Statistics(np.zeros(8), np.zeros((8, 8)), 50)
    assert frechet_distance(a, b) == pytest.approx(a.mean @ a.mean + np.trace(a.covariance), rel=1e-12)


@pytest.mark.parametrize("width", [5, 64, 200])
def test_the_formula_of_torch_fidelity_gives_the_same(width: int) -> None:
    a, b = (statistics(_features(3 * width, width, seed)) for seed in (3, 4))
    assert frechet_distance(a, b) == pytest.approx(_by_matrix_root(a, b), rel=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_streamed_statistics_are_those_of_all_at_once(offset: float) -> None:
    features = _features(101, 12, 5) + offset
    stream = StreamingStatistics()
    for part in np.split(features, [1, 2, 50, 100]):
        stream.add(part)
    found = stream.finish()
    np.testing.assert_allclose(found.mean, features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features, rowvar=False), rtol=1e-7, atol=1e-9)
    assert found.count == 101


def test_what_cannot_be_measured_is_said() -> None:
    with pytest.raises(InputError, match="expected at least two pictures, found 1"):
        statistics(np.ones((1, 4)))
    with pytest.raises(InputError, match="found NaN or infinity for 1 of 3 pictures"):
        statistics(np.array([[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]]))
    with pytest.raises(InputError, match="expected 4 numbers a picture, found 5"):
        frechet_distance(statistics(_features(9, 4, 0)), statistics(_features(9, 5, 0)))
