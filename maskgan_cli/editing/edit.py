"""Define the class `Edit`, which holds the network's input for one edit and finishes the network's painting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from maskgan_cli.data.crop import matrix_of
from maskgan_cli.data.resize import resize_image, resize_labels
from maskgan_cli.editing.compositing.accessories.overlay import WithAccessories
from maskgan_cli.editing.compositing.accessories.put_on import AccessoryRenderer
from maskgan_cli.editing.compositing.blend import paste_person
from maskgan_cli.editing.compositing.compose import Place, paste_back
from maskgan_cli.editing.compositing.hair_fit import HairFit
from maskgan_cli.editing.compositing.mouths import ReferenceFace
from maskgan_cli.editing.faces.face import Face
from maskgan_cli.editing.options import Blend
from maskgan_cli.files import Photo, Picture
from maskgan_cli.labels import LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.faces.cutouts import Cutout

R = TypeVar("R")


@dataclass(frozen=True)
class Edit(Generic[R]):
    """One edit: the network's input, and all that is needed to make the finished picture from the network's painting.

    Attributes:
        request: the input of the network, e.g. a `Request`: see `Method.paint`.
        face: the face whose style is painted. If ``blend`` is given, the painting is pasted into this face's picture.
            None if the method uses no masks; then the painting is not pasted back.
        labels: (S, S), the edited mask that is painted; None if the method uses no masks.
        inputs: dict from the role of an input file (e.g. ``source``) to its path. The hashes of the files are stored in
            the result's record (a dict in the picture's file that says how the picture was made).
        settings: all settings that determine the result; they are stored in the result's record too.
        panels: square pictures of any size (e.g. the inputs) that are shown beside the result in the overview sheet.
        blend: how the painting is pasted back into ``face``; None: it is not pasted back.
        place: a face into whose picture or photo the whole painted person is pasted; only used if ``blend`` is None.
            None: the painting is not put into a photo.
        reference: another face whose mouth or hair is copied, or None.
        hair: alignment of the reference's hair to ``face``; None if this hair is not used.
        painted: whether the network has to paint ``request``. If False, `finish` is called without a painting.
        drawn: names of the accessories that are drawn over the finished picture: see `library.ITEMS`.
        original: the photo before any change, needed if ``face`` has already been changed (e.g. its glasses removed);
            None: the photo of ``face`` or ``place``.
    """

    request: R
    face: Face | None
    labels: LabelMap | None
    inputs: dict[str, Path]
    settings: dict[str, Any]
    panels: list[Picture]
    blend: Blend | None = None
    place: Face | None = None
    reference: Face | None = None
    hair: HairFit | None = None
    painted: bool = True
    drawn: tuple[str, ...] = ()
    original: Photo | None = None
    _accessories: list[LabelMap] = field(default_factory=list, repr=False, compare=False)  # set by `finish` for `mask`

    @property
    def photo(self) -> Photo | None:
        """The photo that is edited, before the edit; None if the painting is not put into a photo."""
        place = self._place
        return self.original or (None if place is None else place.photo)

    @property
    def _place(self) -> Face | None:
        """The face whose picture or photo receives the painting; None if the painting is not put into a photo."""
        return self.place if self.blend is None else self.face

    @property
    def _cutout(self) -> Cutout | None:
        """The crop of the face `_place` and its position in the photo; None if this face was not cut out of a photo."""
        place = self._place
        return None if place is None else place.cutout

    def finish(self, painted: Picture | None) -> Picture:
        """Return the finished picture: paste the painting into the face's picture or photo, and draw the accessories.

        Args:
            painted: the method's painting; None if ``self.painted`` is False.

        Returns:
            The whole photo (H, W, 3) if the face was cut out of one, else a square picture.
        """
        if painted is None:
            assert self.face is not None
            assert not self.painted
            painted = self.face.picture
        if self.blend is not None and self.face is not None and self.labels is not None:
            cutout = self.face.cutout
            place = None if cutout is None else Place(cutout.photo.picture, cutout.square)
            other = (
                None
                if self.reference is None
                else ReferenceFace(self.reference.picture, self.reference.labels, self.hair)
            )
            edited = paste_back(self.face.picture, painted, self.face.labels, self.labels, self.blend, place, other)
            if not self.drawn:
                return edited
            drawn = self._with_accessories(edited)
            self._accessories.append(drawn.labels)
            return drawn.picture
        if self.place is not None:
            edited = paste_person(self.place.picture, resize_image(painted, len(self.place.picture)), self.place.labels)
            return edited if self._cutout is None else self._cutout.paste(edited)
        return painted

    def mask(self, painted: int) -> LabelMap | None:
        """Return the edited mask at the size of the finished picture; None if the method uses no masks.

        Args:
            painted: side of the network's paintings in pixels; this is the finished size if nothing is pasted back.
        """
        if self.labels is None:
            return None
        place = self._place
        labels = resize_labels(self.labels, painted if place is None else len(place.picture))
        labels = labels if self._cutout is None else self._cutout.paste_labels(labels)
        if not self.drawn or place is None:
            return labels
        # Accessories may extend beyond the crop, so their classes are added at the finished picture's size.
        whole = place.picture if self._cutout is None else self._cutout.photo.picture
        accessories = self._accessories[-1] if self._accessories else self._with_accessories(whole).labels
        return np.where(accessories > 0, accessories, labels)

    def _with_accessories(self, picture: Picture) -> WithAccessories:
        """Draw the accessories ``drawn`` over a finished picture (H, W, 3): a face crop or a whole photo.

        Returns:
            The picture with the accessories, and a label map (H, W) of the accessories.
        """
        assert self.labels is not None
        assert self.face is not None
        before, matrix, cutout = self.face.picture, None, self._cutout
        if cutout is not None:
            before, matrix = cutout.photo.picture, matrix_of(cutout.square, len(self.labels))
        own = resize_labels(self.face.labels, len(self.labels))
        return AccessoryRenderer(before, own, matrix).put_on(picture, self.labels, self.drawn)

    def shown(self, picture: Picture) -> Picture:
        """Return the part of a finished picture (H, W, 3) that an overview sheet shows.

        If the face was cut out of a photo, this is the crop of the edited face; else it is the unchanged picture.
        """
        return picture if self._cutout is None else self._cutout.apply_to(picture)


def joined(pictures: Sequence[Picture], photo: Photo | None) -> Picture:
    """Merge several versions of one photo, each with another edited face, into one picture with all edits.

    Args:
        pictures: the edited versions (H, W, 3).
        photo: the photo before the edits; None: the first picture is returned.
    """
    if photo is None or len(pictures) == 1:
        return pictures[0]
    result = photo.picture.copy()
    for picture in pictures:
        changed = (picture != photo.picture).any(-1)
        result[changed] = picture[changed]
    return result


def overlaid(masks: Sequence[LabelMap]) -> LabelMap:
    """Merge label maps (H, W) of a photo, one for each edited face, into one label map (H, W).

    Later label maps overwrite earlier label maps, except where the later label map is background.
    """
    result = masks[0].copy()
    for labels in masks[1:]:
        result = np.where(labels > 0, labels, result)
    return result
