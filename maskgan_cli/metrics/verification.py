"""Are two faces the same person? What a similarity says about it, measured on pairs.

Protocol of Labeled Faces in the Wild (Huang et al. 2007): as many pairs of one person as of two, accuracy
by ten-fold cross-validation, each fold judged at the threshold that is best on the other nine.
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
    """Pairs of faces, half of one person and half of two; the same for the same seed.

    People take turns, so that those with many pictures do not crowd out the others. Where there are
    too few pairs of one person, both halves shrink.

    Args:
        people: whose face each picture shows.
        count: pairs wanted, rounded down to an even number.
        seed: decides the choice.

    Returns:
        indices (N, 2), those of one person first, and whether each pair is of one person (N,).
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
    total = sum(map(len, faces.values()))
    return (total**2 - sum(len(own) ** 2 for own in faces.values())) // 2


def roc(scores: Numbers, same: Truth) -> tuple[Numbers, Numbers, Numbers]:
    """The receiver operating characteristic, from "nobody passes" to "everybody passes".

    Returns:
        false accept rates, true accept rates, and the lowest score that passes at each point (the
        first is infinite). Equal scores pass together.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, truth = scores[order], same[order]
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    accepted, right = ends + 1, np.cumsum(truth)[ends]
    far = np.append(0.0, (accepted - right) / max(1, int((~same).sum())))
    tar = np.append(0.0, right / max(1, int(same.sum())))
    return far, tar, np.append(np.inf, ordered[ends])


def area(far: Numbers, tar: Numbers) -> float:
    """The area under a `roc`: how often a pair of one person scores above a pair of two."""
    return float(((far[1:] - far[:-1]) * (tar[1:] + tar[:-1]) / 2).sum())


def tar_at_far(scores: Numbers, same: Truth, limit: float) -> float:
    """The largest share of one person's pairs accepted while at most ``limit`` of the others are."""
    far, tar, _ = roc(scores, same)
    return float(tar[far <= limit].max())


def best_threshold(scores: Numbers, same: Truth) -> float:
    """The score from which pairs pass that gets most pairs right, half-way between its neighbours.

    Of several equally good ones, the middle one.
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
    """The accuracy of each fold at the threshold that is best on the others.

    Folds take pairs in turn, of one person and of two alike.
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
    """Everything `maskgan eval verify` says of a set of pairs, each rate in [0, 1].

    At FAR 1e-3 a false accept rate below one pair in a thousand cannot be seen with fewer pairs than
    that; then the rate is the one without any false accept.
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
