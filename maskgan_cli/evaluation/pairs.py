"""Which faces are compared with which: the pairs of the paper's protocols (Sec. 5.4).

Every choice is a pure function of the data set, the split, the count and the seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from maskgan_cli.data.prepared import PreparedData, Sample, attributes_of, poses_of
from maskgan_cli.errors import InputError
from maskgan_cli.files import read_csv

STYLE_ATTRIBUTES: Final = ("Male", "Heavy_Makeup", "No_Beard")
SAME_PERSON: Final = 1e4  # more than any pose is apart: the same person only where nobody else is left

Poses = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A source, a target, and what the result must show.

    Attributes:
        distance: of the two head poses (Euclidean over yaw, pitch and roll), degrees; None if unknown.
        wanted: attribute -> 1 or -1, for the classifier.
        extra: further columns, e.g. the true picture of a rendered pair.
    """

    source: Sample
    target: Sample
    distance: float | None
    wanted: dict[str, int]
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Protocol:
    """How many pairs a protocol takes unless told, and its rule in words, for the record."""

    count: int
    rule: str


_NEAREST = (
    "targets distinct and of another person where one is left, assigned so that the sum of pose distances "
    "(Euclidean over yaw, pitch, roll in degrees) is least"
)
PROTOCOLS: Final = {
    "smiling": Protocol(400, f"sources at random without Smiling; targets with it; {_NEAREST}"),
    "transfer": Protocol(400, f"sources at random without the attribute; targets with it; {_NEAREST}"),
    "style-copy": Protocol(
        1000, "targets at random; sources the same pictures in another order, none with itself, half of the pairs "
        "of different gender as far as the genders go",
    ),
    "identity": Protocol(400, f"sources at random; targets with the opposite of their Smiling; {_NEAREST}"),
    "counterfactual": Protocol(400, "rendered pairs in the order of their list, whose true result was rendered too"),
}  # fmt: skip


def choose(
    data: PreparedData,
    protocol: str,
    *,
    split: str,
    count: int | None,
    seed: int,
    poses: Poses | None = None,
    attribute: str = "Smiling",
) -> list[Pair]:
    """The pairs of ``smiling``, ``transfer``, ``style-copy`` or ``identity``.

    Args:
        attribute: what the targets of ``transfer`` have and its sources lack.
        count: how many at most; the protocol's own number if None. As many as the split has, if it has fewer.
        poses: (N, 3) degrees for the split's samples; the manifest's if None.

    Raises:
        InputError: too few faces, an attribute or a pose that the manifest does not have.
    """
    samples = data.split(split)
    rng = np.random.default_rng(seed)
    most = PROTOCOLS[protocol].count if count is None else count
    if protocol == "style-copy":
        return _style_copy(data, samples, most, rng)
    name = attribute if protocol == "transfer" else "Smiling"
    signs = _signs(samples, name)
    angles = _poses(samples) if poses is None else poses
    among = np.arange(len(samples)) if protocol == "identity" else np.flatnonzero(signs < 0)
    what = "faces" if protocol == "identity" else f"faces without {name}"
    sources = _draw(data, among, most, rng, what, signs)
    groups = [sources[signs[sources] < 0], sources[signs[sources] > 0]]
    chosen: dict[int, tuple[int, float]] = {}
    for group in groups:
        if len(group):
            targets = np.flatnonzero(signs == -signs[group[0]])
            chosen |= _nearest(data, samples, group, targets, angles, name)
    return [
        Pair(samples[i], samples[chosen[i][0]], chosen[i][1], {name: -int(signs[i])})
        for i in (int(v) for v in sources)
    ]  # fmt: skip


def rendered_pairs(data: PreparedData, raw: Path, count: int | None) -> list[Pair]:
    """The pairs of ``synth --counterfactuals`` in ``raw``, their faces taken from the prepared data set.

    Raises:
        InputError: no such pairs, or faces that were not prepared.
    """
    listing = raw / "counterfactuals" / "pairs.csv"
    rows = read_csv(listing)
    if not rows:
        raise InputError(listing, expected="pairs", found="none")
    if missing := [name for name in ("source", "target", "truth", "truth_mask") if name not in rows[0]]:
        raise InputError(listing, expected=f"a column {missing[0]}", found="none")
    by_id = {sample.id: sample for sample in data.samples}
    pairs = []
    for row in rows[:count]:
        source, target = (by_id.get(Path(row[role]).stem) for role in ("source", "target"))
        if source is None or target is None:
            raise InputError(listing, expected=f"faces that are in {data.root}", found=f"{row['source']}, which is not")
        extra = {"truth": str(raw / row["truth"]), "truth_mask": str(raw / row["truth_mask"])}
        pairs.append(Pair(source, target, None, {}, extra))
    return pairs


def _poses(samples: Sequence[Sample]) -> Poses:
    """Head poses (N, 3) in degrees from the manifest; without them, a network can be asked."""
    try:
        return poses_of(samples)
    except InputError as error:
        hint = "prepare the data with its pose file, or name a pose network with --pose-weights"
        raise InputError(error.what, expected=error.expected, found=error.found, hint=hint) from error


def _signs(samples: Sequence[Sample], name: str) -> npt.NDArray[np.int64]:
    """An attribute (N,) as 1 and -1."""
    return np.where(attributes_of(samples, [name])[:, 0], 1, -1)


def _draw(
    data: PreparedData, among: npt.NDArray[np.int64], most: int, rng: np.random.Generator, what: str,
    signs: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:  # fmt: skip
    """``most`` of the faces ``among`` at random, or as many as find a target each."""
    order = rng.permutation(among)
    targets = {sign: int((signs == -sign).sum()) for sign in (-1, 1)}
    rank = np.where(signs[order] < 0, np.cumsum(signs[order] < 0), np.cumsum(signs[order] > 0))
    order = order[rank <= np.where(signs[order] < 0, targets[-1], targets[1])][:most]
    if not len(order):
        raise InputError(data.root, expected=f"{what}, and targets with the opposite", found="none in this split")
    return np.sort(order)


def _nearest(
    data: PreparedData, samples: Sequence[Sample], sources: npt.NDArray[np.int64], targets: npt.NDArray[np.int64],
    poses: Poses, name: str,
) -> dict[int, tuple[int, float]]:  # fmt: skip
    """Source -> its target and their distance."""
    distances = np.linalg.norm(poses[sources][:, None] - poses[targets][None], axis=-1)
    people = np.array([s.fields.get("identity", "") for s in samples])
    same = (people[sources][:, None] == people[targets][None]) & (people[sources] != "")[:, None]
    rows, columns = linear_sum_assignment(distances + SAME_PERSON * same)
    return {int(sources[r]): (int(targets[c]), float(distances[r, c])) for r, c in zip(rows, columns, strict=True)}


def _style_copy(data: PreparedData, samples: list[Sample], most: int, rng: np.random.Generator) -> list[Pair]:
    if min(len(samples), most) < 2:
        raise InputError(data.root, expected="at least two faces", found=str(min(len(samples), most)))
    chosen = np.sort(rng.permutation(np.arange(len(samples)))[:most])
    wanted = {name: _signs(samples, name) for name in STYLE_ATTRIBUTES}
    order = derangement(wanted["Male"][chosen] > 0, rng)
    return [
        Pair(samples[chosen[s]], samples[t], None, {name: int(values[t]) for name, values in wanted.items()})
        for s, t in zip(order, chosen, strict=True)
    ]


def derangement(male: npt.NDArray[np.bool_], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A source for each of N targets: every face once, none with itself, half across the genders.

    Within each gender (in random order) face i goes to face i + 1; those left over at the ends
    cross over. There are as many of them as make half of the pairs, or as the rarer gender has.
    """
    men, women = (rng.permutation(np.flatnonzero(group)) for group in (male, ~male))
    crossing = min(len(men), len(women), max(1, round(len(male) / 4)))
    source = np.zeros(len(male), np.int64)
    leaving, arriving = [], []
    for group in (men, women):
        staying = len(group) - crossing
        turned = np.roll(group, -1)
        source[turned[:staying]] = group[:staying]
        leaving.append(group[staying:])
        arriving.append(turned[staying:])
    source[arriving[1]], source[arriving[0]] = leaving
    return source
