"""Detects in which class order a label map was written, from the positions and sizes of its parts.

The class order says which class each id stands for, e.g. whether id 2 is the nose or the left brow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from maskgan_cli.labels import GROUPS, ID, ORDERS, LabelMap, convert

# Pairs of parts; in an upright face, the first is above the second.
_ABOVE: Final = (
    ("brows", "eyes"),
    ("brows", "nose"),
    ("eyes", "nose"),
    ("nose", "lips"),
    ("eyes", "mouth"),
    ("u_lip", "l_lip"),
    ("eyes", "neck"),
    ("lips", "neck"),
    ("lips", "cloth"),
    ("hat", "nose"),
    ("hair", "cloth"),
)
# Pairs of parts; in an upright face, the first is left of the second in the picture.
_LEFT_OF: Final = (("r_eye", "l_eye"), ("r_brow", "l_brow"), ("r_ear", "l_ear"))
# Parts that must be inside the skin, parts that must be smaller than the skin, and parts that must be smaller than the
# nose. These relations do not depend on the face's rotation.
_IN_SKIN: Final = ("nose", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip")
_SMALLER_THAN_SKIN: Final = (*_IN_SKIN, "eye_g", "l_ear", "r_ear", "ear_r")
_SMALLER_THAN_NOSE: Final = _IN_SKIN[1:]

_LEAST: Final = 4  # parts with fewer pixels are ignored
_MARGIN: Final = 3  # minimum difference of scores for another order to be suggested
_FEW: Final = 2  # number of wrong relations from which an order is doubtful; a hand over a face can cause one
_MANY: Final = 3  # number of wrong relations that does not occur in real faces; two occur in CelebAMask-HQ
# Directions of "down" and "right" as (row, column), for faces rotated by 0, 90, 180 and 270 degrees.
_TURNS: Final = (((1, 0), (0, 1)), ((0, -1), (1, 0)), ((-1, 0), (0, -1)), ((0, 1), (-1, 0)))

Numbers = npt.NDArray[Any]


def suspected_order(labels: LabelMap, order: str = "celebamask") -> str:
    """Return the class order in which a label map was probably written, if this order is not ``order``.

    The result is a key of `labels.ORDERS`. It is an empty string unless the label map, read in that other order, is a
    clearly more plausible face.

    Args:
        labels: label map (H, W), already converted from the class order ``order`` to the project's class ids.
        order: the class order that was assumed, a key of `labels.ORDERS`.
    """
    fit = _best_fit(labels)
    if not fit.wrong:
        return ""
    stored = convert(labels, "celebamask", order)
    for other in ORDERS:
        if other != order:
            found = _Parts(convert(stored, other)).fit(0)
            if len(found.wrong) < _FEW and found.score - fit.score >= _MARGIN:
                return other
    return ""


def contradictions(labels: LabelMap) -> list[str]:
    """Return a list of implausible positions and sizes of parts in a label map (H, W), e.g. ``["eyes below nose"]``.

    Correct masks can have one or two such errors too. So the list is empty unless there are three or more errors, or
    two errors that both say that a left and a right part are exchanged. Faces that are rotated by 90, 180 or 270
    degrees are accepted.
    """
    wrong = _best_fit(labels).wrong
    exchanged = len(wrong) >= _FEW and all(" right of " in relation for relation in wrong)
    return wrong if len(wrong) >= _MANY or exchanged else []


@dataclass(frozen=True)
class _Fit:
    """The result of comparing the positions and sizes of a label map's parts with those of a face.

    Attributes:
        right: number of passed checks, e.g. that the brows are above the eyes.
        wrong: descriptions of the failed checks, e.g. ``brows below eyes``.
    """

    right: int
    wrong: list[str]

    @property
    def score(self) -> int:
        """Number of passed checks minus number of failed checks; higher is more plausible."""
        return self.right - len(self.wrong)


def _best_fit(labels: LabelMap) -> _Fit:
    """Check the parts of a label map (H, W) for a face that is rotated by 0, 90, 180 and 270 degrees.

    Return the result with the highest score among the four rotations.
    """
    parts = _Parts(labels)
    return max((parts.fit(turn) for turn in range(len(_TURNS))), key=lambda fit: fit.score)


class _Parts:
    """Sizes and mean positions of the parts of a label map (H, W)."""

    def __init__(self, labels: LabelMap) -> None:
        # number of pixels of each class per row (19, H) and per column (19, W)
        self.lines = [
            np.stack([np.count_nonzero(labels == i, axis=1 - axis) for i in range(len(ID))]) for axis in (0, 1)
        ]
        self.counts = self.lines[0].sum(1)

    def fit(self, turn: int) -> _Fit:
        """Check the positions and sizes of the parts, and return the result.

        The face is assumed to be rotated clockwise by ``turn`` (0 to 3) times 90 degrees.
        """
        relations = self._positions(turn) + self._surroundings() + self._sizes()
        wrong = [text for holds, text in relations if not holds]
        return _Fit(len(relations) - len(wrong), wrong)

    def _positions(self, turn: int) -> list[tuple[bool, str]]:
        """Check, for the pairs in `_ABOVE` and `_LEFT_OF`, that one part is above or left of the other part.

        ``turn`` is the assumed rotation of the face, see `fit`.

        Returns:
            For each pair whose two parts exist: whether the check is passed, and the text to report if it is not.
        """
        found = []
        for pairs, direction, word in zip((_ABOVE, _LEFT_OF), _TURNS[turn], ("below", "right of"), strict=True):
            for first, second in pairs:
                if self._has(first) and self._has(second):
                    step = (self._mean(second) - self._mean(first)) @ np.array(direction)
                    found.append((bool(step >= 0), f"{first} {word} {second}"))
        return found

    def _surroundings(self) -> list[tuple[bool, str]]:
        """Check that the centres of eyes, brows, nose, mouth and lips (`_IN_SKIN`) are in the skin's bounding box.

        Returns:
            For each part that exists: whether the check is passed, and the text to report if it is not.
        """
        if not self._has("skin"):
            return []
        extent = [np.nonzero(line[ID["skin"]])[0] for line in self.lines]
        low, high = (np.array([end(places) for places in extent]) for end in (np.min, np.max))
        inside = [(name, self._mean(name)) for name in _IN_SKIN if self._has(name)]
        return [(bool((low <= mean).all() and (mean <= high).all()), f"{name} outside skin") for name, mean in inside]

    def _sizes(self) -> list[tuple[bool, str]]:
        """Check that no part in `_SMALLER_THAN_SKIN` has more pixels than the skin.

        Also check that no part in `_SMALLER_THAN_NOSE` (eyes, brows, mouth and lips) has more pixels than the nose.

        Returns:
            For each checked part: whether the check is passed, and the text to report if it is not.
        """
        return [
            (bool(self.counts[ID[part]] <= self.counts[ID[large]]), f"{part} larger than {large}")
            for large, parts in (("skin", _SMALLER_THAN_SKIN), ("nose", _SMALLER_THAN_NOSE))
            if self._has(large)
            for part in parts
            if self._has(part)
        ]

    def _has(self, name: str) -> bool:
        return bool(self.counts[_ids(name)].sum() >= _LEAST)

    def _mean(self, name: str) -> Numbers:
        """Return the mean position (row, column) of the part or group of parts with this name."""
        sums = [lines[_ids(name)].sum(0) @ np.arange(lines.shape[1]) for lines in self.lines]
        return np.asarray(np.array(sums) / self.counts[_ids(name)].sum())


def _ids(name: str) -> list[int]:
    return [ID[part] for part in GROUPS.get(name, (name,))]
