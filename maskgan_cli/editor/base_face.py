"""The face that an edit starts from: the detected face, optionally without glasses or with another person's hair.

The editing commands prepare this face in the same way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from maskgan_cli.editing.compositing.accessories.inpaint import without_clear_glasses
from maskgan_cli.editing.compositing.hair_photo import hair_in_photo, with_hair
from maskgan_cli.editing.compositing.hair_swap import hair_to_take
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.compositing.paste import Square, paste_crop
from maskgan_cli.editor.edited_face import EditedFace
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap

_CACHED: Final = 4
Key = tuple[bool, int]  # whether the glasses are removed; number of the other face whose hair is used (0: own hair)


@dataclass(frozen=True)
class BaseFace:
    """The face that an edit starts from.

    Attributes:
        key: whether the glasses are removed; and the number of the session's other face whose hair is used, counted
            from 1 (0 if the face keeps its own hair).
        picture, labels: the face (S, S, 3) and its label map (S, S), after glasses and hair are changed.
        style: picture (S, S, 3) and label map (S, S) that the style is encoded from: the face with its own hair.
        changes: functions that make the same changes (glasses, hair) in the whole photo; they are called in this order.
            Each receives the photo (H, W, 3) and the corners (4, 2) of the face in the photo, and returns the changed
            photo.
    """

    key: Key
    picture: Picture
    labels: LabelMap
    style: tuple[Picture, LabelMap]
    changes: tuple[Callable[[Picture, Square], Picture], ...] = ()

    def photo(self, photo: Picture, square: Square) -> Picture:
        """Apply all `changes` to a photo (H, W, 3), and return the changed photo.

        Args:
            photo: the photo.
            square: corners (4, 2) of the face in the photo.
        """
        for change in self.changes:
            photo = change(photo, square)
        return photo


@dataclass
class BaseFaces:
    """A cache of the latest base faces of a session. The cache saves time, because replacing hair takes a second."""

    _made: OrderedDict[Key, BaseFace] = field(default_factory=OrderedDict)

    def get(self, face: EditedFace, key: Key, hair: EditedFace | None) -> BaseFace:
        """Return a base face from the cache, or make it.

        Args:
            face: the face to edit, as detected in the photo.
            key: see `BaseFace`.
            hair: the other face, whose hair is used; None if ``face`` keeps its own hair.
        """
        found = self._made.pop(key, None) or _base(face, key, hair)
        self._made[key] = found
        while len(self._made) > _CACHED:
            self._made.popitem(last=False)
        return found


def _base(face: EditedFace, key: Key, hair: EditedFace | None) -> BaseFace:
    """Remove the glasses of ``face`` and replace its hair; for the parameters, see `BaseFaces.get`."""
    picture, labels = face.picture, face.labels
    changes: list[Callable[[Picture, Square], Picture]] = []
    if key[0] and (found := without_clear_glasses(picture, labels)) is not None:
        picture, labels = found
        changes.append(partial(paste_crop, result=picture))
    style = picture, labels
    fit = None if hair is None else hair_to_take(hair.labels, face.labels)
    if hair is not None and fit is not None:
        reference = ReferenceFace(hair.picture, hair.labels, fit)
        dressed = with_hair(picture, labels, reference)
        assert dressed is not None
        changes.append(partial(hair_in_photo, dressed=dressed, before=labels, reference=reference))
        picture, labels = dressed
    return BaseFace(key, picture, labels, style, tuple(changes))
