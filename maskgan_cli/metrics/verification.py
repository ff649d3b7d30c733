"""Face verification: measure how well a similarity score separates genuine from impostor pairs of pictures.

A genuine pair shows one person twice, an impostor pair shows two different people. The protocol is that of Labeled
Faces in the Wild (Huang et al. 2007): there are as many genuine as impostor pairs, and accuracy is measured by ten-fold
cross-validation, where each fold uses the threshold that is best on the other nine folds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]


def balanced_pairs(people: Sequence[str], count: int, seed: int) -> tuple[npt.NDArray[np.int64], Truth]:
    """Sample pairs of pictures; half of the pairs show the same person (genuine), half two people (impostor).

    Genuine pairs are drawn in rounds, one pair of each person per round, so that people with many pictures do not
    dominate. If there are too few genuine or impostor pairs, both halves are reduced equally.

    Args:
        people: name of the person shown in each picture.
        count: number of pairs, rounded down to an even number.
        seed: seed of the random choice.

    Returns:
        (N, 2), indices of the two pictures of each pair, genuine pairs first; and (N,), whether each pair is genuine.
    """
    rng = np.random.default_rng(seed)
    faces = defaultdict(list)
    for index, person in enumerate(people):
        faces[person].append(index)
    turns = []
    for indices in faces.values():
        own = list(combinations(indices, 2))
        turns += [(turn, rng.random(), own[k]) for turn, k in enumerate(rng.permutation(len(own)))]
    same = [pair for _, _, pair in sorted(turns)[: count // 2]]
    others: dict[tuple[int, int], None] = {}  # an ordered set
    wanted = len(same) if len(faces) > 1 else 0
    while len(others) < min(wanted, _pairs_of_two(faces)):
        a, b = sorted(rng.integers(len(people), size=2).tolist())
        if people[a] != people[b]:
            others[a, b] = None
    same = same[: len(others)]
    pairs = np.array([*same, *others], np.int64).reshape(-1, 2)
    return pairs, np.arange(len(pairs)) < len(same)


def _pairs_of_two(faces: dict[str, list[int]]) -> int:
    """Return the number of possible impostor pairs (pairs of pictures of two different people).

    Args:
        faces: dict from a person's name to the indices of the pictures that show this person.
    """
    total = sum(map(len, faces.values()))
    return (total**2 - sum(len(own) ** 2 for own in faces.values())) // 2


def roc(scores: Numbers, same: Truth) -> tuple[Numbers, Numbers, Numbers]:
    """Return the receiver operating characteristic (ROC), from no pair accepted to all pairs accepted.

    Args:
        scores: (N,), similarity of the two pictures of each pair.
        same: (N,), whether each pair is genuine.

    Returns:
        Three arrays of equal length: false accept rates, true accept rates and thresholds of the points of the curve. A
        pair is accepted if its score is at least the threshold. The first threshold is infinite, so that no pair is
        accepted. The others are the scores that occur, in descending order.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, truth = scores[order], same[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    accepted, right = ends + 1, np.cumsum(truth)[ends]
    far = np.append(0.0, (accepted - right) / max(1, int((~same).sum())))
    tar = np.append(0.0, right / max(1, int(same.sum())))
    return far, tar, np.append(np.inf, ordered[ends])


def area(far: Numbers, tar: Numbers) -> float:
    """Return the area under the ROC curve: the probability that a genuine pair scores higher than an impostor pair.

    Args:
        far, tar: false and true accept rates from `roc`.
    """
    return float(((far[1:] - far[:-1]) * (tar[1:] + tar[:-1]) / 2).sum())


def tar_at_far(scores: Numbers, same: Truth, limit: float) -> float:
    """Return the highest true accept rate at which the false accept rate is at most ``limit``.

    For ``scores`` and ``same`` see `roc`.
    """
    far, tar, _ = roc(scores, same)
    return float(tar[far <= limit].max())


def best_threshold(scores: Numbers, same: Truth) -> float:
    """Return the threshold of the score that classifies most pairs correctly; it lies midway between two scores.

    If several thresholds are equally good, the middle one is returned. For the arguments see `roc`.
    """
    far, tar, lowest = roc(scores, same)
    right = tar * same.sum() + (1 - far) * (~same).sum()
    best = np.flatnonzero(right >= right.max() - 1e-9)
    place = best[len(best) // 2]
    if place == 0:
        return float(np.nextafter(scores.max(), np.inf))
    below = lowest[place + 1] if place + 1 < len(lowest) else lowest[place]
    return float((lowest[place] + below) / 2)


def cross_validate(scores: Numbers, same: Truth, folds: int = 10) -> Numbers:
    """Return the accuracy (folds,) on each fold, in [0, 1], with the threshold that is best on all other folds.

    Genuine pairs are distributed evenly over the folds, and so are impostor pairs. For ``scores`` and ``same`` see
    `roc`.
    """
    place = np.empty(len(scores), np.int64)
    for kind in (same, ~same):
        place[kind] = np.arange(int(kind.sum())) % folds
    accuracies = []
    for fold in range(folds):
        held = place == fold
        if held.any():
            threshold = best_threshold(scores[~held], same[~held])
            accuracies.append(((scores[held] >= threshold) == same[held]).mean())
    return np.array(accuracies)


def measure(scores: Numbers, same: Truth) -> dict[str, Any]:
    """Return a dict from metric name to value, with all metrics of `maskgan eval verify`; rates are in [0, 1].

    With fewer than 1000 impostor pairs, a false accept rate (FAR) of 0.001 allows no false accept at all. In that case,
    ``tar_at_far_0.001`` is the true accept rate (TAR) at a FAR of 0. For the arguments see `roc`.
    """
    accuracies = cross_validate(scores, same)
    far, tar, _ = roc(scores, same)
    return {
        "accuracy": float(accuracies.mean()),
        "accuracy_deviation": float(accuracies.std()),
        "threshold": best_threshold(scores, same),
        "auc": area(far, tar),
        "tar_at_far_0.01": tar_at_far(scores, same, 0.01),
        "tar_at_far_0.001": tar_at_far(scores, same, 0.001),
        "pairs": len(scores),
    }
