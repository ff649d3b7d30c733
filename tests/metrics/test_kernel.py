"""Tests of KID, precision and recall against closed forms and direct implementations of their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from maskgan_cli.errors import InputError
from maskgan_cli.metrics import manifold
from maskgan_cli.metrics.kernel import kernel_distance, squared_discrepancy
from maskgan_cli.metrics.manifold import precision_and_recall


def _normal(count: int, width: int, seed: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1.0, (count, width))


def test_kid_closed_form_for_two_points() -> None:
    point = np.array([1.0, -2.0, 0.5, 3.0])
    a, b = np.zeros((5, 4)), np.tile(point, (7, 1))
    # k(0, 0) = 1, k(0, b) = 1, k(b, b) = (|b|^2 / D + 1)^3
    assert squared_discrepancy(a, b) == pytest.approx((point @ point / 4 + 1) ** 3 - 1, rel=1e-12)


@pytest.mark.parametrize("mean", [0.0, 0.5, 1.0])
def test_kid_closed_form_for_normal_distributions(mean: float) -> None:
    # For independent x and y: E (xy + 1)^3 = E x^3 E y^3 + 3 E x^2 E y^2 + 3 E x E y + 1
    def expected(m: float, n: float) -> float:
        return (m**3 + 3 * m) * (n**3 + 3 * n) + 3 * (m**2 + 1) * (n**2 + 1) + 3 * m * n + 1

    truth = expected(0, 0) + expected(mean, mean) - 2 * expected(0, mean)
    found = [squared_discrepancy(_normal(400, 1, 2 * i), _normal(300, 1, 2 * i + 1, mean)) for i in range(200)]
    assert np.mean(found) == pytest.approx(truth, abs=4 * np.std(found) / 200**0.5)
    if mean == 0:
        assert min(found) < 0 < max(found), "unbiased estimates of 0 must have both signs"


def test_kid_equals_its_definition() -> None:
    a, b = _normal(6, 3, 0), _normal(5, 3, 1, 0.7)

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    within = [
        sum(k(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j) / (len(s) * (len(s) - 1))
        for s in (a, b)
    ]
    across = sum(k(x, y) for x in a for y in b) / 30
    assert squared_discrepancy(a, b) == pytest.approx(sum(within) - 2 * across, rel=1e-12)


def test_kid_of_subsets_depends_on_the_seed_and_approximates_the_whole_set() -> None:
    a, b = _normal(300, 8, 2), _normal(260, 8, 3, 0.5)
    found = kernel_distance(a, b, subset_size=100)
    assert (found.subsets, found.subset_size) == (100, 100)
    assert found == kernel_distance(a, b, subset_size=100)
    assert found != kernel_distance(a, b, subset_size=100, seed=1)
    assert found.mean == pytest.approx(squared_discrepancy(a, b), abs=found.deviation)
    whole = kernel_distance(a[:200], b[:200])
    assert (whole.subsets, whole.deviation, whole.mean) == (1, 0.0, squared_discrepancy(a[:200], b[:200]))


def test_precision_and_recall_of_half_the_distribution() -> None:
    left, right = _normal(200, 2, 4) * 0.1, _normal(200, 2, 5) * 0.1 + 10
    both = np.concatenate([left, right])
    precision, recall = precision_and_recall(both, _normal(400, 2, 6) * 0.1)
    assert precision > 0.95, "results from one half must count as real"
    assert 0.4 < recall <= 0.5, "the other half must not be covered"
    assert precision_and_recall(both, both) == (1.0, 1.0)
    assert precision_and_recall(left, right) == (0.0, 0.0)


def test_precision_and_recall_equal_their_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifold, "_ROWS", 7)
    real, found = _normal(40, 5, 7), _normal(30, 5, 8, 0.4) * 1.2

    def share(points: np.ndarray, centres: np.ndarray) -> float:
        radius = [sorted(np.linalg.norm(c - o) for o in centres)[3] for c in centres]
        inside = [any(np.linalg.norm(p - c) <= r for c, r in zip(centres, radius, strict=True)) for p in points]
        return sum(inside) / len(points)

    assert precision_and_recall(real, found) == (share(found, real), share(real, found))
    assert 0 < share(found, real) < 1


def test_invalid_features_raise_an_input_error() -> None:
    with pytest.raises(InputError, match="expected at least two pictures, found 1"):
        squared_discrepancy(np.ones((1, 4)), np.ones((3, 4)))
    with pytest.raises(InputError, match="expected 4 numbers per picture, found 5"):
        kernel_distance(np.ones((3, 4)), np.ones((3, 5)))
    with pytest.raises(InputError, match="expected more than 3 pictures, found 3"):
        precision_and_recall(np.ones((3, 4)), np.ones((9, 4)))
    with pytest.raises(InputError, match="expected 4 numbers per picture, found 5"):
        precision_and_recall(np.ones((9, 4)), np.ones((9, 5)))
