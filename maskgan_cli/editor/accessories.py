"""Draws accessories (glasses, hats, ...) over the edited face.

Previews reuse the latest drawing as long as the pose of the head is the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from maskgan_cli.data.resize import resize_image
from maskgan_cli.editing.compositing.accessories.overlay import WithAccessories
from maskgan_cli.editing.compositing.accessories.put_on import AccessoryRenderer, HatCover, hair_under_hats, to_draw
from maskgan_cli.editing.masks.library import item
from maskgan_cli.editing.masks.shapes import wear
from maskgan_cli.editing.masks.take_off import kinds_of, without
from maskgan_cli.editor.base_face import BaseFace, Key
from maskgan_cli.editor.models import PREVIEW
from maskgan_cli.files import Picture
from maskgan_cli.labels import LabelMap

Names = tuple[str, ...]
Pose = tuple[float, ...]


@dataclass
class SessionAccessories:
    """Draws the accessories of a session, and caches the rendered accessories for the next pictures.

    Args:
        own: the mask (S, S) of the face before the edit.
    """

    own: LabelMap
    _renderers: dict[int, tuple[Key, AccessoryRenderer]] = field(default_factory=dict)  # by the side of the picture
    _previewed: tuple[tuple[Key, Names, Pose], WithAccessories] | None = None
    _pose: Pose = ()  # pose of the head when accessories were last drawn
    _cover: HatCover | None = None
    _mask: tuple[tuple[bytes, Names, bool], tuple[LabelMap, Names]] | None = None  # arguments and result of `mask`

    def mask(self, labels: LabelMap, names: Names, *, bare: bool) -> tuple[LabelMap, Names]:
        """Choose which accessories the network paints, and which accessories are drawn over the network's picture.

        `maskgan render` makes the same choice (see `render_edits`).

        Args:
            labels: the mask (S, S) without accessories.
            names: names of the accessories to put on, from `library.ITEMS`.
            bare: if true, the network paints all accessories.

        Returns:
            The mask (S, S) for the network, which contains the accessories that the network paints; and the names of
            the accessories to draw.
        """
        if not names:
            return labels, ()
        key = labels.tobytes(), names, bare
        if self._mask is None or self._mask[0] != key:
            self._mask = key, self._made(labels, names, bare=bare)
        return self._mask[1]

    def _made(self, labels: LabelMap, names: Names, *, bare: bool) -> tuple[LabelMap, Names]:
        """Compute what `mask` returns, without using the cache; the parameters are the same."""
        drawn = () if bare else to_draw(names, self.own)
        for name in names:
            labels = labels if name in drawn else wear(labels, item(name))
        if not drawn:
            return labels, ()
        self._cover = self._cover or HatCover(self.own)
        return hair_under_hats(without(labels, kinds_of(drawn)), drawn, self._cover), drawn

    def draw(self, picture: Picture, labels: LabelMap, names: Names, base: BaseFace, *, preview: bool) -> Picture:
        """Draw accessories over a picture of the edited face, and return the new picture.

        If ``names`` is empty, return the picture unchanged.

        Args:
            picture: the edited face (T, T, 3).
            labels: the mask (S, S) of the edited face.
            names: names of the accessories to draw.
            base: the face before the edit.
            preview: if true, the accessories of the latest picture are reused, so they do not follow a new pose of the
                head; and the result is scaled down to a side of at most `PREVIEW` pixels.
        """
        if not names:
            return picture
        if not preview:
            return self.put_on(picture, labels, names, base).picture
        picture = resize_image(picture, min(PREVIEW, len(picture)))
        if self._previewed is None or self._previewed[0] != (base.key, names, self._pose):
            worn = self.put_on(picture, labels, names, base)
            self._previewed = (base.key, names, self._pose), worn
            return worn.picture
        for overlay in self._previewed[1].overlays:
            picture = overlay.over(picture)
        return picture

    def put_on(self, picture: Picture, labels: LabelMap, names: Names, base: BaseFace) -> WithAccessories:
        """Draw accessories over a picture of the edited face; for the parameters, see `draw`.

        Returns:
            An object with the new picture (T, T, 3), a label map (T, T) of the drawn accessories (0 elsewhere), and the
            rendered accessories, which can be composited over other pictures.
        """
        side = len(picture)
        if side not in self._renderers or self._renderers[side][0] != base.key:
            self._renderers[side] = base.key, AccessoryRenderer(resize_image(base.picture, side), base.labels)
        renderer = self._renderers[side][1]
        worn = renderer.put_on(picture, labels, names)
        self._pose = renderer.pose
        return worn

    def marked(self, labels: LabelMap, names: Names, base: BaseFace) -> LabelMap:
        """Return a copy of the mask ``labels`` (S, S), in which pixels of drawn accessories have the accessory's class.

        For ``names`` and ``base``, see `draw`.
        """
        worn = self.put_on(base.picture, labels, names, base).labels
        return np.where(worn > 0, worn, labels)
