"""Read faces to edit, from face crops and from photos. In photos, faces are detected and cut out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from maskgan_cli.data.given_masks import read_given_mask
from maskgan_cli.data.prepared import in_prepared, mask_beside
from maskgan_cli.editing.faces.face import Face, FaceReader
from maskgan_cli.editing.faces.framing import FACE_CROP, crop_problem, framed
from maskgan_cli.editing.options import Taken
from maskgan_cli.errors import InputError
from maskgan_cli.files import Photo, Picture, read_photo
from maskgan_cli.labels import LabelMap

if TYPE_CHECKING:
    from maskgan_cli.editing.faces.cutouts import Cutout
    from maskgan_cli.editing.faces.search import PhotoSearch, Which

SIDES: Final = (128, 1024)  # smallest and largest side of a crop; between them it has the photo's resolution


class PhotoReader:
    """A callable that reads faces to edit, from face crops and from photos.

    Pictures of a prepared data set and pictures framed as in CelebA-HQ are treated as face crops. In other pictures, a
    face is detected and cut out. The returned `Face` stores the position of the crop, so that an edit can be pasted
    back. The face detector is loaded when it is first needed.

    Args:
        weights: weights of the face parser; None: those that `find_weights` finds.
        device: see `pick_device`.
        say: function that is called with messages about the pictures.
        force: accept pictures that are not face crops, and faces smaller than 64 pixels.
        taken: whether to treat all pictures as crops, all as photos, or to decide for each picture.
        numbers: dict from the role of a photo in the edit (e.g. ``source``) to the number of the face to use, counted
            from the left from 1. In photos of other roles, the largest face is used.
    """

    def __init__(
        self,
        weights: Path | None,
        device: str,
        say: Callable[[str], None],
        *,
        force: bool = False,
        taken: Taken = Taken.AUTO,
        numbers: Mapping[str, int] | None = None,
    ) -> None:
        self._crops = FaceReader(weights, device, say, force=force)
        self._parse = FaceReader(weights, device, self._say_once, force=True)
        self._device, self._say, self._force, self._taken = device, say, force, taken
        self._numbers = numbers or {}
        self._said: set[str] = set()
        self._search: PhotoSearch | None = None

    def _say_once(self, text: str) -> None:
        """Call ``say`` with a message, but only once for each text.

        A photo may be parsed twice, as a whole and as a face crop, with equal messages.
        """
        if text not in self._said:
            self._said.add(text)
            self._say(text)

    @property
    def search(self) -> PhotoSearch:
        """The face detector, loaded at the first use."""
        if self._search is None:
            from maskgan_cli.devices import pick_device
            from maskgan_cli.editing.faces.search import PhotoSearch

            self._search = PhotoSearch(pick_device(self._device), force=self._force)
        return self._search

    def __call__(self, image: Path, mask: Path | None, role: str) -> Face:
        """Read the chosen face of a picture, and its mask.

        Args:
            image: the picture's file.
            mask: the mask's file. None: use the mask beside the picture, or else make a mask with the face parser.
            role: role of the picture in the edit, e.g. ``source``.

        Raises:
            InputError: the picture cannot be read, it has no face, the face is smaller than 64 pixels, or the mask has
                another size or is not that of a face.
        """
        return self._read(image, mask, role, self._numbers.get(role))[0]

    def every(self, image: Path, mask: Path | None, role: str) -> list[Face]:
        """Read all faces of a picture that can be edited, from left to right.

        A message (see ``say``) reports each face that cannot be edited.

        For the arguments see `__call__`.

        Raises:
            InputError: no face can be edited, or an error of `__call__`.
        """
        return self._read(image, mask, role, "all")

    def _read(self, image: Path, mask: Path | None, role: str, which: Which) -> list[Face]:
        """Read one or all faces of a picture. For the other arguments see `__call__`.

        Args:
            which: number of the face, counted from the left from 1; None: the largest face; "all": all faces.
        """
        if self._taken is Taken.CROP or (in_prepared(image) and self._taken is Taken.AUTO):
            return [self._crops(image, mask)]
        photo, mask = read_photo(image), mask or mask_beside(image)
        for remark in photo.remarks:
            self._say_once(remark)
        labels, parser = (None, "") if mask is None else (_of_its_size(mask, photo), "")
        if self._taken is Taken.AUTO and role not in self._numbers and _is_square(photo.picture):
            if labels is None:
                labels, parser = self._parse.make_mask(image, photo.picture)
            if (mask is not None and not crop_problem(labels)) or framed(labels, lambda: self.search.points(photo)):
                return [Face(image, mask, photo.picture, labels, parser, photo=photo)]
        return self._cut_out(photo, mask, (labels, parser), which)

    def _cut_out(self, photo: Photo, mask: Path | None, read: tuple[LabelMap | None, str], which: Which) -> list[Face]:
        """Detect the faces of a photo, and cut out the chosen face or all faces.

        Args:
            photo: the photo.
            mask: file of the photo's mask, or None.
            read: the label map of the whole photo (None if it is not known yet), and the hash of the parser that made
                it ("" if it was read from a file).
            which: number of the face, counted from the left from 1; None: the largest face; "all": all faces.
        """
        whole, parser = read
        try:
            cutouts = self.search.cut(photo, 1, which)
        except InputError as error:
            trusted = self._taken is Taken.AUTO and (mask is not None or self._force)
            if error.found == "no face" and whole is not None and trusted:
                return [Face(photo.path, mask, photo.picture, whole, parser, photo=photo)]
            if error.found == "no face":
                more = ", name its mask, or use it with --force" if _is_square(photo.picture) else ""
                raise InputError(
                    photo.path, expected="a photo with a face", found="no face", hint=f"leave it out{more}"
                ) from None
            raise
        faces, failure = [], None
        for cutout in cutouts:
            try:
                faces.append(self._cut(cutout, mask, whole))
            except InputError as error:
                if len(cutouts) == 1:
                    raise
                failure = error
                self._say(f"left out: {error}")
        if failure is not None and not faces:
            raise failure
        return faces

    def _cut(self, cutout: Cutout, mask: Path | None, whole: LabelMap | None) -> Face:
        """Return the `Face` of a cutout; the face's mask is cut out of the photo's mask, or made by the face parser.

        Args:
            cutout: the position of the face in the photo; its ``size`` is not used.
            mask: file of the photo's mask, or None.
            whole: (H, W), the label map that was read from ``mask``; None if ``mask`` is None.
        """
        photo, parser = cutout.photo, ""
        cutout = replace(cutout, size=int(np.clip(round(cutout.side), *SIDES)))
        others = f", one of {cutout.count} (--face chooses)" if cutout.count > 1 else ""
        self._say(
            f"{photo.path}: face {cutout.number}{others}, {cutout.side:.0f} px wide, is cut out; edits are pasted back"
        )
        if mask is not None and whole is not None:
            labels = cutout.cut_labels(whole)
        else:
            labels, parser = self._parse.make_mask(photo.path, cutout.picture)
        found = crop_problem(labels)
        if found and mask is not None:  # a user's mask is accepted: dark glasses hide eyes, a beard hides skin
            self._say(f"{mask}: the mask of face {cutout.number} has {found}; edited all the same")
        elif found and not self._force:
            raise InputError(
                photo.path,
                expected=FACE_CROP,
                found=f"{found} of face {cutout.number}",
                hint="choose another with --face, name its mask, or use it with --force",
            )
        return Face(photo.path, mask, cutout.picture, labels, parser, photo=photo, cutout=cutout)


def _of_its_size(mask: Path, photo: Photo) -> LabelMap:
    """Read the label map (H, W) of a photo from the file ``mask``.

    Raises:
        InputError: the label map does not have the size of the photo.
    """
    labels, sides = read_given_mask(mask), photo.picture.shape
    if labels.shape != sides[:2]:
        raise InputError(
            mask,
            expected=f"a mask of its image's size {sides[1]}x{sides[0]}",
            found=f"{labels.shape[1]}x{labels.shape[0]}",
            hint=f"the image is {photo.path}",
        )
    return labels


def _is_square(picture: Picture) -> bool:
    """Return whether height and width of a picture (H, W, 3) are equal."""
    return bool(picture.shape[0] == picture.shape[1])
