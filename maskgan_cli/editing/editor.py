"""Edits from Python: ``from maskgan_cli import Editor``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgan_cli.editing.edits import Edit, reshape_edits, style_edits, swap_edits
from maskgan_cli.editing.faces import Face, ReadFace
from maskgan_cli.editing.methods import Request, method_named
from maskgan_cli.editing.options import Blend
from maskgan_cli.editing.reader import PhotoReader
from maskgan_cli.editing.reshape import Reshaping
from maskgan_cli.files import Photo, Picture, write_image, write_photo
from maskgan_cli.labels import LabelMap, part_ids
from maskgan_cli.weights.lookup import find_weights


@dataclass(frozen=True)
class Edited:
    """A finished edit.

    Attributes:
        picture: (H, W, 3): the whole photo where the face was cut out of one.
        labels: the mask that was painted, of the picture's size.
        note: what made it; `save` keeps it in the file.
        photo: the photograph that it is an edit of; None for a painting by itself.
    """

    picture: Picture
    labels: LabelMap | None
    note: Mapping[str, Any]
    photo: Photo | None

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the picture, with the photo's metadata.

        Raises:
            InputError: an existing file without ``overwrite``, or a name that is no picture's.
        """
        if self.photo is None:
            return write_image(path, self.picture, overwrite=overwrite, note=self.note)
        return write_photo(path, self.picture, self.photo, note=self.note, overwrite=overwrite)


class Editor:
    """Loaded weights, ready to edit.

        editor = Editor()
        me, friend = editor.open("me.jpg"), editor.open("friend.jpg")
        editor.swap(me, friend, "mouth").save("out.png")

    Args:
        weights: a run folder or file; those that the commands would find if None.
        parser_weights: of the face parser, likewise.
        device: auto, cpu, cuda, cuda:1 or mps.
        method: who paints masks: dmn, pix2pixhd-m or spade.
        force: go on with what is no face crop, and with small faces.

    Raises:
        InputError: no such weights, or no such device.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        parser_weights: str | Path | None = None,
        device: str = "auto",
        method: str = "dmn",
        force: bool = False,
    ) -> None:
        entry = method_named(method, masks=True)
        self._method = entry.load(find_weights(None if weights is None else Path(weights), entry.kind), device)
        self._parser = None if parser_weights is None else Path(parser_weights)
        self._device, self._force = device, force

    def open(self, image: str | Path, mask: str | Path | None = None, *, number: int | None = None) -> Face:
        """A face to edit: a crop as it is, or face ``number`` (the largest) of any photo; see `PhotoReader`.

        Raises:
            InputError: unreadable, no face, a small one, or a mask that is no face's.
        """
        numbers = {} if number is None else {"source": number}
        read = PhotoReader(self._parser, self._device, lambda _: None, force=self._force, numbers=numbers)
        return read(Path(image), None if mask is None else Path(mask), "source")

    def swap(
        self, source: Face, target: Face, parts: str = "mouth", *, blend: bool | None = None, fit: bool | None = None
    ) -> Edited:
        """The source with the shape of some of the target's parts (paper, Sec. 5.4); see ``maskgan swap``."""
        row = {"source": source.image, "target": target.image}
        given = _given(source=source, target=target)
        return self._made(swap_edits(row, part_ids(parts), blend=Blend(blend), fit=fit, read=given))

    def style(self, source: Face, target: Face) -> Edited:
        """The source's shape in the target's look (paper, Sec. 5.5); see ``maskgan style-copy``."""
        row = {"source": source.image, "target": target.image}
        return self._made(style_edits(row, read=_given(source=source, target=target)))

    def reshape(self, face: Face, how: Reshaping, *, blend: bool | None = None) -> Edited:
        """The face with parts grown, moved or scaled, or its mouth opened or closed."""
        return self._made(reshape_edits({"source": face.image}, how, blend=Blend(blend), read=_given(source=face)))

    def _made(self, edit: Edit[Request]) -> Edited:
        (painted,) = self._method.paint([edit.request])
        note = {**edit.settings, **self._method.note}
        return Edited(edit.finish(painted), edit.mask(self._method.size), note, edit.photo)


def _given(**faces: Face) -> ReadFace:
    """A reader of faces that are read already, by role."""
    return lambda _image, _mask, role: faces[role]
