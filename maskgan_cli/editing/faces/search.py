"""Faces in photos: detection, numbers from the left, choice, crops."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch

from maskgan_cli.data.alignment import Points
from maskgan_cli.data.crop import oriented_square, side_of
from maskgan_cli.editing.faces.cutouts import LEAST, Cutout
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture
from maskgan_cli.judges.finder import SURE, FaceFinder, Found, largest

# In photos that lie on their side, the detector finds false faces (confidence 0.97 in the astronaut's photo).
_CERTAIN: Final = 0.99
Which = int | str | None  # a number from 1, "all", or None for the largest


def _surest(faces: list[Found]) -> float:
    return max((face.confidence for face in faces), default=0.0)


class DirectionFinder:
    """Detects faces in pictures that may lie on their side or stand on their head.

    Args:
        device: of the detector.
    """

    def __init__(self, device: torch.device) -> None:
        self._finder = FaceFinder(device)

    def find_all(self, picture: Picture, *, sure: float = SURE) -> list[Found]:
        """All faces in a picture (H, W, 3) with a confidence of at least ``sure``, from left to right.

        The detector is trained on upright faces. If no face has a high confidence, the picture may be rotated, as
        photos without EXIF data are. Then it is also searched after one to three quarter turns, and the rotation with
        the highest confidence is used. Points are those of the picture itself.
        """
        found = self._finder.find_all(picture, sure=sure)
        if _surest(found) < _CERTAIN:
            found = max(found, *(self._turned(picture, turns, sure) for turns in (1, 3, 2)), key=_surest)
        return found

    def _turned(self, picture: Picture, turns: int, sure: float) -> list[Found]:
        """The faces of a picture after so many quarter turns, with points of the picture itself."""
        faces = self._finder.find_all(np.ascontiguousarray(np.rot90(picture, turns)), sure=sure)
        sides = picture.shape[1::-1]
        found = []
        for face in faces:
            points = face.points
            for turn in reversed(range(turns)):  # a quarter turn moves (x, y) to (y, width - x)
                points = np.stack([sides[turn % 2] - points[:, 1], points[:, 0]], 1)
            found.append(replace(face, points=points))
        return sorted(found, key=lambda face: float(face.points[:, 0].mean()))


class NoFace(InputError):
    """No face was detected in a photo; it may be rotated."""


@dataclass(frozen=True)
class Hints:
    """What messages advise: if a photo has no face, no face of a number, or only small faces."""

    none: str
    number: str
    small: str


COMMANDS: Final = Hints(
    "leave it out", "`maskgan align --overview` draws their numbers", "take a larger picture, or use it with --force"
)


class PhotoSearch:
    """Detects the faces of photos; the faces of the last photo are cached.

    Args:
        device: of the detector.
        force: accept small faces, and faces with a low confidence.
        large: only faces that are large enough count and have numbers.
        hints: for messages.
    """

    def __init__(
        self, device: torch.device, *, force: bool = False, large: bool = False, hints: Hints = COMMANDS
    ) -> None:
        self._finder, self._force, self._only_large, self._hints = DirectionFinder(device), force, large, hints
        self._last: tuple[weakref.ref[Photo], list[Found]] | None = None

    def faces(self, photo: Photo) -> list[Found]:
        """All faces of a photo, from left to right: see `DirectionFinder`."""
        if self._last is None or self._last[0]() is not photo:
            found = self._finder.find_all(photo.picture, sure=0.0 if self._force else SURE)
            self._last = (weakref.ref(photo), found)
        return self._last[1]

    def points(self, photo: Photo, scale: float = 1.0) -> Points | None:
        """The points (5, 2) of the photo's largest face, multiplied by ``scale``; None without one."""
        return largest(self.faces(photo), scale)

    def cut(self, photo: Photo, size: int, which: Which = None) -> list[Cutout]:
        """The chosen face, or all faces, as crops of ``size`` pixels.

        Raises:
            NoFace: the photo has no face.
            InputError: it has no face of that number, or the face has less than 64 pixels (unless ``force``).
        """
        faces = self.faces(photo)
        if not faces:
            raise NoFace(photo.path, expected="a photo with a face", found="no face", hint=self._hints.none)
        squares = [side_of(oriented_square(face.points)) for face in faces]
        if self._only_large:
            self._check_side(photo, max(squares))
            faces = [face for face, side in zip(faces, squares, strict=True) if side >= LEAST]
        cutouts = [Cutout.of(photo, face, size, n, len(faces)) for n, face in enumerate(faces, start=1)]
        if which is None:
            cutouts = [max(cutouts, key=lambda one: one.side)]
        elif which != "all":
            if int(which) > len(cutouts):
                raise InputError(
                    photo.path,
                    expected=f"face {which}",
                    found=f"{len(faces)} face{'s' if faces[1:] else ''}",
                    hint=self._hints.number,
                )
            cutouts = [cutouts[int(which) - 1]]
        elif not self._force:
            large = [one for one in cutouts if one.side >= LEAST]
            cutouts = large or cutouts
        self._check_side(photo, min(one.side for one in cutouts))
        return cutouts

    def _check_side(self, photo: Photo, side: float) -> None:
        """Check the side of a face's square.

        Raises:
            InputError: it is too small.
        """
        if not self._force and side < LEAST:
            raise InputError(
                photo.path,
                expected=f"a face of at least {LEAST} pixels",
                found=f"one whose square has {side:.0f}",
                hint=self._hints.small,
            )
