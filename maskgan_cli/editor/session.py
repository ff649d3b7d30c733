"""One face being edited: what is on disk, what is in memory, what can be done to it."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from torch import Tensor

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.blend import paste_person
from maskgan_cli.editing.compose import Place
from maskgan_cli.editing.fit import fit_parts
from maskgan_cli.editing.swap import swap_parts
from maskgan_cli.editing.uncrop import put_back
from maskgan_cli.editor.face import Face, resized
from maskgan_cli.editor.fade import FADE, faded, faded_photo, read_fade, write_fade
from maskgan_cli.editor.photos import read_session_photo, upright_size
from maskgan_cli.editor.studio import Studio, blend, blend_quickly
from maskgan_cli.editor.worker import Superseded
from maskgan_cli.errors import InputError
from maskgan_cli.files import (
    Photo,
    Picture,
    encode_image,
    encode_photo,
    read_image,
    read_json,
    read_label_map,
    sha256,
    write_bytes,
    write_image,
    write_json,
    write_label_map,
)
from maskgan_cli.labels import LabelMap, colourise

Finish = Literal["seamless", "bare"]  # the edit in the photo, or the network's painting as it is
MAX_OTHERS: Final = 12
_ID: Final = re.compile(r"[0-9a-f]{32}")
FORMAT: Final = 1  # of session.json
_THUMBNAIL: Final = 160  # pixels


def new_id() -> str:
    """A name that nobody guesses."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Whether this is the name of a session, and not a path or anything else."""
    return _ID.fullmatch(text) is not None


@dataclass
class Session:
    """A face, its edited label map, other faces that lend shape or look.

    Attributes:
        id: its name, and its folder's.
        folder: where everything is kept that must outlive a reload or the program.
        name: what the user called the picture.
        face: as it was when the session began.
        labels: the edited label map (S, S).
        others: further faces, all of the same side.
        style: whose look is painted: 0 the face's own, k the look of ``others[k - 1]``.
        revision: the number of the newest request; older ones are no longer wanted.
        source: SHA-256 of the file that was opened, or "".
        fade: (S, S), how much of the edit is shown at each pixel, 0 to 255; None if all of it is.
    """

    id: str
    folder: Path
    name: str
    face: Face
    labels: LabelMap
    others: list[Face] = field(default_factory=list)
    style: int = 0
    finish: Finish = "seamless"
    revision: int = 0
    source: str = ""
    fade: LabelMap | None = None
    _styles: dict[int, Tensor] = field(default_factory=dict, repr=False)
    _painted: tuple[bytes, int, Picture] | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, root: Path, face: Face, name: str, photo: bytes | None = None) -> Session:
        """A new session with a folder of its own; ``photo`` is the file that the face was cut out of."""
        source = "" if photo is None else hashlib.sha256(photo).hexdigest()
        session = cls(new_id(), Path(), name, face, face.labels.copy(), source=source)
        session.folder = root / session.id
        session.folder.mkdir(mode=0o700, parents=True)
        if photo is not None and face.square is not None:
            write_bytes(session.folder / "photo", photo)
        write_image(session.folder / "face.png", face.picture)
        write_label_map(session.folder / "face.mask.png", face.labels)
        session.save()
        return session

    @classmethod
    def resume(cls, root: Path, name: str) -> Session:
        """The session whose folder is there.

        Raises:
            InputError: none, or one that cannot be read.
        """
        if not is_id(name) or not (root / name / "session.json").is_file():
            raise InputError("the session", found="none of that name", hint="open the picture again")
        folder = root / name
        try:
            state = read_json(folder / "session.json")
            square = None if state["square"] is None else np.array(state["square"], np.float64)
            own = _read_face(folder, "face")
            face = Face(own.picture, own.labels, square, state["parser"])
            others = [_read_face(folder, f"other-{i}") for i in range(state["others"])]
            labels = read_label_map(folder / "mask.png")
            numbers, words = (state["style"], state["revision"]), (state["name"], state["parser"])
            if not all(type(n) is int for n in numbers) or not all(type(word) is str for word in words):
                raise TypeError("state of other types")
            if (square is not None and square.shape != (4, 2)) or state["finish"] not in get_args(Finish):
                raise ValueError("a state that is none of ours")
            session = cls(name, folder, state["name"], face, labels, others, state["style"], state["finish"],
                          state["revision"], str(state.get("source", "")), read_fade(folder / FADE))  # fmt: skip
            session._check()
            return session
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise InputError("the session", found="files that cannot be read", hint="open the picture again") from error

    def _check(self) -> None:
        """Insist that everything is square and of one size, and the style one that there is."""
        side = len(self.labels)
        shapes = {self.labels.shape, *(face.labels.shape for face in (self.face, *self.others))}
        shapes |= set() if self.fade is None else {self.fade.shape}
        shapes |= {face.picture.shape[:2] for face in (self.face, *self.others)}
        if shapes != {(side, side)} or not 32 <= side <= 2048 or not 0 <= self.style <= len(self.others):
            raise ValueError("parts that do not fit")

    def save(self) -> None:
        """Write down what has changed, each file whole or not at all."""
        write_label_map(self.folder / "mask.png", self.labels)
        if self.fade is not None:
            write_fade(self.folder / FADE, self.fade)
        else:
            (self.folder / FADE).unlink(missing_ok=True)
        square = None if self.face.square is None else self.face.square.tolist()
        write_json(self.folder / "session.json", {
            "format": FORMAT, "name": self.name, "square": square, "parser": self.face.parser,
            "others": len(self.others), "style": self.style, "finish": self.finish, "revision": self.revision,
            "saved": time.time(), "source": self.source, "edited": self.edited,
        })  # fmt: skip

    @property
    def side(self) -> int:
        """Pixels along an edge of the face."""
        return len(self.labels)

    @property
    def edited(self) -> bool:
        """Whether its mask or its look is another than the face's own."""
        return self.style != 0 or not np.array_equal(self.labels, self.face.labels)

    @property
    def suffix(self) -> str:
        """What a saved photo's name ends in: .jpg if the photo was a JPEG, else .png."""
        path = self.folder / "photo"
        if not path.is_file():
            return ".png"
        with path.open("rb") as file:
            return ".jpg" if file.read(3) == b"\xff\xd8\xff" else ".png"

    @property
    def photo_size(self) -> tuple[int, int] | None:
        """Width and height of the photo, upright; None without one."""
        path = self.folder / "photo"
        return upright_size(path) if path.is_file() else None

    def state(self) -> dict[str, Any]:
        """What the page needs to know."""
        return {
            "id": self.id, "name": self.name, "side": self.side, "style": self.style, "finish": self.finish,
            "revision": self.revision, "others": len(self.others), "photo": self.face.square is not None,
            "square": None if self.face.square is None else self.face.square.tolist(), "photo_size": self.photo_size,
            "suffix": self.suffix, "edited": self.edited,
            "parsed": bool(self.face.parser),
        }  # fmt: skip

    # ------------------------------------------------------------------------------------ painting

    def render(
        self, studio: Studio, labels: LabelMap, *, revision: int, style: int, finish: Finish, preview: bool,
        fade: LabelMap | None = None,
    ) -> bytes:  # fmt: skip
        """The face in the shape of ``labels``, as a PNG file.

        A preview has a soft edge and few pixels. A full picture is what is kept: its label map is saved.

        Raises:
            InputError: no such style.
            Superseded: a newer request came before this one was done.
        """
        self._still_wanted(revision)
        painted = self._painting(studio, labels, style)
        self._still_wanted(revision)
        picture = self._finished(painted, labels, style, finish, preview, fade)
        self._still_wanted(revision)
        if preview:
            return encode(picture)
        self.labels, self.style, self.finish, self.fade = labels, style, finish, fade
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

    def _painting(self, studio: Studio, labels: LabelMap, style: int) -> Picture:
        """The network's painting; the newest is kept, as the full picture follows the preview of the same mask."""
        mask = labels.tobytes()
        if self._painted is None or self._painted[:2] != (mask, style):
            self._painted = (mask, style, studio.paint(labels, self.look(studio, style)))
        return self._painted[2]

    def _finished(
        self, painted: Picture, labels: LabelMap, style: int, finish: Finish, preview: bool, fade: LabelMap | None
    ) -> Picture:
        if finish == "bare" or style != 0:  # another's look has no place in this photo's light
            return painted
        join = blend_quickly if preview else blend
        made = join(self.face.picture, painted, self.face.labels, labels)
        return made if fade is None else faded(self.face.picture, made, fade)

    @property
    def bare(self) -> bool:
        """Whether the result is the painting as it is."""
        return self.finish == "bare" or self.style != 0

    def picture(self, studio: Studio) -> Picture:
        """The full picture of what was painted last: (S, S, 3), or the network's side if it is bare."""
        painted = self._painting(studio, self.labels, self.style)
        return self._finished(painted, self.labels, self.style, self.finish, False, self.fade)

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

    def whole(self, studio: Studio) -> Picture:
        """The photo (H, W, 3) with the result in its place.

        Raises:
            InputError: there is none.
        """
        photo, square = self.photo().picture, self.face.square
        assert square is not None
        painted = self._painting(studio, self.labels, self.style)
        if self.bare:
            made = paste_person(self.face.picture, resize_image(painted, self.side), self.face.labels)
            return put_back(photo, square, made)
        made = blend(self.face.picture, painted, self.face.labels, self.labels, Place(photo, square))
        return made if self.fade is None else faded_photo(photo, made, square, self.fade)

    def _still_wanted(self, revision: int) -> None:
        if revision < self.revision:
            raise Superseded

    def look(self, studio: Studio, style: int) -> Tensor:
        """A face's style, encoded once."""
        if not 0 <= style <= len(self.others):
            raise InputError("the style", expected=f"0 to {len(self.others)}", found=str(style))
        if style not in self._styles:
            face = self.face if style == 0 else self.others[style - 1]
            self._styles[style] = studio.encode(face.picture, face.labels)
        return self._styles[style]

    @property
    def look_name(self) -> str:
        """The stem of the files of the face whose look is painted."""
        return "face" if self.style == 0 else f"other-{self.style - 1}"

    def note(self, studio: Studio) -> dict[str, Any]:
        """What made the result: as `maskgan render` would tell it, and that its mask is painted, if it is."""
        look = self.look_name
        files = {"mask": "mask.png", "style_image": f"{look}.png", "style_mask": f"{look}.mask.png"}
        painted = int((self.labels != self.face.labels).sum())
        return {
            "edit": "maskgan edit", "style": self.style, "finish": self.finish, "parser": self.face.parser,
            "mask": {"made_by": "hand" if painted else "parser" if self.face.parser else "its file",
                     "pixels_painted": painted},
            "inputs": {role: sha256(self.folder / file) for role, file in files.items()},
            "version": __version__, **studio.about(),
            **({} if self.fade is None else {"fade": sha256(self.folder / FADE)}),
        }  # fmt: skip

    # -------------------------------------------------------------------------------- other faces

    def add_other(self, face: Face) -> int:
        """Keep another face beside this one; its number.

        Raises:
            InputError: there are many already.
        """
        if len(self.others) == MAX_OTHERS:
            raise InputError("other faces", expected=f"at most {MAX_OTHERS}", found="one more",
                             hint="begin a new session")  # fmt: skip
        face, name = resized(face, self.side), f"other-{len(self.others)}"
        write_image(self.folder / f"{name}.png", face.picture)
        write_label_map(self.folder / f"{name}.mask.png", face.labels)
        self.others.append(face)
        self.save()
        return len(self.others)

    def other(self, number: int) -> Face:
        """Other face ``number``, from 1.

        Raises:
            InputError: there is none.
        """
        if not 1 <= number <= len(self.others):
            raise InputError("the other face", expected=f"1 to {len(self.others)}", found=str(number))
        return self.others[number - 1]

    def swapped(self, labels: LabelMap, number: int, parts: tuple[int, ...]) -> LabelMap:
        """``labels`` (S, S) with parts of another face's shape, brought to where they belong (see `fit_parts`)."""
        return swap_parts(labels, fit_parts(self.other(number).labels, labels, parts), parts)


def _read_face(folder: Path, name: str) -> Face:
    return Face(read_image(folder / f"{name}.png"), read_label_map(folder / f"{name}.mask.png"))


def encode(picture: Picture, note: Mapping[str, Any] | None = None) -> bytes:
    """A picture as a PNG file, with what made it inside."""
    return encode_image(picture, ".png", note=note)
