"""One face being edited: painted, put back into its photo, and given parts of other faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
from torch import Tensor

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.blend import paste_person
from maskgan_cli.editing.compose import Place, joined_by, motion_between
from maskgan_cli.editing.fit import fit_parts
from maskgan_cli.editing.mouths import Reference, source_of_inside
from maskgan_cli.editing.moving import PhotoMotion
from maskgan_cli.editing.options import Edge
from maskgan_cli.editing.swap import swap_parts
from maskgan_cli.editing.uncrop import put_back
from maskgan_cli.editor.fade import FADE, faded, faded_photo
from maskgan_cli.editor.photos import read_session_photo
from maskgan_cli.editor.session_state import FORMAT, MAX_OTHERS, Finish, SessionState, is_id, new_id
from maskgan_cli.editor.studio import Studio, blend, blend_quickly
from maskgan_cli.editor.worker import Superseded
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, encode_image, encode_photo, sha256, write_bytes
from maskgan_cli.labels import LabelMap, colourise

__all__ = ["FORMAT", "MAX_OTHERS", "Finish", "Session", "encode", "is_id", "new_id"]

_THUMBNAIL: Final = 160  # pixels


@dataclass
class Session(SessionState):
    """A face that is painted; see `SessionState` for what is kept of it. A style and a painting stay in memory."""

    _styles: dict[tuple[int, str], Tensor] = field(default_factory=dict, repr=False)
    _painted: tuple[tuple[bytes, int, str], Picture] | None = field(default=None, repr=False)
    _motion: tuple[bytes, PhotoMotion] | None = field(default=None, repr=False)
    _composed: tuple[tuple[bytes, int, str], Picture] | None = field(default=None, repr=False)

    def render(
        self, studio: Studio, labels: LabelMap, *, revision: int, style: int, finish: Finish, preview: bool,
        fade: LabelMap | None = None, mouth: int = 0,
    ) -> bytes:  # fmt: skip
        """The face in the shape of ``labels``: a preview as a JPEG file, the full picture as a PNG file.

        Where something is painted, a preview has few pixels. A full picture is what is kept: its label map is saved.

        Raises:
            InputError: no such style.
            Superseded: a newer request came before this one was done.
        """
        self._still_wanted(revision)
        if not self._is_bare(style, finish):
            self._moved(labels)
            self._still_wanted(revision)
        picture = self._finished(studio, labels, style, finish, fade, mouth, preview=preview)
        self._still_wanted(revision)
        if preview:
            return encode_image(picture, ".jpg")
        self.labels, self.style, self.finish, self.fade, self.mouth = labels, style, finish, fade, mouth
        self.save()
        write_bytes(self.folder / "shown.jpg", encode_image(resize_image(picture, _THUMBNAIL), ".jpg"))
        return encode(picture, self.note(studio))

    def thumbnail(self) -> bytes:
        """What was shown last, as a small JPEG file."""
        path = self.folder / "shown.jpg"
        if path.is_file():
            return path.read_bytes()
        return encode_image(resize_image(self.face.picture, _THUMBNAIL), ".jpg")

    def result(self, studio: Studio) -> bytes:
        """The full picture of what was painted last, as a PNG file: the same bytes as `render` gave."""
        return encode(self.picture(studio), self.note(studio))

    def painted(self, studio: Studio, labels: LabelMap, style: int) -> Picture:
        """The full picture of a label map (S, S): (S, S, 3), or the network's side if it is bare. Nothing is kept."""

        def made() -> Picture:
            return studio.paint(labels, self.look(studio, style))

        if self._is_bare(style, self.finish):
            return made()
        return blend(self.face.picture, made, self.face.labels, labels, reference=self._reference(self.mouth))

    def _painting(self, studio: Studio, labels: LabelMap, style: int) -> Picture:
        """The network's painting; the newest is kept, as the full picture follows the preview of the same mask."""
        key = (labels.tobytes(), style, studio.weights.sha256)
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, studio.paint(labels, self.look(studio, style)))
        return self._painted[1]

    def _moved(self, labels: LabelMap) -> PhotoMotion:
        """How the face moves; the newest is kept, as the full picture follows the preview of the same mask."""
        key = labels.tobytes()
        if self._motion is None or self._motion[0] != key:
            self._motion = (key, motion_between(self.face.labels, labels))
        return self._motion[1]

    def _finished(
        self, studio: Studio, labels: LabelMap, style: int, finish: Finish, fade: LabelMap | None, mouth: int,
        *, preview: bool = False,
    ) -> Picture:  # fmt: skip
        if self._is_bare(style, finish):
            return self._painting(studio, labels, style)
        face, motion, reference = self.face, self._moved(labels), self._reference(mouth)
        painting = partial(self._painting, studio, labels, style)
        key = (labels.tobytes(), mouth, studio.weights.sha256)
        if self._composed is not None and self._composed[0] == key:
            made = self._composed[1]
        elif preview and motion.missing.any():
            made = blend_quickly(face.picture, painting, face.labels, labels, reference, motion)
        else:  # where nothing is painted, the full picture is a preview too
            made = blend(face.picture, painting, face.labels, labels, None, reference, motion)
            self._composed = (key, made)
        return made if fade is None else faded(face.picture, made, fade)

    @staticmethod
    def _is_bare(style: int, finish: Finish) -> bool:
        return finish == "bare" or style != 0  # another's look has no place in this photo's light

    def _reference(self, mouth: int) -> Reference | None:
        """The other face of a number, from 1, for the inside of a mouth; None for 0."""
        if not mouth:
            return None
        other = self.other(mouth)
        return Reference(other.picture, other.labels)

    @property
    def bare(self) -> bool:
        """Whether the result is the painting as it is."""
        return self._is_bare(self.style, self.finish)

    def picture(self, studio: Studio) -> Picture:
        """The full picture of what was painted last: (S, S, 3), or the network's side if it is bare."""
        return self._finished(studio, self.labels, self.style, self.finish, self.fade, self.mouth)

    def strip(self, studio: Studio) -> bytes:
        """Before, the mask, after: side by side, as a PNG file."""
        after = resize_image(self.picture(studio), self.side)
        return encode(np.hstack([self.face.picture, colourise(self.labels), after]), self.note(studio))

    def in_photo(self, studio: Studio, suffix: str = ".png") -> bytes:
        """The photo that the face was cut out of, with the result in its place, as a file of that kind.

        Raises:
            InputError: there is none.
        """
        photo = self.photo()
        return encode_photo(self.whole(studio), suffix, photo, note=self.note(studio))

    def photo(self) -> Photo:
        """The photo that the face was cut out of.

        Raises:
            InputError: there is none.
        """
        path = self.folder / "photo"
        if self.face.square is None or not path.is_file():
            raise InputError("the photo", found="none: the picture is the face itself", hint="save the result")
        return read_session_photo(path)

    def photo_bytes(self) -> bytes:
        """The photo's file."""
        return (self.folder / "photo").read_bytes()

    def whole(self, studio: Studio) -> Picture:
        """The photo (H, W, 3) with the result in its place.

        Raises:
            InputError: there is none.
        """
        photo, square = self.photo().picture, self.face.square
        assert square is not None
        painting = partial(self._painting, studio, self.labels, self.style)
        if self.bare:
            made = paste_person(self.face.picture, resize_image(painting(), self.side), self.face.labels)
            return put_back(photo, square, made)
        place, reference = Place(photo, square), self._reference(self.mouth)
        made = blend(self.face.picture, painting, self.face.labels, self.labels, place, reference)
        return made if self.fade is None else faded_photo(photo, made, square, self.fade)

    def _still_wanted(self, revision: int) -> None:
        if revision < self.revision:
            raise Superseded

    def look(self, studio: Studio, style: int) -> Tensor:
        """A face's style, encoded once."""
        if not 0 <= style <= len(self.others):
            raise InputError("the style", expected=f"0 to {len(self.others)}", found=str(style))
        key = (style, studio.weights.sha256)
        if key not in self._styles:
            face = self.face if style == 0 else self.others[style - 1]
            self._styles[key] = studio.encode(face.picture, face.labels)
        return self._styles[key]

    @property
    def look_name(self) -> str:
        """The stem of the files of the face whose look is painted."""
        return "face" if self.style == 0 else f"other-{self.style - 1}"

    @property
    def mouth_name(self) -> str:
        """The stem of the files of the face whose mouth was taken; "" if none was."""
        return f"other-{self.mouth - 1}" if self.mouth else ""

    def note(self, studio: Studio) -> dict[str, Any]:
        """What made the result: as `maskgan render` would tell it, and that its mask is painted, if it is."""
        look = self.look_name
        files = {"mask": "mask.png", "style_image": f"{look}.png", "style_mask": f"{look}.mask.png"}
        if (mouth := self.mouth_name) and not self.bare:
            files |= {"reference": f"{mouth}.png", "reference_mask": f"{mouth}.mask.png"}
        painted = int((self.labels != self.face.labels).sum())
        return {
            "edit": "maskgan edit", "style": self.style, "finish": self.finish, "parser": self.face.parser,
            "mask": {"made_by": "hand" if painted else "parser" if self.face.parser else "its file",
                     "pixels_painted": painted},
            "inputs": {role: sha256(self.folder / file) for role, file in files.items()},
            "version": __version__, **studio.about(),
            **({} if self.fade is None else {"fade": sha256(self.folder / FADE)}), **self._composition(),
        }  # fmt: skip

    def _composition(self) -> dict[str, Any]:
        """For the record: how the result is composed, and where the inside of a mouth that changes comes from."""
        if self.bare:
            return {"blend": None}
        before, reference = self.face.labels, self._reference(self.mouth)
        edge = joined_by(before, self.labels, Edge.MOVE, in_photo=False)
        if edge is not Edge.MOVE:
            return {"blend": edge.value}
        inside = source_of_inside(before, self.labels, None if reference is None else reference.labels)
        return {"blend": edge.value} | ({} if inside is None else {"inside": inside.value})

    def swapped(self, labels: LabelMap, number: int, parts: tuple[int, ...]) -> LabelMap:
        """``labels`` (S, S) with parts of another face's shape, brought to where they belong (see `fit_parts`)."""
        return swap_parts(labels, fit_parts(self.other(number).labels, labels, parts), parts)


def encode(picture: Picture, note: Mapping[str, Any] | None = None) -> bytes:
    """A picture as a PNG file, with what made it inside."""
    return encode_image(picture, ".png", note=note)
