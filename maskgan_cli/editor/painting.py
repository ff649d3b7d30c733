"""Renders the pictures of a session: the edited face, alone and in its photo. The latest results are cached."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from torch import Tensor

from maskgan_cli.data.crop import matrix_of
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.accessories.put_on import AccessoryRenderer
from maskgan_cli.editing.compositing.blend import paste_person
from maskgan_cli.editing.compositing.compose import Place, motion_between
from maskgan_cli.editing.compositing.hair_fit import fitted_hair
from maskgan_cli.editing.compositing.hair_swap import hair_to_take
from maskgan_cli.editing.compositing.mouths import ReferenceFace, with_jaw
from maskgan_cli.editing.compositing.moving import PhotoMotion
from maskgan_cli.editing.compositing.paste import paste_crop
from maskgan_cli.editing.masks.fit import fit_parts
from maskgan_cli.editing.masks.swap import hidden_eyes, swap_parts
from maskgan_cli.editing.masks.take_off import kinds_of
from maskgan_cli.editor.accessories import SessionAccessories
from maskgan_cli.editor.base_face import BaseFace, BaseFaces, Key
from maskgan_cli.editor.fade import faded, faded_photo
from maskgan_cli.editor.models import Models, blend, blend_quickly
from maskgan_cli.editor.session_photos import read_session_photo
from maskgan_cli.editor.session_state import RenderOptions, SessionState
from maskgan_cli.editor.worker import Superseded
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture
from maskgan_cli.labels import ID, LabelMap, Region


@dataclass
class SessionPainting(SessionState):
    """A session that renders its edited face. The latest result of each step of the rendering is cached."""

    # Caches; each entry has a key that identifies its inputs. They contain, in this order: base faces; style codes; the
    # latest network output, motion, coarse motion (of previews), composited picture and final picture.
    _bases: BaseFaces = field(default_factory=BaseFaces, repr=False)
    _styles: dict[tuple[int, bool, str], Tensor] = field(default_factory=dict, repr=False)
    _painted: tuple[tuple[bytes, int, bool, str], Picture] | None = field(default=None, repr=False)
    _motion: tuple[tuple[bytes, Key], PhotoMotion] | None = field(default=None, repr=False)
    _coarse_motion: tuple[tuple[bytes, Key], PhotoMotion] | None = field(default=None, repr=False)
    _composed: tuple[tuple[bytes, Key, int, str], Picture] | None = field(default=None, repr=False)
    _drawn: tuple[tuple[bytes, Key, int, str, bytes, tuple[str, ...]], Picture] | None = field(default=None, repr=False)

    @cached_property
    def _accessories(self) -> SessionAccessories:
        return SessionAccessories(self.face.labels)

    def paint(
        self, models: Models, labels: LabelMap, options: RenderOptions, *, revision: int, preview: bool, brush: bool
    ) -> Picture:
        """Render and return the picture that `Session.render` encodes as a file; parameters and errors are the same."""
        options.check(len(self.others))
        job = self._job(models, labels, options, preview=preview)
        latest = self._motion
        if preview and brush and not options.bare and latest is not None and latest[0][1] == job.base.key:
            return self._shown(job, self._stroke(job, latest[1]))
        if not options.bare:
            self._moved(job)
        if revision < self.revision:
            raise Superseded
        return self._finished(job)

    def painted(self, models: Models, labels: LabelMap) -> Picture:
        """Render a label map (S, S) with the session's options except the opacity, without saving the label map.

        Returns:
            The picture (S, S, 3) with the edit composited into the face; the network's output (size, size, 3) if
            `RenderOptions.bare` is true.
        """
        return self._finished(self._job(models, labels, replace(self.options, fade=None)))

    def _job(self, models: Models, labels: LabelMap, options: RenderOptions, *, preview: bool = False) -> _Job:
        """Collect and return the inputs of one rendering.

        Args:
            models: the networks.
            labels: the label map (S, S) that the page sent, without the accessories that are put on.
            options: the options of the rendering.
            preview: whether a preview is rendered.
        """
        labels, names = self._accessories.mask(labels, options.items, bare=options.bare)
        bare = options.remove_glasses or "glasses" in kinds_of(names)
        key = (False, 0) if options.bare else (bare, options.hair)
        base = self._bases.get(self.face, key, self.other(key[1]) if key[1] else None)
        return _Job(models, labels, options, base, names, preview)

    def _painting(self, job: _Job) -> Picture:
        """Return the network's output (size, size, 3) for the inputs of one rendering.

        The latest output is cached, because the page requests first a preview of a mask and then the full picture.
        """
        key = (job.labels.tobytes(), *job.style_key)
        if self._painted is None or self._painted[0] != key:
            self._painted = (key, job.models.paint(job.labels, self._style_code(job)))
        return self._painted[1]

    def _latest_painting(self, job: _Job) -> Picture:
        """Return the latest network output (size, size, 3) with the style of ``job``, even if its mask was another one.

        Previews use this output only for regions that the moved photo does not show; the full picture follows soon. If
        there is no output with this style, the network generates one.
        """
        if self._painted is not None and self._painted[0][1:] == job.style_key:
            return self._painted[1]
        return self._painting(job)

    def _stroke(self, job: _Job, latest: PhotoMotion) -> Picture:
        """Render and return a quick preview (T, T, 3) after a brush stroke: see ``brush`` of `Session.render`.

        Args:
            job: the inputs of the rendering.
            latest: motion of the photo's pixels in the latest full picture. This motion is used again; only the regions
                that the moved photo does not show are computed again.
        """
        base, motion = job.base, latest.towards(with_jaw(job.base.labels, job.labels))
        painting = partial(self._repainting, job, motion)
        return blend_quickly(base.picture, painting, base.labels, job.labels, self._reference(job.options), motion)

    def _repainting(self, job: _Job, motion: PhotoMotion) -> Picture:
        """Return the latest network output (size, size, 3), generated again where the label map has changed since then.

        If there is no output with the style of ``job``, the changed area is generated and put into the photo instead.
        But if regions outside of this area have to be generated too, the whole face is generated.

        Args:
            job: the inputs of the rendering.
            motion: motion of the photo's pixels; regions that the moved photo does not show have to be generated.
        """
        models, labels, size = job.models, job.labels, job.models.size
        before, painting = job.base.labels, None
        if self._painted is not None and self._painted[0][1:] == job.style_key:
            before = np.frombuffer(self._painted[0][0], np.uint8).reshape(labels.shape)
            painting = self._painted[1]
        changed = resize_labels(before, size) != resize_labels(labels, size)
        missing = resize_labels(motion.missing.astype(np.uint8), size) > 0
        if painting is None:  # start from the photo, unless regions outside of the change are missing too
            if not changed.any() or (missing & ~_around(changed)).any():
                return self._painting(job)
            painting = resize_image(job.base.picture, size)
        if not changed.any():
            return painting
        return models.repaint(painting, labels, self._style_code(job), changed)

    def _moved(self, job: _Job) -> PhotoMotion:
        """Return how the face's pixels move when its mask changes to the edited mask; the latest result is cached.

        A preview uses a motion of lower resolution, unless the latest full picture has the same mask.
        """
        key = job.labels.tobytes(), job.base.key
        if self._motion is not None and self._motion[0] == key:
            return self._motion[1]
        if job.preview:
            if self._coarse_motion is None or self._coarse_motion[0] != key:
                self._coarse_motion = (key, motion_between(job.base.labels, job.labels, coarse=True))
            return self._coarse_motion[1]
        self._motion = (key, motion_between(job.base.labels, job.labels))
        return self._motion[1]

    def _finished(self, job: _Job) -> Picture:
        """Render and return the picture for the inputs of one rendering.

        The network's output is composited into the face with the opacity of the edit, and accessories are drawn over
        the face. If `RenderOptions.bare` is true, the network's output is returned unchanged.
        """
        if job.options.bare:
            return self._painting(job)
        base, motion, reference = job.base, self._moved(job), self._reference(job.options)
        painting = partial(self._painting, job)
        key = (job.labels.tobytes(), base.key, job.options.mouth, job.models.weights.sha256)
        if self._composed is not None and self._composed[0] == key:
            made = self._composed[1]
        elif job.preview:
            latest = partial(self._latest_painting, job)
            return self._shown(job, blend_quickly(base.picture, latest, base.labels, job.labels, reference, motion))
        else:
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
        """Apply the opacity of the edit to the composited picture ``made``, and draw the accessories over it."""
        faded_in = made if job.options.fade is None else faded(self.face.picture, made, job.options.fade)
        return self._accessories.draw(faded_in, job.labels, job.names, job.base, preview=job.preview)

    def _reference(self, options: RenderOptions) -> ReferenceFace | None:
        """Return the other face whose mouth shape was copied; None if no mouth was copied.

        The inside of the mouth (teeth, tongue) can be taken from the picture of this face.
        """
        if not options.mouth:
            return None
        other = self.other(options.mouth)
        return ReferenceFace(other.picture, other.labels)

    def picture(self, models: Models) -> Picture:
        """Render and return the saved edit (S, S, 3); the network's output (size, size, 3) if `RenderOptions.bare`."""
        return self._finished(self._job(models, self.labels, self.options))

    def photo(self) -> Photo:
        """Return the photo that the face is cropped from.

        Raises:
            InputError: the session has no photo.
        """
        path = self.folder / "photo"
        if self.face.square is None or not path.is_file():
            raise InputError("the photo", found="none: the picture is the face itself", hint="save the result")
        return read_session_photo(path)

    def whole(self, models: Models) -> Picture:
        """Return the photo (H, W, 3) with the edited face pasted back.

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
        renderer = AccessoryRenderer(place.photo, base.labels, matrix_of(square, self.side))
        return renderer.put_on(made, labels, job.names).picture

    def _style_code(self, job: _Job) -> Tensor:
        """Return the style code (1, style_dim) of the face whose style is used; each code is computed only once."""
        key, style = job.style_key, job.options.style
        if key not in self._styles:
            other = self.others[style - 1] if style else None
            picture, labels = job.base.style if other is None else (other.picture, other.labels)
            self._styles[key] = job.models.encode(picture, labels)
        return self._styles[key]

    def swapped(self, labels: LabelMap, number: int, parts: tuple[int, ...], hair: int = 0) -> tuple[LabelMap, int]:
        """Replace parts of a mask by the same parts of another face, aligned with the edited face (see `fit_parts`).

        Args:
            labels: the mask (S, S) before the replacement.
            number: number of the other face, counted from 1.
            parts: class ids of the parts; eyes and brows that are hidden in one of the faces are not replaced.
            hair: number of the other face whose hair is in the photo before the replacement; 0 for none.

        Returns:
            The new mask, and the number of the other face whose hair is in the photo after the replacement. The number
            is 0 if the face keeps its own hair, or if the network paints the hair.
        """
        other = self.other(number)
        parts = tuple(set(parts) - hidden_eyes(labels, other.labels))
        if ID["hair"] not in parts:
            return swap_parts(labels, fit_parts(other.labels, labels, parts), parts), hair
        own = self.face.labels
        if hair:  # remove the earlier other hair, but keep edits of the mask
            labels = np.where(labels == self._with_hair(hair, own), own, labels)
        fit = hair_to_take(other.labels, own)
        if fit is None:
            return swap_parts(labels, fit_parts(other.labels, labels, parts), parts), 0
        shape, rest = fit_parts(other.labels, labels, parts), set(parts) - {ID["hair"]}
        return swap_parts(fitted_hair(other.labels, labels, fit), shape, rest), number

    def _with_hair(self, number: int, labels: LabelMap) -> LabelMap:
        """Return the mask ``labels`` (S, S) with the hair of the other face ``number`` (counted from 1).

        If that hair cannot be put on the session's face, the mask is returned unchanged.
        """
        other = self.other(number)
        fit = hair_to_take(other.labels, self.face.labels)
        return labels if fit is None else fitted_hair(other.labels, labels, fit)


@dataclass(frozen=True)
class _Job:
    """The inputs of one rendering.

    Attributes:
        models: the networks.
        labels: the label map (S, S) for the network.
        options: the options of the rendering.
        base: the face that the edit starts from.
        names: names of the accessories that are drawn over the picture.
        preview: whether a preview is rendered.
    """

    models: Models
    labels: LabelMap
    options: RenderOptions
    base: BaseFace
    names: tuple[str, ...]
    preview: bool

    @property
    def style_key(self) -> tuple[int, bool, str]:
        """Identify the style code: number of the style's face, whether its glasses are removed, and the weights."""
        return self.options.style, self.base.key[0], self.models.weights.sha256


def _around(region: Region) -> Region:
    """Return a boolean mask (H, W), true in the bounding box of ``region`` (H, W), which must not be empty."""
    rows, columns = (np.flatnonzero(region.any(axis)) for axis in (1, 0))
    box = np.zeros_like(region)
    box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box
