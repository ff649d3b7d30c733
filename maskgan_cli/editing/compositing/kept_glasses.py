"""Keeps glasses in place while eyes or brows behind them are edited: removes the frames and puts them back later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskgan_cli.editing.compositing.accessories.inpaint import frame_region, without_clear_glasses
from maskgan_cli.editing.compositing.paste import Square, paste_crop
from maskgan_cli.editing.masks.take_off import without
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

_GLASSES: Final = ID["eye_g"]
_BEHIND: Final = [ID[name] for name in ("l_eye", "r_eye", "l_brow", "r_brow")]
_TOUCHED: Final = [*_BEHIND, ID["skin"], ID["hair"], _GLASSES]  # edits of other classes may move the glasses, too
_KEPT: Final = 0.5  # share of the glasses' area; an edit that leaves less is an edit of the glasses themselves
_SOFT: Final = 0.8  # pixels, standard deviation; blur of the frames' edge


@dataclass(frozen=True)
class KeptGlasses:
    """A face from which the frames of glasses were removed, and the data with which the frames are put back.

    Attributes:
        picture: (S, S, 3), the face without frames.
        before, after: (S, S), the label maps of the face and of the edited face, both without glasses.
        opacity: (S, S), opacity of the frames, 0 to 1.
    """

    picture: Picture
    before: LabelMap
    after: LabelMap
    opacity: npt.NDArray[np.float32]

    def put_back(self, edited: Picture, source: Picture, square: Square | None) -> Picture:
        """Return a copy of the edited picture on which the frames of the glasses are shown again.

        Args:
            edited: the edited picture: a face crop (S, S, 3), or a whole photo (H, W, 3).
            source: the picture before the edit, of the same size, from which the frames are copied.
            square: (4, 2), corners (x, y) of the face's crop in the photos; None if the pictures are crops.
        """
        opacity = self.opacity[..., None]
        if square is not None:
            levels = np.repeat(np.rint(255 * opacity).astype(np.uint8), 3, -1)
            placed = paste_crop(np.zeros_like(source), square, levels)[..., :1]
            opacity = np.asarray(placed / 255, np.float32)
        return np.rint(edited + opacity * (source.astype(np.float32) - edited)).astype(np.uint8)


def kept_glasses(source: Picture, before: LabelMap, after: LabelMap) -> KeptGlasses | None:
    """Remove glasses with clear lenses from a face, so that an edit of eyes or brows does not move the glasses.

    Args:
        source: (S, S, 3), the face before the edit.
        before, after: (S, S) label maps of the face and of the edited face.

    Returns:
        The face without glasses, as `KeptGlasses`. None if the face has no glasses with clear lenses, if the edit does
        not change eyes or brows, or if the edit changes the glasses themselves or parts other than eyes, brows, skin
        and hair.
    """
    worn = before == _GLASSES
    changed = before != after
    classes = np.union1d(before[changed], after[changed])
    if not worn.any() or not np.isin(classes, _BEHIND).any() or not np.isin(classes, _TOUCHED).all():
        return None
    if (after == _GLASSES).sum() < _KEPT * worn.sum():
        return None
    frames = frame_region(source, before)
    if not frames.any() or (bare := without_clear_glasses(source, before, frames)) is None:
        return None
    opacity = np.clip(1.3 * ndimage.gaussian_filter(frames.astype(np.float32), _SOFT), 0, 1)
    return KeptGlasses(*bare, without(after, ["glasses"]), np.where(opacity > 0.02, opacity, 0))
