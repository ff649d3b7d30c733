"""A session of the editor: encodes its pictures as files that contain their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from maskgan_cli import __version__
from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing import options as editing_options
from maskgan_cli.editing.compositing.compose import effective_edge
from maskgan_cli.editing.compositing.mouths import source_of_inside
from maskgan_cli.editing.options import Edge, Hair
from maskgan_cli.editor.fade import FADE
from maskgan_cli.editor.models import Models
from maskgan_cli.editor.painting import SessionPainting
from maskgan_cli.editor.session_state import FORMAT, MAX_OTHERS, Finish, RenderOptions, is_id, new_id
from maskgan_cli.editor.worker import Superseded
from maskgan_cli.files import Picture, encode_image, encode_photo, sha256, write_bytes
from maskgan_cli.labels import LabelMap, colourise

__all__ = ["FORMAT", "MAX_OTHERS", "Finish", "RenderOptions", "Session", "encode", "is_id", "new_id"]

_THUMBNAIL: Final = 160  # pixels


class Session(SessionPainting):
    """A session: a face that is edited. See `SessionState` for its data."""

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
        """Render the face in the shape of an edited label map, and return the bytes of a picture file.

        A preview is a JPEG file of a lower resolution. A full picture is a PNG file; the session then also saves the
        label map and the options.

        Args:
            models: the networks.
            labels: the edited label map (S, S).
            options: see `RenderOptions`.
            revision: number of the request; requests older than the newest one are skipped.
            preview: render a preview instead of the full picture.
            brush: whether the user has painted on the mask since the latest picture. If so, previews are faster: the
                photo's pixels move as in the latest picture, and only the area around the change is generated.

        Raises:
            InputError: an accessory or another face does not exist.
            Superseded: a newer request has arrived.
        """
        if revision < self.revision:
            raise Superseded
        picture = self.paint(models, labels, options, revision=revision, preview=preview, brush=brush)
        if revision < self.revision:
            raise Superseded
        if preview:
            return encode_image(picture, ".jpg")
        self.labels, self.options = labels, options
        self.save()
        write_bytes(self.folder / "shown.jpg", encode_image(resize_image(picture, _THUMBNAIL), ".jpg"))
        return encode(picture, self.note(models))

    def thumbnail(self) -> bytes:
        """Return the latest result as the bytes of a small JPEG file; the face before editing if there is no result."""
        path = self.folder / "shown.jpg"
        if path.is_file():
            return path.read_bytes()
        return encode_image(resize_image(self.face.picture, _THUMBNAIL), ".jpg")

    def result(self, models: Models) -> bytes:
        """Return the latest result as the bytes of a PNG file, the same bytes that `render` returned."""
        return encode(self.picture(models), self.note(models))

    def mask(self, models: Models) -> LabelMap:
        """Return the edited label map (S, S), in which the accessories that were put on have their classes too."""
        job = self._job(models, self.labels, self.options)
        return self._accessories.marked(job.labels, job.names, job.base)

    def strip(self, models: Models) -> bytes:
        """Return a PNG file with the face before the edit, the mask, and the face after the edit side by side."""
        after = resize_image(self.picture(models), self.side)
        return encode(np.hstack([self.face.picture, colourise(self.labels), after]), self.note(models))

    def in_photo(self, models: Models, suffix: str = ".png") -> bytes:
        """Return the whole photo with the edited face as the bytes of a file in the format ``suffix`` (.png or .jpg).

        Raises:
            InputError: the session has no photo.
        """
        photo = self.photo()
        return encode_photo(self.whole(models), suffix, photo, note=self.note(models))

    def photo_bytes(self) -> bytes:
        """Return the bytes of the photo's file, as it was opened."""
        return (self.folder / "photo").read_bytes()

    @property
    def style_name(self) -> str:
        """File name, without suffix, of the face whose style is used: ``face`` or ``other-K`` (K from 0)."""
        return other_name(self.options.style) or "face"

    @property
    def references(self) -> dict[str, str]:
        """Return a dict with the file names (without suffix) of the faces whose mouth and hair this session copies.

        The keys are ``reference`` (mouth) and ``hair_reference``, as in `maskgan render`. A key is missing if nothing
        is copied.
        """
        numbers = {} if self.options.bare else {"reference": self.options.mouth, "hair_reference": self.options.hair}
        return {role: other_name(number) for role, number in numbers.items() if number}

    def note(self, models: Models) -> dict[str, Any]:
        """Return the provenance of the result as a dict: the settings, and the SHA-256 of weights and inputs.

        The entry ``mask`` has the number of pixels whose class the user changed.
        """
        style = self.style_name
        files = {"mask": "mask.png", "style_image": f"{style}.png", "style_mask": f"{style}.mask.png"}
        for role, name in self.references.items():
            files |= {role: f"{name}.png", f"{role}_mask": f"{name}.mask.png"}
        painted = int((self.labels != self.face.labels).sum())
        return {
            "edit": "maskgan edit",
            "style": self.options.style,
            "finish": self.options.finish,
            "parser": self.face.parser,
            "mask": {
                "made_by": "hand" if painted else "parser" if self.face.parser else "its file",
                "pixels_painted": painted,
            },
            "inputs": {role: sha256(self.folder / file) for role, file in files.items()},
            "version": __version__,
            **models.about(),
            **({} if self.options.fade is None else {"fade": sha256(self.folder / FADE)}),
            **self._composition(models),
        }

    def _composition(self, models: Models) -> dict[str, Any]:
        """Return the provenance's entries about compositing and about the sources of hair, accessories and mouth."""
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


def other_name(number: int) -> str:
    """Return the file name, without suffix, of the ``number``-th other face (from 1); an empty string for 0."""
    return f"other-{number - 1}" if number else ""


def encode(picture: Picture, note: Mapping[str, Any] | None = None) -> bytes:
    """Return a picture (H, W, 3) as the bytes of a PNG file with the provenance ``note`` in its metadata."""
    return encode_image(picture, ".png", note=note)
