"""One face that is edited: rendering, pasting into its photo, and parts of other faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
from torch import Tensor

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.blend import paste_person
from maskgan_cli.editing.compositing.compose import Place, effective_edge, motion_between
from maskgan_cli.editing.compositing.mouths import Reference, source_of_inside, with_jaw
from maskgan_cli.editing.compositing.moving import PhotoMotion
from maskgan_cli.editing.compositing.paste import paste_crop
from maskgan_cli.editing.masks.fit import fit_parts
from maskgan_cli.editing.masks.swap import swap_parts
from maskgan_cli.editing.options import Edge
from maskgan_cli.editor.fade import FADE, faded, faded_photo
from maskgan_cli.editor.models import Models, blend, blend_quickly
from maskgan_cli.editor.photos import read_session_photo
from maskgan_cli.editor.session_state import FORMAT, MAX_OTHERS, Finish, SessionState, is_id, new_id
from maskgan_cli.editor.worker import Superseded
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, encode_image, encode_photo, sha256, write_bytes
from maskgan_cli.labels import LabelMap, Region, colourise

__all__ = ["FORMAT", "MAX_OTHERS", "Finish", "Session", "encode", "is_id", "new_id"]

_THUMBNAIL: Final = 160  # pixels


@dataclass
class Session(SessionState):
    """A session with its rendering; style codes and the latest results are cached. See `SessionState` for its data."""

    _styles: dict[tuple[int, str], Tensor] = field(default_factory=dict, repr=False)
    _painted: tuple[tuple[bytes, int, str], Picture] | None = field(default=None, repr=False)
    _motion: tuple[bytes, PhotoMotion] | None = field(default=None, repr=False)
    _composed: tuple[tuple[bytes, int, str], Picture] | None = field(default=None, repr=False)

    def render(
        self,
        models: Models,
        labels: LabelMap,
        *,
        revision: int,
        style: int,
        finish: Finish,
        preview: bool,
        fade: LabelMap | None = None,
        mouth: int = 0,
        brush: bool = False,
    ) -> bytes:
        """Render the face in the shape of ``labels``: a preview as a JPEG file, or the full picture as a PNG file.

        Previews with generated regions have a lower resolution. For a full picture, the label map is saved.

        Args:
            models: the networks.
            labels: the edited label map (S, S).
            revision: number of the request.
            style: 0 for the face's own style, k for that of the k-th other face.
            finish: see `Finish`.
            preview: render a preview.
            fade: opacity of the edit (S, S); None for 1.
            mouth: number of the other face that gives the inside of an opened mouth; 0 for none.
            brush: the mask was painted on since the latest picture: a preview moves the photo as that picture does,
                and paints only around what has changed.

        Raises:
            InputError: there is no such style.
            Superseded: a newer request has arrived.
        """
        self._check_revision(revision)
        if preview and brush and not self._is_bare(style, finish) and self._motion is not None:
            picture = self._stroke(models, labels, style, mouth, self._motion[1])
            return encode_image(picture if fade is None else faded(self.face.picture, picture, fade), ".jpg")
        if not self._is_bare(style, finish):
            self._moved(labels)
            self._check_revision(revision)
        picture = self._finished(models, labels, style, finish, fade, mouth, preview=preview)
        self._check_revision(revision)
        if preview:
            return encode_image(picture, ".jpg")
        self.labels, self.style, self.finish, self.fade, self.mouth = labels, style, finish, fade, mouth
        self.save()
        write_bytes(self.folder / "shown.jpg", encode_image(resize_image(picture, _THUMBNAIL), ".jpg"))
        return encode(picture, self.note(models))

    def thumbnail(self) -> bytes:
        """The latest result as a small JPEG file."""
        path = self.folder / "shown.jpg"
        if path.is_file():
            return path.read_bytes()
        return encode_image(resize_image(self.face.picture, _THUMBNAIL), ".jpg")

    def result(self, models: Models) -> bytes:
        """The latest result as a PNG file, with the same bytes as from `render`."""
        return encode(self.picture(models), self.note(models))

    def painted(self, models: Models, labels: LabelMap, style: int) -> Picture:
        """Render a label map (S, S) without saving it: (S, S, 3), or in the network's size if it is not composited."""

        def generate() -> Picture:
            return models.paint(labels, self.style_code(models, style))

        if self._is_bare(style, self.finish):
            return generate()
        return blend(self.face.picture, generate, self.face.labels, labels, reference=self._reference(self.mouth))

    def _painting(self, models: Models, labels: LabelMap, style: int) -> Picture:
        """The network's output; the latest one is cached, because a preview is followed by its full picture."""
        key = (labels.tobytes(), style, models.weights.sha256)
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, models.paint(labels, self.style_code(models, style)))
        return self._painted[1]

    def _stroke(self, models: Models, labels: LabelMap, style: int, mouth: int, latest: PhotoMotion) -> Picture:
        """A quick preview of a stroke, see ``brush`` of `render`; ``latest`` is the motion of the latest picture."""
        face, motion = self.face, latest.towards(with_jaw(self.face.labels, labels))
        painting = partial(self._repainting, models, labels, style, motion)
        return blend_quickly(face.picture, painting, face.labels, labels, self._reference(mouth), motion)

    def _repainting(self, models: Models, labels: LabelMap, style: int, motion: PhotoMotion) -> Picture:
        """The latest painting, updated around what has changed since; all of it anew if there is none to update."""
        size, before, painting = models.size, self.face.labels, None
        if self._painted is not None and self._painted[0][1:] == (style, models.weights.sha256):
            before = np.frombuffer(self._painted[0][0], np.uint8).reshape(labels.shape)
            painting = self._painted[1]
        changed = resize_labels(before, size) != resize_labels(labels, size)
        missing = resize_labels(motion.missing.astype(np.uint8), size) > 0
        if painting is None:  # the photo itself, as long as nothing else has to be painted
            if not changed.any() or (missing & ~_around(changed)).any():
                return self._painting(models, labels, style)
            painting = resize_image(self.face.picture, size)
        if not changed.any():
            return painting
        return models.repaint(painting, labels, self.style_code(models, style), changed)

    def _moved(self, labels: LabelMap) -> PhotoMotion:
        """The motion of the face's pixels; the latest is cached, because a preview is followed by its full picture."""
        key = labels.tobytes()
        if self._motion is None or self._motion[0] != key:
            self._motion = (key, motion_between(self.face.labels, labels))
        return self._motion[1]

    def _finished(
        self,
        models: Models,
        labels: LabelMap,
        style: int,
        finish: Finish,
        fade: LabelMap | None,
        mouth: int,
        *,
        preview: bool = False,
    ) -> Picture:
        """Render and composite a picture; the arguments are those of `render`."""
        if self._is_bare(style, finish):
            return self._painting(models, labels, style)
        face, motion, reference = self.face, self._moved(labels), self._reference(mouth)
        painting = partial(self._painting, models, labels, style)
        key = (labels.tobytes(), mouth, models.weights.sha256)
        if self._composed is not None and self._composed[0] == key:
            made = self._composed[1]
        elif preview and motion.missing.any():
            made = blend_quickly(face.picture, painting, face.labels, labels, reference, motion)
        else:  # without generated regions, the full picture is as fast as a preview
            made = blend(face.picture, painting, face.labels, labels, None, reference, motion)
            self._composed = (key, made)
        return made if fade is None else faded(face.picture, made, fade)

    @staticmethod
    def _is_bare(style: int, finish: Finish) -> bool:
        """Whether the result is the network's output without compositing, as for styles of other faces."""
        return finish == "bare" or style != 0

    def _reference(self, mouth: int) -> Reference | None:
        """The other face with a number from 1, as a source of the inside of a mouth; None for 0."""
        if not mouth:
            return None
        other = self.other(mouth)
        return Reference(other.picture, other.labels)

    @property
    def bare(self) -> bool:
        """Whether the result is the network's output without compositing."""
        return self._is_bare(self.style, self.finish)

    def picture(self, models: Models) -> Picture:
        """The latest result (S, S, 3), or in the network's size if it is not composited."""
        return self._finished(models, self.labels, self.style, self.finish, self.fade, self.mouth)

    def strip(self, models: Models) -> bytes:
        """A PNG file that shows the face before, the mask, and the face after, side by side."""
        after = resize_image(self.picture(models), self.side)
        return encode(np.hstack([self.face.picture, colourise(self.labels), after]), self.note(models))

    def in_photo(self, models: Models, suffix: str = ".png") -> bytes:
        """The whole photo with the result, as a file of the format ``suffix``.

        Raises:
            InputError: the session has no photo.
        """
        photo = self.photo()
        return encode_photo(self.whole(models), suffix, photo, note=self.note(models))

    def photo(self) -> Photo:
        """The photo that the face is cropped from.

        Raises:
            InputError: the session has no photo.
        """
        path = self.folder / "photo"
        if self.face.square is None or not path.is_file():
            raise InputError("the photo", found="none: the picture is the face itself", hint="save the result")
        return read_session_photo(path)

    def photo_bytes(self) -> bytes:
        """The bytes of the photo's file."""
        return (self.folder / "photo").read_bytes()

    def whole(self, models: Models) -> Picture:
        """The photo (H, W, 3) with the result.

        Raises:
            InputError: the session has no photo.
        """
        photo, square = self.photo().picture, self.face.square
        assert square is not None
        painting = partial(self._painting, models, self.labels, self.style)
        if self.bare:
            made = paste_person(self.face.picture, resize_image(painting(), self.side), self.face.labels)
            return paste_crop(photo, square, made)
        place, reference = Place(photo, square), self._reference(self.mouth)
        made = blend(self.face.picture, painting, self.face.labels, self.labels, place, reference)
        return made if self.fade is None else faded_photo(photo, made, square, self.fade)

    def _check_revision(self, revision: int) -> None:
        """Raise `Superseded` if a newer request has arrived."""
        if revision < self.revision:
            raise Superseded

    def style_code(self, models: Models, style: int) -> Tensor:
        """The style code of a face, encoded once.

        Raises:
            InputError: there is no such style.
        """
        if not 0 <= style <= len(self.others):
            raise InputError("the style", expected=f"0 to {len(self.others)}", found=str(style))
        key = (style, models.weights.sha256)
        if key not in self._styles:
            face = self.face if style == 0 else self.others[style - 1]
            self._styles[key] = models.encode(face.picture, face.labels)
        return self._styles[key]

    @property
    def style_name(self) -> str:
        """Name of the face that gives the style, as in its files."""
        return "face" if self.style == 0 else f"other-{self.style - 1}"

    @property
    def mouth_name(self) -> str:
        """Name of the face that gives the mouth, as in its files; an empty string if there is none."""
        return f"other-{self.mouth - 1}" if self.mouth else ""

    def note(self, models: Models) -> dict[str, Any]:
        """The provenance of the result, in the form of `maskgan render`, and the number of edited pixels."""
        style = self.style_name
        files = {"mask": "mask.png", "style_image": f"{style}.png", "style_mask": f"{style}.mask.png"}
        if (mouth := self.mouth_name) and not self.bare:
            files |= {"reference": f"{mouth}.png", "reference_mask": f"{mouth}.mask.png"}
        painted = int((self.labels != self.face.labels).sum())
        return {
            "edit": "maskgan edit", "style": self.style, "finish": self.finish, "parser": self.face.parser,
            "mask": {"made_by": "hand" if painted else "parser" if self.face.parser else "its file",
                     "pixels_painted": painted},
            "inputs": {role: sha256(self.folder / file) for role, file in files.items()},
            "version": __version__, **models.about(),
            **({} if self.fade is None else {"fade": sha256(self.folder / FADE)}), **self._composition(),
        }  # fmt: skip

    def _composition(self) -> dict[str, Any]:
        """For the provenance: the compositing of the result, and the source of the inside of the mouth."""
        if self.bare:
            return {"blend": None}
        before, reference = self.face.labels, self._reference(self.mouth)
        edge = effective_edge(before, self.labels, Edge.MOVE, in_photo=False)
        if edge is not Edge.MOVE:
            return {"blend": edge.value}
        inside = source_of_inside(before, self.labels, None if reference is None else reference.labels)
        return {"blend": edge.value} | ({} if inside is None else {"inside": inside.value})

    def swapped(self, labels: LabelMap, number: int, parts: tuple[int, ...]) -> LabelMap:
        """Replace parts of ``labels`` (S, S) by those of another face, aligned with the face (see `fit_parts`)."""
        return swap_parts(labels, fit_parts(self.other(number).labels, labels, parts), parts)


def _around(region: Region) -> Region:
    """The bounding box of a region (H, W) that is not empty."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    box = np.zeros_like(region)
    box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box


def encode(picture: Picture, note: Mapping[str, Any] | None = None) -> bytes:
    """A picture as a PNG file with its provenance."""
    return encode_image(picture, ".png", note=note)
