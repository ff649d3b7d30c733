"""Tests of the Frechet distance against closed forms and torch-fidelity's formula."""

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
    """The formula of torch-fidelity and pytorch-fid: matrix square root of the product of the covariances."""
    root = linalg.sqrtm(a.covariance @ b.covariance)
    difference = a.mean - b.mean
    return float(difference @ difference + np.trace(a.covariance) + np.trace(b.covariance) - 2 * np.trace(root.real))


def test_distance_for_equal_covariances_is_that_of_the_means() -> None:
    a = statistics(_features(300, 20, 0))
    shift = np.linspace(-1, 2, 20)
    assert frechet_distance(a, Statistics(a.mean + shift, a.covariance, 300)) == pytest.approx(shift @ shift, rel=1e-12)


@pytest.mark.parametrize(("count", "width"), [(300, 20), (30, 200)], ids=["full rank", "fewer pictures than features"])
def test_distance_of_a_set_to_itself_is_zero(count: int, width: int) -> None:
    a = statistics(_features(count, width, 1))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9 * np.trace(a.covariance))


def test_closed_form_for_diagonal_covariances() -> None:
    one, two = np.array([1.0, 4.0, 9.0]), np.array([16.0, 1.0, 0.25])
    a, b = (Statistics(np.zeros(3), np.diag(v), 10) for v in (one, two))
    assert frechet_distance(a, b) == pytest.approx(((one**0.5 - two**0.5) ** 2).sum(), rel=1e-12)


def test_distance_to_a_zero_covariance_is_the_other_trace() -> None:
    a, b = statistics(_features(50, 8, 2)), Statistics(np.zeros(8), np.zeros((8, 8)), 50)
    assert frechet_distance(a, b) == pytest.approx(a.mean @ a.mean + np.trace(a.covariance), rel=1e-12)


@pytest.mark.parametrize("width", [5, 64, 200])
def test_distance_equals_torch_fidelitys_formula(width: int) -> None:
    a, b = (statistics(_features(3 * width, width, seed)) for seed in (3, 4))
    assert frechet_distance(a, b) == pytest.approx(_by_matrix_root(a, b), rel=1e-6)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_streamed_statistics_equal_those_of_the_whole_set(offset: float) -> None:
    features = _features(101, 12, 5) + offset
    stream = StreamingStatistics()
    for part in np.split(features, [1, 2, 50, 100]):
        stream.add(part)
    found = stream.finish()
    np.testing.assert_allclose(found.mean, features.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features, rowvar=False), rtol=1e-7, atol=1e-9)
    assert found.count == 101


def test_invalid_features_raise_an_input_error() -> None:
    with pytest.raises(InputError, match="expected at least two pictures, found 1"):
        statistics(np.ones((1, 4)))
    with pytest.raises(InputError, match="found NaN or infinity for 1 of 3 pictures"):
        statistics(np.array([[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]]))
    with pytest.raises(InputError, match="expected 4 numbers per picture, found 5"):
        frechet_distance(statistics(_features(9, 4, 0)), statistics(_features(9, 5, 0)))
