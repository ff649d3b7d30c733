"""Detect the faces of a photo, number them from left to right, and cut out the chosen face or all faces."""

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

# Below this confidence, rotated versions of a photo are tried. It is high, because in photos that lie on their side the
# detector finds false faces (confidence 0.97 in the astronaut's photo).
_CERTAIN: Final = 0.99
Which = int | str | None  # a number from 1, "all", or None for the largest


def _surest(faces: list[Found]) -> float:
    """Return the highest detection confidence (0 to 1) among the detected faces; 0 if there are no faces."""
    return max((face.confidence for face in faces), default=0.0)


class DirectionFinder:
    """A face detector for pictures that may be rotated by 90, 180 or 270 degrees.

    Args:
        device: device on which the detector runs.
    """

    def __init__(self, device: torch.device) -> None:
        self._finder = FaceFinder(device)

    def find_all(self, picture: Picture, *, sure: float = SURE) -> list[Found]:
        """Detect all faces in a picture (H, W, 3) with a confidence of at least ``sure``, from left to right.

        The detector is trained on upright faces. If no face has a high confidence, the picture may be rotated, as
        photos without EXIF data often are. Then detection is repeated on the picture rotated by 90, 180 and 270
        degrees, and the rotation with the highest confidence is used. Landmarks are always returned in coordinates of
        the picture that was passed.
        """
        found = self._finder.find_all(picture, sure=sure)
        if _surest(found) < _CERTAIN:
            found = max(found, *(self._turned(picture, turns, sure) for turns in (1, 3, 2)), key=_surest)
        return found

    def _turned(self, picture: Picture, turns: int, sure: float) -> list[Found]:
        """Detect faces in a rotated copy of a picture; return them with landmarks in the picture before the rotation.

        Args:
            picture: (H, W, 3).
            turns: number of rotations by 90 degrees, counterclockwise.
            sure: minimum detection confidence of the returned faces.
        """
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
    """Error: no face was detected in a photo, nor in rotated copies of the photo."""


@dataclass(frozen=True)
class Hints:
    """Texts with advice for the user, which are added to error messages about a photo.

    Attributes:
        none: advice if the photo has no face.
        number: advice if the photo has no face of the requested number.
        small: advice if the face is too small.
    """

    none: str
    number: str
    small: str


COMMANDS: Final = Hints(
    "leave it out", "`maskgan align --overview` draws their numbers", "take a larger picture, or use it with --force"
)


class PhotoSearch:
    """Detects the faces of photos and cuts them out. The detected faces of the last photo are cached.

    Args:
        device: device on which the detector runs.
        force: accept faces smaller than 64 pixels, and faces with a low confidence.
        large: True: faces smaller than 64 pixels are ignored and get no numbers. False: such faces are numbered
            too, but cannot be cut out, except with ``force``.
        hints: advice in error messages.
    """

    def __init__(
        self, device: torch.device, *, force: bool = False, large: bool = False, hints: Hints = COMMANDS
    ) -> None:
        self._finder, self._force, self._only_large, self._hints = DirectionFinder(device), force, large, hints
        self._last: tuple[weakref.ref[Photo], list[Found]] | None = None

    def faces(self, photo: Photo) -> list[Found]:
        """Detect all faces of a photo, from left to right; the photo may be rotated: see `DirectionFinder`."""
        if self._last is None or self._last[0]() is not photo:
            found = self._finder.find_all(photo.picture, sure=0.0 if self._force else SURE)
            self._last = (weakref.ref(photo), found)
        return self._last[1]

    def points(self, photo: Photo, scale: float = 1.0) -> Points | None:
        """Return the landmarks (5, 2) of the largest face, multiplied by ``scale``; None if the photo has no face."""
        return largest(self.faces(photo), scale)

    def cut(self, photo: Photo, size: int, which: Which = None) -> list[Cutout]:
        """Cut the chosen face, or all faces, out of a photo.

        Args:
            photo: the photo.
            size: side of the crops in pixels.
            which: number of the face, counted from the left from 1; None: the largest face; "all": all faces that are
                large enough.

        Raises:
            NoFace: the photo has no face.
            InputError: the photo has no face of that number, or the face is smaller than 64 pixels (unless ``force``).
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
        """Check that a face is large enough; ``side`` is the side of the square around the face, in the photo's pixels.

        Raises:
            InputError: the side is less than 64 pixels, and ``force`` was not given.
        """
        if not self._force and side < LEAST:
            raise InputError(
                photo.path,
                expected=f"a face of at least {LEAST} pixels",
                found=f"one whose square has {side:.0f}",
                hint=self._hints.small,
            )
