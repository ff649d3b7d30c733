"""Select the rendered faces of the demo by their scene parameters (pose, hair, mouth etc.) before rendering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, permutations
from typing import Final

from maskgan_cli.synth.dataset_plan import DatasetPlan, candidates, pair_of
from maskgan_cli.synth.parameters import Scene
from maskgan_cli.synth.render import head_truth
from maskgan_cli.synth.sampling import sample_identity, sample_scene

PEOPLE: Final = 12  # number of rendered faces, each of another person
_FRONTAL: Final = 15.0  # maximum yaw and pitch in degrees of faces whose shapes are copied to the frontal photo
_FAR: Final = 30.0  # maximum difference in yaw in degrees between source and target of a pair
_LITTLE_HAIR: Final = ("bald", "buzz")


@dataclass(frozen=True)
class Cast:
    """The faces selected for the demo, each given by its picture number in the data set that ``maskgan synth`` renders.

    Attributes:
        seed: seed of the data set.
        mouth: the face whose mouth shape is copied to the photo.
        look: the face whose style is copied to the photo.
        ways: the two faces whose masks are interpolated.
        pairs: (source, target) of each pair of faces for an edit with a known ground truth: a rendering of the source
            face with the target's expression.
    """

    seed: int
    mouth: int
    look: int
    ways: tuple[int, int]
    pairs: list[tuple[int, int]]


@dataclass(frozen=True)
class _Face:
    """A face of the data set that may be selected for the demo."""

    number: int
    scene: Scene
    dark: bool  # whether the hair is black, which differs clearly from the photo's hair
    angle: float  # the larger of absolute yaw and absolute pitch, in degrees

    @property
    def sunglasses(self) -> bool:
        """Whether the face has dark glasses."""
        return self.scene.glasses is not None and self.scene.glasses.dark > 0

    @property
    def bare(self) -> bool:
        """Whether the face has no glasses, hat or beard."""
        return self.scene.glasses is None and self.scene.hat is None and self.scene.beard == "none"


def find_cast(seed: int, size: int, pairs: int) -> Cast:
    """Select the faces of the demo from the first suitable data set.

    The seeds ``seed``, ``seed + 1``, ... are tried until the data set of a seed has all needed faces. The pairs have
    different sources; the two faces of a pair differ in the mouth and wear no sunglasses. Scenes are sampled but not
    rendered.

    Args:
        seed: the first seed to try.
        size: side of the rendered faces in pixels.
        pairs: number of pairs of a source face and a target face.
    """
    for at in count(seed):
        plan = DatasetPlan(PEOPLE, size, PEOPLE, at, pairs)
        if len({candidates(plan, j)[0] for j in range(pairs)}) < pairs:
            continue
        faces = [_sample(at, i) for i in range(PEOPLE)]
        if (roles := _roles(faces)) and (chosen := _pairs(plan, faces)):
            return Cast(at, *roles, chosen)
    raise AssertionError("seeds do not end")


def _sample(seed: int, number: int) -> _Face:
    """Return the random scene parameters of one face of the data set; no picture is rendered.

    Args:
        seed: seed of the data set.
        number: index of the face in the data set.
    """
    person = sample_identity(seed, number)
    scene = sample_scene(seed, number, person)
    yaw, pitch, _ = head_truth(person, scene)
    return _Face(number, scene, person.hair_family == "black", max(abs(yaw), abs(pitch)))


def _roles(faces: list[_Face]) -> tuple[int, int, tuple[int, int]] | None:
    """Return the picture numbers of the faces for `Cast.mouth`, `Cast.look` and `Cast.ways`.

    Return None if one of these three purposes has no suitable face.
    """
    frontal = sorted((f for f in faces if f.angle < _FRONTAL), key=lambda f: f.angle)

    def first(fits: Callable[[_Face], bool]) -> _Face | None:
        return next((f for f in frontal if fits(f)), None)

    mouth = first(lambda f: f.scene.beard == "none" and f.scene.mouth_open)
    ways = next(((a, b) for a, b in permutations((f for f in frontal if f.bare), 2) if _unlike(a, b)), None)
    look = next((f for f in faces if f.bare and f.dark and f.scene.style.name not in _LITTLE_HAIR), None)
    if not (mouth and look and ways):
        return None
    return mouth.number, look.number, (ways[0].number, ways[1].number)


def _unlike(a: _Face, b: _Face) -> bool:
    """Return whether the mouth is closed in ``a`` and open in ``b``.

    An interpolation from ``a`` to ``b`` then shows an opening mouth.
    """
    return not a.scene.mouth_open and b.scene.mouth_open


def _pairs(plan: DatasetPlan, faces: list[_Face]) -> list[tuple[int, int]] | None:
    """Return (source, target) of each pair of faces in a data set's plan; None if one of the pairs is unsuitable.

    A pair is unsuitable if both mouths have the same expression, if one face wears sunglasses, or if the yaws differ
    too much.
    """
    chosen = [pair_of(plan, j) for j in range(plan.counterfactuals)]
    for a, b in ((faces[i], faces[j]) for i, j in chosen):
        alike = (a.scene.smiling, a.scene.mouth_open) == (b.scene.smiling, b.scene.mouth_open)
        if alike or a.sunglasses or b.sunglasses or abs(a.scene.yaw - b.scene.yaw) > _FAR:
            return None
    return chosen
