"""Choice of pairs of source and target faces by the paper's protocols (Sec. 5.4).

The source is the face to edit; the target is the face whose mouth shape or style the result takes. The choice depends
only on protocol, data set, split, count and seed.
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
SAME_PERSON: Final = 1e4  # added to the distance of faces of one person; larger than all pose distances

Poses = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """A source face, a target face, and the attributes that the result must have.

    Attributes:
        source: the face to edit.
        target: the face whose mouth shape or style the result takes.
        distance: Euclidean distance of the two head poses (yaw, pitch, roll) in degrees; None if unknown.
        wanted: dict from the name of an attribute to 1 (must be present in the result) or -1 (must be absent).
        extra: further columns of the pair in the CSV file, e.g. ``truth``, the ground truth of a rendered pair.
    """

    source: Sample
    target: Sample
    distance: float | None
    wanted: dict[str, int]
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PairProtocol:
    """A protocol: its default number of pairs, and a description of the rule by which pairs are chosen."""

    count: int
    rule: str


_NEAREST = (
    "targets distinct and of another person where one is left, assigned so that the sum of pose distances "
    "(Euclidean over yaw, pitch, roll in degrees) is least"
)
PROTOCOLS: Final = {
    "smiling": PairProtocol(400, f"sources at random without Smiling; targets with it; {_NEAREST}"),
    "transfer": PairProtocol(400, f"sources at random without the attribute; targets with it; {_NEAREST}"),
    "style-copy": PairProtocol(
        1000,
        "targets at random; sources the same pictures in another order, none with itself, half of the pairs "
        "of different gender as far as the genders go",
    ),
    "identity": PairProtocol(400, f"sources at random; targets with the opposite of their Smiling; {_NEAREST}"),
    "counterfactual": PairProtocol(
        400, "rendered pairs in the order of their list, whose true result was rendered too"
    ),
}


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
    """Choose pairs of faces by the protocol ``smiling``, ``transfer``, ``style-copy`` or ``identity``.

    Args:
        data: the faces.
        protocol: one of these four; `PROTOCOLS` describes the rules.
        split: split of the data set from which the faces are chosen.
        count: largest number of pairs; None: the protocol's default.
        seed: seed of the random choice.
        poses: head poses (N, 3) in degrees of the split's samples; None: those of the manifest.
        attribute: for ``transfer``, the attribute that targets have and sources lack.

    Raises:
        InputError: there are too few faces, or the manifest has no such attribute or no poses.
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
    kind = "faces" if protocol == "identity" else f"faces without {name}"
    sources = _draw(data, among, most, rng, kind, signs)
    groups = [sources[signs[sources] < 0], sources[signs[sources] > 0]]
    chosen: dict[int, tuple[int, float]] = {}
    for group in groups:
        if len(group):
            targets = np.flatnonzero(signs == -signs[group[0]])
            chosen |= _nearest(samples, group, targets, angles)
    return [
        Pair(samples[i], samples[chosen[i][0]], chosen[i][1], {name: -int(signs[i])})
        for i in (int(source) for source in sources)
    ]


def rendered_pairs(data: PreparedData, raw: Path, count: int | None) -> list[Pair]:
    """Read the pairs that ``synth --counterfactuals`` wrote, for the protocol ``counterfactual``.

    Args:
        data: the prepared data set, whose faces the pairs refer to.
        raw: the folder that ``synth`` wrote, from which ``data`` was prepared; it contains the ground truth.
        count: largest number of pairs; None: all.

    Raises:
        InputError: there are no such pairs, or faces are missing in the data set.
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
    """Return the samples' head poses (N, 3) in degrees from the manifest.

    Raises:
        InputError: poses are missing; the hint says how to get them.
    """
    try:
        return poses_of(samples)
    except InputError as error:
        hint = "prepare the data with its pose file, or name a pose network with --pose-weights"
        raise InputError(error.what, expected=error.expected, found=error.found, hint=hint) from error


def _signs(samples: Sequence[Sample], name: str) -> npt.NDArray[np.int64]:
    """Return the values (N,) of an attribute for these samples: 1 (present) or -1 (absent)."""
    return np.where(attributes_of(samples, [name])[:, 0], 1, -1)


def _draw(
    data: PreparedData,
    among: npt.NDArray[np.int64],
    most: int,
    rng: np.random.Generator,
    kind: str,
    signs: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Choose the source faces of the pairs at random, and return their indices.

    The targets of sources with the attribute are faces without it, and vice versa. No more sources are chosen
    than there are faces that can be their targets.

    Args:
        data: the data set, for the error.
        among: indices of the faces that can be sources.
        most: largest number of sources.
        rng: generator of the random choice.
        kind: description of the sources, for the error.
        signs: value of the attribute for every face, 1 or -1; a source and its target have opposite values.

    Returns:
        sorted indices of the sources.

    Raises:
        InputError: there are no sources or no targets.
    """
    order = rng.permutation(among)
    targets = {sign: int((signs == -sign).sum()) for sign in (-1, 1)}
    rank = np.where(signs[order] < 0, np.cumsum(signs[order] < 0), np.cumsum(signs[order] > 0))
    order = order[rank <= np.where(signs[order] < 0, targets[-1], targets[1])][:most]
    if not len(order):
        raise InputError(data.root, expected=f"{kind}, and targets with the opposite", found="none in this split")
    return np.sort(order)


def _nearest(
    samples: Sequence[Sample], sources: npt.NDArray[np.int64], targets: npt.NDArray[np.int64], poses: Poses
) -> dict[int, tuple[int, float]]:
    """Assign a target to each source, so that no target is used twice and the sum of pose distances is smallest.

    A target of the same person is chosen only if no other is left.

    Args:
        samples: all faces of the split.
        sources: indices of the sources.
        targets: indices of the faces that can be targets.
        poses: head poses (N, 3) of all faces in degrees.

    Returns:
        a dict from the index of each source to (index of its target, distance of the two head poses in degrees).
    """
    distances = np.linalg.norm(poses[sources][:, None] - poses[targets][None], axis=-1)
    people = np.array([s.fields.get("identity", "") for s in samples])
    same = (people[sources][:, None] == people[targets][None]) & (people[sources] != "")[:, None]
    rows, columns = linear_sum_assignment(distances + SAME_PERSON * same)
    return {int(sources[r]): (int(targets[c]), float(distances[r, c])) for r, c in zip(rows, columns, strict=True)}


def _style_copy(data: PreparedData, samples: list[Sample], most: int, rng: np.random.Generator) -> list[Pair]:
    """Choose at most ``most`` pairs by the protocol ``style-copy``, see `PROTOCOLS` and `derangement`."""
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
    """Choose a source for each of N faces among the other faces; about half of the sources have the other gender.

    Every face is the source of exactly one other face. The faces of each gender are put into a random order, in which
    face i is the source of face i + 1. The last faces in the order of each gender become sources of the other gender
    instead: about N / 4 men and N / 4 women, or fewer if one gender is rare.

    Args:
        male: whether each face is male (N,).
        rng: generator of the random order.

    Returns:
        for each face, the index of its source (N,).
    """
    men, women = (rng.permutation(np.flatnonzero(group)) for group in (male, ~male))
    crossing = min(len(men), len(women), max(1, round(len(male) / 4)))
    source = np.zeros(len(male), np.int64)
    remaining_sources, remaining_targets = [], []
    for group in (men, women):
        within = len(group) - crossing
        following = np.roll(group, -1)
        source[following[:within]] = group[:within]
        remaining_sources.append(group[within:])
        remaining_targets.append(following[within:])
    source[remaining_targets[1]], source[remaining_targets[0]] = remaining_sources
    return source
