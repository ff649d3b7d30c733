"""Tests of the verification metrics against closed forms and brute-force counts."""

from __future__ import annotations

from itertools import combinations
from math import erf, sqrt

import numpy as np
import pytest

from maskgan_cli.metrics.verification import (
    area,
    balanced_pairs,
    best_threshold,
    cross_validate,
    measure,
    roc,
    tar_at_far,
)

PEOPLE = [str(i // 4) for i in range(40)]


def test_pairs_are_balanced_distinct_and_reproducible() -> None:
    pairs, same = balanced_pairs(PEOPLE, 80, 3)
    assert pairs.shape == (80, 2)
    assert same.sum() == 40
    assert [PEOPLE[a] == PEOPLE[b] for a, b in pairs] == same.tolist()
    assert len({tuple(sorted(pair)) for pair in pairs.tolist()}) == 80
    again, other = balanced_pairs(PEOPLE, 80, 3)[0], balanced_pairs(PEOPLE, 80, 4)[0]
    assert np.array_equal(pairs, again)
    assert not np.array_equal(pairs, other)


def test_people_are_sampled_in_turn() -> None:
    people = ["many"] * 30 + ["a", "a", "b", "b"]
    pairs, same = balanced_pairs(people, 6, 0)
    assert {people[a] for a, _ in pairs[same]} == {"many", "a", "b"}


def test_both_halves_shrink_when_pairs_are_few() -> None:
    pairs, same = balanced_pairs(["a", "a", "b", "c", "d"], 100, 0)
    assert (len(pairs), same.sum()) == (2, 1)
    # One person has three pictures, the other has one: there are only three impostor pairs.
    pairs, same = balanced_pairs(["a", "b", "b", "b"], 100, 0)
    assert (len(pairs), same.sum()) == (6, 3)
    assert len(balanced_pairs(["a", "a", "a"], 10, 0)[0]) == 0


def test_roc_equals_counted_rates() -> None:
    scores, same = np.array([0.9, 0.8, 0.8, 0.7, 0.1]), np.array([True, True, False, True, False])
    far, tar, lowest = roc(scores, same)
    assert far.tolist() == [0, 0, 0.5, 0.5, 1]
    assert tar.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert lowest.tolist() == [np.inf, 0.9, 0.8, 0.7, 0.1]


def test_area_is_the_probability_that_a_genuine_pair_scores_higher() -> None:
    rng = np.random.default_rng(0)
    scores, same = rng.integers(0, 8, 60).astype(float), rng.random(60) < 0.4  # with ties
    far, tar, _ = roc(scores, same)
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in scores[same] for b in scores[~same]]
    assert area(far, tar) == pytest.approx(np.mean(wins))


def test_best_threshold_equals_an_exhaustive_search() -> None:
    rng = np.random.default_rng(1)
    same = np.arange(50) < 25
    scores = rng.normal(0, 1, 50) + same
    found = ((scores >= best_threshold(scores, same)) == same).mean()
    assert found == max(((scores >= t) == same).mean() for t in [*scores, np.inf])


def test_threshold_of_separated_scores_is_midway() -> None:
    scores, same = np.array([0.1, 0.2, 0.6, 0.9]), np.array([False, False, True, True])
    assert best_threshold(scores, same) == pytest.approx(0.4)
    assert tar_at_far(scores, same, 0.0) == 1.0


def test_cross_validation_of_separated_scores() -> None:
    same = np.arange(100) < 50
    assert cross_validate(np.where(same, 0.8, 0.2), same).tolist() == [1.0] * 10


def test_metrics_of_two_normal_distributions() -> None:
    """Means two deviations apart: accuracy Phi(1), area Phi(2 / sqrt 2), TAR at FAR f Phi(2 - q(1 - f))."""
    rng = np.random.default_rng(2)
    same = np.arange(40000) < 20000
    values = measure(rng.normal(0, 1, 40000) + 2 * same, same)

    def phi(x: float) -> float:
        return (1 + erf(x / sqrt(2))) / 2

    assert values["accuracy"] == pytest.approx(phi(1), abs=0.01)
    assert values["threshold"] == pytest.approx(1, abs=0.15)
    assert values["auc"] == pytest.approx(phi(sqrt(2)), abs=0.01)
    assert values["tar_at_far_0.01"] == pytest.approx(phi(2 - 2.3263), abs=0.03)
    assert values["tar_at_far_0.001"] == pytest.approx(phi(2 - 3.0902), abs=0.04)


def test_thresholds_are_not_fitted_to_the_evaluated_fold() -> None:
    """For random scores, thresholds fitted to the evaluated fold would give an accuracy above one half."""
    rng = np.random.default_rng(3)
    same = np.arange(400) < 200
    means = [cross_validate(rng.random(400), same).mean() for _ in range(40)]
    assert np.mean(means) < 0.51


def test_count_may_exceed_the_number_of_pairs() -> None:
    people = ["a", "a", "b", "b"]
    pairs, same = balanced_pairs(people, 4, 0)
    assert {tuple(p) for p in pairs[same].tolist()} == {(0, 1), (2, 3)}
    assert {tuple(p) for p in pairs[~same].tolist()} <= set(combinations(range(4), 2))
