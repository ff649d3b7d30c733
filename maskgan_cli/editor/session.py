"""One face that is edited: rendering, pasting into its photo, and parts of other faces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
from torch import Tensor

from maskgan_cli import __version__
from maskgan_cli.data.crop import matrix_of
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing import options as editing_options
from maskgan_cli.editing.compositing.accessories.put_on import put_on
from maskgan_cli.editing.compositing.blend import paste_person
from maskgan_cli.editing.compositing.compose import Place, effective_edge, motion_between
from maskgan_cli.editing.compositing.hair_fit import fitted_hair
from maskgan_cli.editing.compositing.hair_swap import hair_to_take
from maskgan_cli.editing.compositing.mouths import ReferenceFace, source_of_inside, with_jaw
from maskgan_cli.editing.compositing.moving import PhotoMotion
from maskgan_cli.editing.compositing.paste import paste_crop
from maskgan_cli.editing.masks.fit import fit_parts
from maskgan_cli.editing.masks.swap import hidden_eyes, swap_parts
from maskgan_cli.editing.masks.take_off import kinds_of
from maskgan_cli.editing.options import Edge, Hair
from maskgan_cli.editor.accessories import SessionAccessories, marked
from maskgan_cli.editor.base_face import BaseFace, BaseFaces, Key
from maskgan_cli.editor.fade import FADE, faded, faded_photo
from maskgan_cli.editor.models import Models, blend, blend_quickly
from maskgan_cli.editor.session_photos import read_session_photo
from maskgan_cli.editor.session_state import FORMAT, MAX_OTHERS, Finish, RenderOptions, SessionState, is_id, new_id
from maskgan_cli.editor.worker import Superseded
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, encode_image, encode_photo, sha256, write_bytes
from maskgan_cli.labels import ID, LabelMap, Region, colourise

__all__ = ["FORMAT", "MAX_OTHERS", "Finish", "RenderOptions", "Session", "encode", "is_id", "new_id"]

_THUMBNAIL: Final = 160  # pixels


@dataclass
class Session(SessionState):
    """A session with its rendering; style codes and the latest results are cached. See `SessionState` for its data."""

    _bases: BaseFaces = field(default_factory=BaseFaces, repr=False)
    _accessories: SessionAccessories = field(default_factory=SessionAccessories, repr=False)
    _styles: dict[tuple[int, bool, str], Tensor] = field(default_factory=dict, repr=False)
    _painted: tuple[tuple[bytes, int, bool, str], Picture] | None = field(default=None, repr=False)
    _motion: tuple[tuple[bytes, Key], PhotoMotion] | None = field(default=None, repr=False)
    _composed: tuple[tuple[bytes, Key, int, str], Picture] | None = field(default=None, repr=False)
    _drawn: tuple[tuple[bytes, Key, int, str, bytes, tuple[str, ...]], Picture] | None = field(default=None, repr=False)

    def render(
        self,
        models: Models,
        labels: LabelMap,
        options: RenderOptions,
        *,
        revision: int,
        preview: bool,
        brush: bool = False,
    ) -> bytes:
        """Render the face in the shape of ``labels``: a preview as a JPEG file, or the full picture as a PNG file.

        Previews with generated regions have a lower resolution. For a full picture, the label map is saved.

        Args:
            models: the networks.
            labels: the edited label map (S, S).
            options: how it is rendered.
            revision: number of the request.
            preview: render a preview.
            brush: the mask was painted on since the latest picture: a preview moves the photo as that picture does,
                and paints only around what has changed.

        Raises:
            InputError: an accessory or another face does not exist.
            Superseded: a newer request has arrived.
        """
        self._check_revision(revision)
        options.check(len(self.others))
        job = self._job(models, labels, options, preview=preview)
        latest = self._motion
        if preview and brush and not options.bare and latest is not None and latest[0][1] == job.base.key:
            return encode_image(self._shown(job, self._stroke(job, latest[1])), ".jpg")
        if not options.bare:
            self._moved(job)
            self._check_revision(revision)
        picture = self._finished(job)
        self._check_revision(revision)
        if preview:
            return encode_image(picture, ".jpg")
        self.labels, self.options = labels, options
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

    def painted(self, models: Models, labels: LabelMap) -> Picture:
        """Render a label map (S, S) without saving it: (S, S, 3), or in the network's size if it is not composited."""
        return self._finished(self._job(models, labels, replace(self.options, fade=None)))

    def mask(self, models: Models) -> LabelMap:
        """The edited label map (S, S) with the classes of all accessories."""
        job = self._job(models, self.labels, self.options)
        return marked(job.labels, job.base.picture, job.names)

    def _job(self, models: Models, labels: LabelMap, options: RenderOptions, *, preview: bool = False) -> _Job:
        """What is rendered for a label map (S, S) of the page."""
        labels, names = self._accessories.mask(
            labels, options.items, self.face.labels, bare=options.bare, preview=preview
        )
        bare = options.remove_glasses or "glasses" in kinds_of(names)
        key = (False, 0) if options.bare else (bare, options.hair)
        base = self._bases.get(self.face, key, self.other(key[1]) if key[1] else None)
        return _Job(models, labels, options, base, names, preview)

    def _painting(self, job: _Job) -> Picture:
        """The network's output; the latest one is cached, because a preview is followed by its full picture."""
        key = (job.labels.tobytes(), job.options.style, job.base.key[0], job.models.weights.sha256)
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, job.models.paint(job.labels, self._style_code(job)))
        return self._painted[1]

    def _stroke(self, job: _Job, latest: PhotoMotion) -> Picture:
        """A quick preview of a stroke, see ``brush`` of `render`; ``latest`` is the motion of the latest picture."""
        base, motion = job.base, latest.towards(with_jaw(job.base.labels, job.labels))
        painting = partial(self._repainting, job, motion)
        return blend_quickly(base.picture, painting, base.labels, job.labels, self._reference(job.options), motion)

    def _repainting(self, job: _Job, motion: PhotoMotion) -> Picture:
        """The latest painting, updated around what has changed since; all of it anew if there is none to update."""
        models, labels, size = job.models, job.labels, job.models.size
        before, painting = job.base.labels, None
        style = (job.options.style, job.base.key[0], models.weights.sha256)
        if self._painted is not None and self._painted[0][1:] == style:
            before = np.frombuffer(self._painted[0][0], np.uint8).reshape(labels.shape)
            painting = self._painted[1]
        changed = resize_labels(before, size) != resize_labels(labels, size)
        missing = resize_labels(motion.missing.astype(np.uint8), size) > 0
        if painting is None:  # the photo itself, as long as nothing else has to be painted
            if not changed.any() or (missing & ~_around(changed)).any():
                return self._painting(job)
            painting = resize_image(job.base.picture, size)
        if not changed.any():
            return painting
        return models.repaint(painting, labels, self._style_code(job), changed)

    def _moved(self, job: _Job) -> PhotoMotion:
        """The motion of the face's pixels; the latest is cached, because a preview is followed by its full picture."""
        key = job.labels.tobytes(), job.base.key
        if self._motion is None or self._motion[0] != key:
            self._motion = (key, motion_between(job.base.labels, job.labels))
        return self._motion[1]

    def _finished(self, job: _Job) -> Picture:
        """Render and composite a picture."""
        if job.options.bare:
            return self._painting(job)
        base, motion, reference = job.base, self._moved(job), self._reference(job.options)
        painting = partial(self._painting, job)
        key = (job.labels.tobytes(), base.key, job.options.mouth, job.models.weights.sha256)
        if self._composed is not None and self._composed[0] == key:
            made = self._composed[1]
        elif job.preview and motion.missing.any():
            return self._shown(job, blend_quickly(base.picture, painting, base.labels, job.labels, reference, motion))
        else:  # without generated regions, the full picture is as fast as a preview
            made = blend(base.picture, painting, base.labels, job.labels, None, reference, motion)
            self._composed = (key, made)
        fade = job.options.fade
        shown = (*key, b"" if fade is None else fade.tobytes(), job.names)
        if self._drawn is not None and self._drawn[0] == shown:
            return self._drawn[1]
        picture = self._shown(job, made)
        if not job.preview:
            self._drawn = (shown, picture)
        return picture

    def _shown(self, job: _Job, made: Picture) -> Picture:
        """A composited picture with the opacity of the edit and the accessories."""
        faded_in = made if job.options.fade is None else faded(self.face.picture, made, job.options.fade)
        return self._accessories.draw(faded_in, job.labels, job.names, preview=job.preview)

    def _reference(self, options: RenderOptions) -> ReferenceFace | None:
        """The other face that is a source of the inside of a mouth, or None."""
        if not options.mouth:
            return None
        other = self.other(options.mouth)
        return ReferenceFace(other.picture, other.labels)

    def picture(self, models: Models) -> Picture:
        """The latest result (S, S, 3), or in the network's size if it is not composited."""
        return self._finished(self._job(models, self.labels, self.options))

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
        job = self._job(models, self.labels, self.options)
        base, labels, fade = job.base, job.labels, self.options.fade
        painting = partial(self._painting, job)
        if self.options.bare:
            made = paste_person(base.picture, resize_image(painting(), self.side), base.labels)
            return paste_crop(photo, square, made)
        place, reference = Place(base.photo(photo, square), square), self._reference(self.options)
        made = blend(base.picture, painting, base.labels, labels, place, reference)
        made = made if fade is None else faded_photo(photo, made, square, fade)
        return put_on(made, labels, job.names, matrix_of(square, self.side)).picture if job.names else made

    def _check_revision(self, revision: int) -> None:
        """Raise `Superseded` if a newer request has arrived."""
        if revision < self.revision:
            raise Superseded

    def _style_code(self, job: _Job) -> Tensor:
        """The style code of a face, encoded once."""
        style, bare = job.options.style, job.base.key[0]
        key = (style, bare, job.models.weights.sha256)
        if key not in self._styles:
            other = self.others[style - 1] if style else None
            picture, labels = job.base.style if other is None else (other.picture, other.labels)
            self._styles[key] = job.models.encode(picture, labels)
        return self._styles[key]

    @property
    def style_name(self) -> str:
        """Name of the face that gives the style, as in its files."""
        return other_name(self.options.style) or "face"

    @property
    def references(self) -> dict[str, str]:
        """Names of the faces that give something to the photo, as in their files, by role in `maskgan render`."""
        numbers = {} if self.options.bare else {"reference": self.options.mouth, "hair_reference": self.options.hair}
        return {role: other_name(number) for role, number in numbers.items() if number}

    def note(self, models: Models) -> dict[str, Any]:
        """The provenance of the result, in the form of `maskgan render`, and the number of edited pixels."""
        style = self.style_name
        files = {"mask": "mask.png", "style_image": f"{style}.png", "style_mask": f"{style}.mask.png"}
        for role, name in self.references.items():
            files |= {role: f"{name}.png", f"{role}_mask": f"{name}.mask.png"}
        painted = int((self.labels != self.face.labels).sum())
        return {
            "edit": "maskgan edit", "style": self.options.style, "finish": self.options.finish,
            "parser": self.face.parser,
            "mask": {"made_by": "hand" if painted else "parser" if self.face.parser else "its file",
                     "pixels_painted": painted},
            "inputs": {role: sha256(self.folder / file) for role, file in files.items()},
            "version": __version__, **models.about(),
            **({} if self.options.fade is None else {"fade": sha256(self.folder / FADE)}), **self._composition(models),
        }  # fmt: skip

    def _composition(self, models: Models) -> dict[str, Any]:
        """For the provenance: the compositing of the result, and the sources of hair, accessories and mouth."""
        job = self._job(models, self.labels, self.options)
        found: dict[str, Any] = {}
        if self.options.items:
            how = editing_options.Accessories.DRAWN if job.names else editing_options.Accessories.PAINTED
            found = {"add": list(self.options.items), "accessories": how.value}
        if self.options.bare:
            return found | {"blend": None}
        if self.options.hair:
            found["hair"] = Hair.REFERENCE.value
        if self.options.remove_glasses:
            found["remove_glasses"] = True
        before, reference = job.base.labels, self._reference(self.options)
        found["blend"] = effective_edge(before, job.labels, Edge.MOVE, in_photo=False).value
        if found["blend"] != Edge.MOVE.value:
            return found
        inside = source_of_inside(before, job.labels, None if reference is None else reference.labels)
        return found | ({} if inside is None else {"inside": inside.value})

    def swapped(self, labels: LabelMap, number: int, parts: tuple[int, ...], hair: int = 0) -> tuple[LabelMap, int]:
        """Replace parts of ``labels`` (S, S) by those of another face, aligned with the face (see `fit_parts`).

        Args:
            labels: the mask.
            number: of the other face.
            parts: class ids; eyes and brows that one of the faces hides are not replaced.
            hair: number of the face whose hair is on the photo; 0 for none.

        Returns:
            The mask, and the number of the face whose hair is on the photo now. It is 0 if the network paints the hair.
        """
        other = self.other(number)
        parts = tuple(set(parts) - hidden_eyes(labels, other.labels))
        if ID["hair"] not in parts:
            return swap_parts(labels, fit_parts(other.labels, labels, parts), parts), hair
        own = self.face.labels
        if hair:  # edits stay, but not the mask of the earlier hair
            labels = np.where(labels == self._with_hair(hair, own), own, labels)
        fit = hair_to_take(other.labels, own)
        if fit is None:
            return swap_parts(labels, fit_parts(other.labels, labels, parts), parts), 0
        shape, rest = fit_parts(other.labels, labels, parts), set(parts) - {ID["hair"]}
        return swap_parts(fitted_hair(other.labels, labels, fit), shape, rest), number

    def _with_hair(self, number: int, labels: LabelMap) -> LabelMap:
        """A mask (S, S) with the hair of another face."""
        other = self.other(number)
        fit = hair_to_take(other.labels, self.face.labels)
        return labels if fit is None else fitted_hair(other.labels, labels, fit)


@dataclass(frozen=True)
class _Job:
    """What is rendered.

    Attributes:
        models: the networks.
        labels: the label map (S, S) to paint.
        options: see `RenderOptions`.
        base: the face that the edit starts from.
        names: of the accessories that are drawn over the picture.
        preview: the result is a preview.
    """

    models: Models
    labels: LabelMap
    options: RenderOptions
    base: BaseFace
    names: tuple[str, ...]
    preview: bool


def other_name(number: int) -> str:
    """Name of the files of another face, counted from 1; an empty string for 0."""
    return f"other-{number - 1}" if number else ""


def _around(region: Region) -> Region:
    """The bounding box of a region (H, W) that is not empty."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    box = np.zeros_like(region)
    box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box


def encode(picture: Picture, note: Mapping[str, Any] | None = None) -> bytes:
    """A picture as a PNG file with its provenance."""
    return encode_image(picture, ".png", note=note)
