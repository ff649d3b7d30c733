"""Accessories in the page: drawn anew for full pictures, and laid over previews as they were drawn last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.compositing.accessories.put_on import Overlay, put_on, to_draw, under_hats
from maskgan_cli.editing.masks.library import item
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editing.masks.take_off import kinds_of, without
from maskgan_cli.editor.models import PREVIEW
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

_HAIR: Final = ID["hair"]
Names = tuple[str, ...]


@dataclass
class SessionAccessories:
    """What a session's accessories look like, as far as it is known from the latest picture."""

    _overlays: tuple[Names, int, tuple[Overlay, ...]] | None = None  # and the side of the picture
    _under: tuple[Names, Region] | None = None
    _mask: tuple[tuple[bytes, Names, bool], tuple[LabelMap, Names]] | None = None  # of the latest full picture

    def mask(
        self, labels: LabelMap, names: Names, own: LabelMap, *, bare: bool, preview: bool
    ) -> tuple[LabelMap, Names]:
        """The mask (S, S) to paint, and which accessories are drawn over the picture, as `render_edits` finds them.

        Args:
            labels: the mask without accessories.
            names: of `library.ITEMS`.
            own: (S, S), the mask of the unedited face.
            bare: the network paints all accessories.
            preview: the hair under hats need not be found anew.
        """
        if not names:
            return labels, ()
        key = labels.tobytes(), names, bare
        if self._mask is None or self._mask[0] != key:
            made = self._made(labels, names, own, bare=bare, preview=preview)
            if preview:
                return made
            self._mask = key, made
        return self._mask[1]

    def _made(
        self, labels: LabelMap, names: Names, own: LabelMap, *, bare: bool, preview: bool
    ) -> tuple[LabelMap, Names]:
        drawn = () if bare else to_draw(names, own)
        for name in names:
            labels = labels if name in drawn else wear(labels, item(name))
        if not drawn:
            return labels, ()
        labels = without(labels, kinds_of(drawn))
        if not (preview and self._under is not None and self._under[0] == drawn):
            self._under = drawn, under_hats(labels, drawn)
        labels[(labels == _HAIR) & self._under[1]] = ID["background"]
        return labels, drawn

    def draw(self, picture: Picture, labels: LabelMap, names: Names, *, preview: bool) -> Picture:
        """A picture of the face (S, S, 3) with accessories; a preview may have another size."""
        if not names:
            return picture
        if preview and self._overlays is not None and self._overlays[0] == names:
            picture = resize_image(picture, self._overlays[1])
            for overlay in self._overlays[2]:
                picture = overlay.over(picture)
            return picture
        if preview:
            picture = resize_image(picture, min(PREVIEW, len(picture)))
        worn = put_on(picture, labels, names)
        self._overlays = names, len(picture), worn.overlays
        return worn.picture


def marked(labels: LabelMap, picture: Picture, names: Names) -> LabelMap:
    """A mask (S, S) of a picture (S, S, 3) with the classes of the accessories that are drawn over it."""
    worn = put_on(picture, labels, names).labels if names else np.zeros_like(labels)
    return np.where(worn > 0, worn, labels)
