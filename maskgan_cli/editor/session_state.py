"""The part of a session that is saved: the face, its edited mask, the options, and the other faces."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

import numpy as np

from maskgan_cli.editing.masks.library import ITEMS, known
from maskgan_cli.editor.edited_face import EditedFace, resized
from maskgan_cli.editor.fade import FADE, read_fade, write_fade
from maskgan_cli.editor.session_photos import JPEG, upright_size
from maskgan_cli.errors import InputError
from maskgan_cli.files import (
    read_image,
    read_json,
    read_label_map,
    write_bytes,
    write_image,
    write_json,
    write_label_map,
)
from maskgan_cli.labels import LabelMap

S = TypeVar("S", bound="SessionState")

Finish = Literal["seamless", "bare"]  # the edit composited into the face, or the network's output
MAX_OTHERS: Final = 12
_ID: Final = re.compile(r"[0-9a-f]{32}")
FORMAT: Final = 1  # version of session.json


def new_id() -> str:
    """Return a random session id: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Return whether ``text`` has the form of a session id: 32 hexadecimal digits."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, eq=False)
class RenderOptions:
    """The options with which a label map is rendered.

    Attributes:
        style: number of the face whose style is used: 0 for the face itself, k for the k-th other face.
        finish: "seamless": the edit is composited into the face; "bare": the result is the network's output.
        fade: opacity of the edit at each pixel (S, S), 0 to 255; None if the opacity is 255 everywhere.
        mouth: number of the other face whose mouth shape was copied; the inside of the mouth (teeth, tongue) can be
            taken from the picture of that face. 0 if no mouth was copied.
        hair: number of the other face whose hair replaces the face's own hair in the photo; 0 if no hair is replaced.
        items: names of the accessories that are put on: see `library.ITEMS`.
        remove_glasses: whether to remove the glasses that the face wears from the picture, by filling in their frames.
    """

    style: int = 0
    finish: Finish = "seamless"
    fade: LabelMap | None = None
    mouth: int = 0
    hair: int = 0
    items: tuple[str, ...] = ()
    remove_glasses: bool = False

    @property
    def bare(self) -> bool:
        """Whether the result is the network's output without compositing; true if another face's style is used."""
        return self.finish == "bare" or self.style != 0

    @property
    def values(self) -> dict[str, Any]:
        """A dict from the name of each option to its value, for JSON; the opacity (``fade``) is left out."""
        return {
            "style": self.style,
            "finish": self.finish,
            "mouth": self.mouth,
            "hair": self.hair,
            "items": list(self.items),
            "remove_glasses": self.remove_glasses,
        }

    def check(self, others: int) -> None:
        """Check that the accessories and the other faces that the options name exist.

        Args:
            others: how many other faces the session has.

        Raises:
            InputError: an accessory or another face does not exist.
        """
        for what, number in (("style", self.style), ("mouth", self.mouth), ("hair", self.hair)):
            if not 0 <= number <= others:
                raise InputError(f"the {what}", expected=f"0 to {others}", found=str(number))
        for name in self.items:
            known("the item", name, ITEMS)


@dataclass
class SessionState:
    """A face that is edited, its edited label map, and other faces whose style or parts can be copied.

    Attributes:
        id: the session's id, which is also the name of its folder.
        folder: the folder of the session's files.
        name: name of the opened picture.
        face: the face before editing.
        labels: the edited label map (S, S).
        others: other faces, resized to the side of ``face``.
        options: see `RenderOptions`.
        revision: number of the newest request of the page; older requests are skipped.
        source: SHA-256 of the opened file; an empty string for a rendered example face.
        chosen: whether the user has chosen this face among those of the photo; true if the photo has only one face.
        personal: whether to use personalised weights (fine-tuned on this face) if they exist.
    """

    id: str
    folder: Path
    name: str
    face: EditedFace
    labels: LabelMap
    others: list[EditedFace] = field(default_factory=list)
    options: RenderOptions = field(default_factory=RenderOptions)
    revision: int = 0
    source: str = ""
    chosen: bool = True
    personal: bool = True

    @classmethod
    def begin(
        cls: type[S], root: Path, face: EditedFace, name: str, photo: bytes | None = None, *, chosen: bool = False
    ) -> S:
        """Make a new session, save it in a new folder, and return it.

        Args:
            root: folder of all sessions.
            face: the face to edit.
            name: name of the opened picture.
            photo: bytes of the opened file; None for a rendered example face.
            chosen: whether the user has chosen this face among those of the photo.
        """
        source = "" if photo is None else hashlib.sha256(photo).hexdigest()
        session = cls(new_id(), Path(), name, face, face.labels.copy(), source=source)
        session.chosen = chosen or len(face.places) < 2
        session.folder = root / session.id
        session.folder.mkdir(mode=0o700, parents=True)
        if photo is not None and face.square is not None:
            write_bytes(session.folder / "photo", photo)
        write_image(session.folder / "face.png", face.picture)
        write_label_map(session.folder / "face.mask.png", face.labels)
        session.save()
        return session

    @classmethod
    def resume(cls: type[S], root: Path, name: str) -> S:
        """Read the session with the id ``name`` from its folder in ``root``, and return it.

        Raises:
            InputError: there is no such session, or its files are not valid.
        """
        if not is_id(name) or not (root / name / "session.json").is_file():
            raise InputError("the session", found="none of that name", hint="open the picture again")
        folder = root / name
        try:
            state = read_json(folder / "session.json")
            square = None if state["square"] is None else np.array(state["square"], np.float64)
            own = _read_face(folder, "face")
            places = tuple(np.array(place, np.float64).reshape(4, 2) for place in state.get("places", []))
            face = EditedFace(own.picture, own.labels, square, state["parser"], places, int(state.get("number", 1)))
            others = [_read_face(folder, f"other-{i}") for i in range(state["others"])]
            labels = read_label_map(folder / "mask.png")
            numbers, words = (state["style"], state["revision"]), (state["name"], state["parser"])
            if not all(type(n) is int for n in numbers) or not all(type(word) is str for word in words):
                raise TypeError("state of other types")
            if (square is not None and square.shape != (4, 2)) or state["finish"] not in get_args(Finish):
                raise ValueError("a state of another format")
            options = RenderOptions(
                state["style"],
                state["finish"],
                read_fade(folder / FADE),
                int(state.get("mouth", 0)),
                int(state.get("hair", 0)),
                tuple(map(str, state.get("items", []))),
                bool(state.get("remove_glasses", False)),
            )
            options.check(len(others))
            session = cls(
                name,
                folder,
                state["name"],
                face,
                labels,
                others,
                options,
                state["revision"],
                source=str(state.get("source", "")),
                chosen=bool(state.get("chosen", True)),
                personal=bool(state.get("personal", True)),
            )
            session._check()
            return session
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise InputError("the session", found="files that cannot be read", hint="open the picture again") from error

    def _check(self) -> None:
        """Check that all faces and masks are square and of one size.

        Raises:
            ValueError: sizes differ, or the side is not from 32 to 2048.
        """
        side = len(self.labels)
        shapes = {self.labels.shape, *(face.labels.shape for face in (self.face, *self.others))}
        shapes |= set() if self.options.fade is None else {self.options.fade.shape}
        shapes |= {face.picture.shape[:2] for face in (self.face, *self.others)}
        if shapes != {(side, side)} or not 32 <= side <= 2048:
            raise ValueError("inconsistent sizes")

    def save(self) -> None:
        """Save the state and the edited mask; each file is written atomically."""
        write_label_map(self.folder / "mask.png", self.labels)
        if self.options.fade is not None:
            write_fade(self.folder / FADE, self.options.fade)
        else:
            (self.folder / FADE).unlink(missing_ok=True)
        square = None if self.face.square is None else self.face.square.tolist()
        write_json(
            self.folder / "session.json",
            {
                "format": FORMAT,
                "name": self.name,
                "square": square,
                "parser": self.face.parser,
                "others": len(self.others),
                "revision": self.revision,
                "saved": time.time(),
                "source": self.source,
                "edited": self.edited,
                "places": [place.tolist() for place in self.face.places],
                "number": self.face.number,
                "chosen": self.chosen,
                "personal": self.personal,
                **self.options.values,
            },
        )

    @property
    def side(self) -> int:
        """Side of the face in pixels."""
        return len(self.labels)

    @property
    def edited(self) -> bool:
        """Whether the mask, style, hair or accessories differ from those of the face before editing."""
        own = RenderOptions(finish=self.options.finish, mouth=self.options.mouth)
        return self.options.values != own.values or not np.array_equal(self.labels, self.face.labels)

    @property
    def suffix(self) -> str:
        """Suffix of a downloaded photo: .jpg if the photo is a JPEG, else .png."""
        path = self.folder / "photo"
        if not path.is_file():
            return ".png"
        with path.open("rb") as file:
            return ".jpg" if file.read(3) == JPEG else ".png"

    @property
    def photo_size(self) -> tuple[int, int] | None:
        """Width and height of the photo after its EXIF rotation; None if there is no photo or it is not readable."""
        path = self.folder / "photo"
        return upright_size(path) if path.is_file() else None

    def state(self) -> dict[str, Any]:
        """Return the state as a dict for the page: ids, options, sizes, and positions of the faces in the photo."""
        return {
            "id": self.id,
            "name": self.name,
            "side": self.side,
            **self.options.values,
            "revision": self.revision,
            "others": len(self.others),
            "photo": self.face.square is not None,
            "square": None if self.face.square is None else self.face.square.tolist(),
            "photo_size": self.photo_size,
            "places": [place.tolist() for place in self.face.places],
            "number": self.face.number,
            "chosen": self.chosen or self.edited,
            "personal": self.personal,
            "suffix": self.suffix,
            "edited": self.edited,
            "parsed": bool(self.face.parser),
        }

    def add_other(self, face: EditedFace) -> int:
        """Add another face to the session and return the number of the added face, counted from 1.

        The added face is resized to the side of the edited face.

        Raises:
            InputError: the session has the maximum number of other faces.
        """
        if len(self.others) == MAX_OTHERS:
            raise InputError(
                "other faces", expected=f"at most {MAX_OTHERS}", found="one more", hint="start a new session"
            )
        face, name = resized(face, self.side), f"other-{len(self.others)}"
        write_image(self.folder / f"{name}.png", face.picture)
        write_label_map(self.folder / f"{name}.mask.png", face.labels)
        self.others.append(face)
        self.save()
        return len(self.others)

    def other(self, number: int) -> EditedFace:
        """Return the other face with the number ``number``, counted from 1.

        Raises:
            InputError: there is no such face.
        """
        if not 1 <= number <= len(self.others):
            raise InputError("the other face", expected=f"1 to {len(self.others)}", found=str(number))
        return self.others[number - 1]


def _read_face(folder: Path, name: str) -> EditedFace:
    return EditedFace(read_image(folder / f"{name}.png"), read_label_map(folder / f"{name}.mask.png"))
