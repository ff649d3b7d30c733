"""Compute, store and apply edit directions in MaskVAE's latent space, such as more smile or longer hair.

A direction is a vector; adding the vector to the latent code of a mask (one step) changes one property of the face. A
direction belongs to one MaskVAE only.

The package's own directions are computed from pairs of masks of rendered faces. The two masks of a pair differ in one
property only; the direction is the mean difference of their codes. This takes little time, so a direction is computed
when it is needed, with the MaskVAE in use. Directions for the attributes of a data set are computed once (`maskgan
find-directions`) and stored in a file with the MaskVAE's hash.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from maskgan_cli import __version__
from maskgan_cli.data.prepared import Sample
from maskgan_cli.editing.masks import library
from maskgan_cli.editing.masks.direction_limits import limits, obstacle
from maskgan_cli.editing.masks.interpolate import Codes, MaskManifold
from maskgan_cli.editing.masks.motion import PIECES, Motion, measure_motion
from maskgan_cli.errors import InputError
from maskgan_cli.files import sha256, unreadable, write_bytes
from maskgan_cli.labels import CLASSES, GROUPS, LabelMap

# Classes of the mask that each of the package's directions may change.
REACH: Final[Mapping[str, tuple[str, ...]]] = {
    "smile": ("skin", *GROUPS["mouth"]),
    "open-mouth": ("skin", "neck", "background", "cloth", *GROUPS["mouth"]),
    "raise-brows": ("skin", *GROUPS["brows"]),
    "hair-length": ("hair", "background", "neck", "cloth", "skin", *GROUPS["ears"]),
    "face-width": ("skin", "hair", "background", "neck", "cloth", "ear_r", *GROUPS["ears"]),
    "nose-width": ("skin", "nose"),
}
# Pieces of the face that each of the package's directions moves: see `motion.measure_motion`.
_PIECES: Final[Mapping[str, tuple[str, ...]]] = {
    "smile": ("mouth",),
    "open-mouth": ("mouth", "chin"),
    "raise-brows": ("brows",),
    "hair-length": ("hair",),
    "face-width": ("outline",),
    "nose-width": ("nose",),
}
_KEPT: Final = 24  # number of cached motions (measured changes of a mask along a direction)
_LEAST: Final = 2  # smallest number of faces with an attribute, and of faces without it


@dataclass(frozen=True)
class Direction:
    """An edit direction in MaskVAE's latent space, e.g. towards a smile.

    Attributes:
        step: (1, latent), vector that is added to the latent code of a mask for one step.
        reach: names of the mask's classes that the direction may change.
        pieces: names of the pieces of the face that move: see `motion.measure_motion`.
    """

    step: Codes
    reach: tuple[str, ...]
    pieces: tuple[str, ...] = PIECES


@dataclass(frozen=True)
class Step:
    """The result of moving a mask along an edit direction (e.g. smile) by a number of steps.

    Attributes:
        labels: (S, S), the moved mask.
        direction: name of the direction.
        asked: the requested number of steps.
        used: the number of steps made: ``asked``, limited to the range in which the face looks human.
        obstacle: the reason why the direction cannot change this face, e.g. that the mask shows no mouth; else None.
    """

    labels: LabelMap
    direction: str
    asked: float
    used: float
    obstacle: str | None

    @property
    def line(self) -> str | None:
        """Message for the user that says why fewer steps than requested were made; None if all steps were made."""
        if self.obstacle:
            return f"{self.direction} changes nothing: {self.obstacle}"
        if self.used == self.asked:
            return None
        return f"{self.direction}: {self.asked:g} asked, {self.used:g} used; farther this face stops looking human"

    @property
    def note(self) -> dict[str, Any]:
        """Dict that is stored with a result: direction, number of requested and used steps, and the obstacle if any."""
        note = {"direction": self.direction, "asked": self.asked, "used": self.used}
        return note | ({"obstacle": self.obstacle} if self.obstacle else {})


def own_direction(name: str, manifold: MaskManifold) -> Direction:
    """Compute one of the package's own edit directions (e.g. smile) for a MaskVAE.

    Args:
        name: name of the direction, a key of `library.DIRECTIONS`.
        manifold: the MaskVAE.

    Raises:
        InputError: there is no direction of that name.
    """
    steps = [manifold.encode(after) - manifold.encode(before) for before, after in library.pairs(name)]
    return Direction(torch.cat(steps).mean(0, keepdim=True), REACH[name], _PIECES[name])


def attribute_directions(codes: Codes, samples: Sequence[Sample]) -> dict[str, Codes]:
    """Return a dict from attribute to edit direction (1, latent), for the attributes that only some of the faces have.

    The codes are regressed on all attributes together (least squares), so that correlated attributes, e.g. lipstick and
    gender, are separated. One step along a direction leads from a face without the attribute to a face with it.

    Args:
        codes: (N, latent), latent codes of the masks of N faces.
        samples: the N faces, with their attributes from the manifest.

    Returns:
        The dict. Attributes that fewer than two faces have, or that fewer than two faces lack, are left out.

    Raises:
        InputError: the faces do not differ in any attribute.
    """
    names = [name for name in samples[0].fields if all(s.fields.get(name) in ("1", "-1") for s in samples)]
    has = np.array([[float(sample.fields[name] == "1") for name in names] for sample in samples])
    kept = [i for i in range(len(names)) if _LEAST <= has[:, i].sum() <= len(samples) - _LEAST]
    if not kept:
        raise InputError(
            samples[0].image.parent.parent,
            expected="attributes in manifest.csv that faces differ in",
            found="none",
            hint="prepare a data set with an attribute file, or one of `maskgan synth`",
        )
    known = np.concatenate([has[:, kept], np.ones((len(samples), 1))], 1)
    found = np.linalg.lstsq(known, codes.cpu().double().numpy(), rcond=None)[0]
    return {names[i]: torch.from_numpy(found[[row]]).float() for row, i in enumerate(kept)}


def origin(*, vae: str, data: str, split: str, faces: int) -> dict[str, Any]:
    """Return the "origin" of directions: a dict that says how they were computed, to store in the directions' file.

    Args:
        vae: SHA-256 of the MaskVAE's weights.
        data: hash of the data set.
        split: name of the split whose masks were used.
        faces: number of faces.
    """
    return {"kind": "directions", "vae": vae, "data": data, "split": split, "faces": faces, "version": __version__}


def write_directions(
    path: Path, steps: Mapping[str, Codes], about: Mapping[str, Any], *, overwrite: bool = False
) -> Path:
    """Write directions and their `origin` to a safetensors file, and return the path of the file.

    Args:
        path: the file.
        steps: dict from name to direction (1, latent).
        about: the `origin` of the directions.
        overwrite: replace an existing file.
    """
    tensors = {name: step.cpu().contiguous() for name, step in steps.items()}
    return write_bytes(path, save(tensors, {"maskgan": json.dumps(about, sort_keys=True)}), overwrite=overwrite)


def read_directions(path: Path) -> tuple[dict[str, Codes], dict[str, Any]]:
    """Read a file of directions; return a dict from name to direction (1, latent), and the `origin` of the directions.

    Raises:
        InputError: the file is missing, corrupt, or not a file of directions.
    """
    expected = "directions written by `maskgan find-directions`"
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("maskgan", "null"))
            steps = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError, ValueError) as error:
        raise unreadable(path, error, expected) from error
    if not isinstance(about, dict) or about.get("kind") != "directions" or not isinstance(about.get("vae"), str):
        raise InputError(path, expected=expected, found="another safetensors file")
    return steps, about


def kept_directions(path: Path, about: Mapping[str, Any]) -> dict[str, Codes] | None:
    """Load directions in the latent space from a file: a dict from name (e.g. smile) to direction (1, latent).

    Args:
        path: the file.
        about: the network and data that the directions must have been computed with.

    Returns:
        The directions; None if the file records another origin, is missing or is not a file of directions.
    """
    try:
        steps, found = read_directions(path)
    except InputError:
        return None
    return steps if found == about else None


class Directions:
    """The named edit directions (e.g. smile) of one MaskVAE, with methods that move masks along a direction.

    Args:
        manifold: the MaskVAE.
        file: file with further directions, written by `maskgan find-directions`; None: only the package's own.
        say: function that is called with a message if a mask cannot be moved by the requested number of steps.

    Raises:
        InputError: the file cannot be read, or belongs to another MaskVAE.
    """

    def __init__(
        self, manifold: MaskManifold, file: Path | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self._say = say
        self._manifold, self._known = manifold, dict[str, Direction]()
        self._motions: dict[tuple[str, tuple[int, ...], bytes], Motion] = {}
        self._ranges: dict[int, tuple[float, float]] = {}  # by the motion's identity
        self.note = {"vae": manifold.weights.sha256}
        if file is None:
            return
        steps, about = read_directions(file)
        if about["vae"] != manifold.weights.sha256:
            raise InputError(
                file,
                expected=f"directions of the MaskVAE in use ({manifold.weights.sha256[:12]})",
                found=f"those of another ({about['vae'][:12]})",
                hint="compute them with `maskgan find-directions DATA -o FILE`, or name their MaskVAE with "
                "--vae-weights",
            )
        if wrong := next((name for name, step in steps.items() if not self._fits(step)), None):
            raise InputError(file, expected=f"codes of {self._latent} numbers", found=f"something else for {wrong}")
        self._known = {name: Direction(step.to(manifold.device), CLASSES) for name, step in steps.items()}
        self.note["directions"] = sha256(file)

    @property
    def _latent(self) -> int:
        """Number of values in a latent code of the MaskVAE."""
        return int(self._manifold.network.config.latent)

    def _fits(self, step: Codes) -> bool:
        """Return whether a direction is a finite float32 vector of this MaskVAE's latent size."""
        return step.shape == (1, self._latent) and step.dtype == torch.float32 and bool(torch.isfinite(step).all())

    def find(self, name: str) -> Direction:
        """Return the direction with this name. The package's own directions are computed at the first use.

        Raises:
            InputError: there is no direction of that name.
        """
        if name not in self._known:
            library.known("--along", name, [*self._known, *(n for n in library.DIRECTIONS if n not in self._known)])
            self._known[name] = own_direction(name, self._manifold)
        return self._known[name]

    def move(self, labels: LabelMap, name: str, amount: float, *, beyond: bool = False) -> LabelMap:
        """Move a label map (S, S) by ``amount`` steps along a direction, and return the moved label map; see `step`."""
        return self.step(labels, name, amount, beyond=beyond).labels

    def step(self, labels: LabelMap, name: str, amount: float, *, beyond: bool = False) -> Step:
        """Move a label map along an edit direction; return the moved label map, and the number of steps made.

        Args:
            labels: (S, S), the label map.
            name: name of the direction.
            amount: number of steps, also fractions; below 0 backwards.
            beyond: do not limit ``amount`` to `range`.

        Raises:
            InputError: there is no direction of that name.
        """
        motion = self._motion(labels, name)
        reason = obstacle(motion, labels)
        low, high = (-math.inf, math.inf) if beyond else self.range(labels, name)
        used = 0.0 if reason else min(max(amount, low), high)
        found = Step(motion.apply(labels, used), name, amount, used, reason)
        if found.line and self._say is not None:
            self._say(found.line)
        return found

    def range(self, labels: LabelMap, name: str) -> tuple[float, float]:
        """Return the range of steps along an edit direction in which a face still looks human.

        The range is the lowest (0 or below) and the highest (0 or above) number of steps. Both numbers are 0 if the
        mask lacks the part that the direction changes. Results are cached.

        Args:
            labels: (S, S), the face's mask.
            name: name of the direction.

        Raises:
            InputError: there is no direction of that name.
        """
        motion = self._motion(labels, name)
        if id(motion) not in self._ranges:
            self._ranges[id(motion)] = (0.0, 0.0) if obstacle(motion, labels) else limits(motion)
        return self._ranges[id(motion)]

    def _motion(self, labels: LabelMap, name: str) -> Motion:
        """Return the change of a mask (S, S) for one step along the direction ``name``, measured or from the cache.

        The last 24 measured changes are cached, because a slider of the browser editor moves the same mask many times.
        """
        key = (name, labels.shape, labels.tobytes())
        if key not in self._motions:
            found = self.find(name)
            if len(self._motions) >= _KEPT:
                self._ranges.pop(id(self._motions.pop(next(iter(self._motions)))), None)
            self._motions[key] = measure_motion(
                labels, self._manifold, found.step, pieces=found.pieces, reach=found.reach
            )
        return self._motions[key]
