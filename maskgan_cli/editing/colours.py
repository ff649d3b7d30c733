"""The colours of a face's parts, taken from its photo: lips keep their red wherever they go."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from maskgan_cli.editing.membrane import Field, Region
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

# Parts that have a colour of their own. Skin, nose and ears take theirs from the rim of the edit.
_PARTS: Final = tuple(
    tuple(ID[name] for name in part)
    for part in (("u_lip",), ("l_lip",), ("l_brow", "r_brow"), ("l_eye", "r_eye"), ("hair",), ("hat",), ("mouth",))
)
# They go this share of the way. Rendered pairs with a known truth, lips and brows alone, mean colour, inside the edit:
# 20.3 dB at 0, 20.7 at 0.3, 20.9 at 0.7, 20.7 at 1.
_SHARE: Final = 0.7
_LEAST: Final = 5e-4  # of the picture: fewer pixels than that tell nothing of a part
_GAIN: Final = (0.6, 1.8)  # how much of the photo's contrast a part may take
_SOFT: Final = 0.006  # of the side: width of the change from part to part
_TEETH: Final = 0.4  # of the skin's tint is that of teeth nobody has seen, and of their own colours what is left


def match_parts(painting: Field, after: LabelMap, region: Region, photo: Picture, before: LabelMap) -> Field:
    """The painting with each part nearer to the colours that it has in the photo.

    A network paints a photograph's lips in the colours it has learnt. Where photo and painting both show a
    part, the painting's moves towards the photo's mean and spread in CIELAB, as in Reinhard et al., "Color
    Transfer between Images" (2001). An open mouth that the photo does not show has no colours to go by;
    it keeps its light and dark, in the tint of the skin. On the region's rim nothing changes.

    Args:
        painting, after, region: (h, w, 3) 0 to 255, its label map, and where it is not the photo itself; of the
            part of the picture that is edited.
        photo, before: (S, S, 3) and its label map, whole.

    Returns:
        (h, w, 3).
    """
    lab, least, soft = rgb2lab(np.clip(painting, 0, 255) / 255), _LEAST * before.size, _SOFT * len(before)
    changed = lab.copy()
    for part in _PARTS:
        here, there = np.isin(after, part) & region, np.isin(before, part)
        if here.sum() < max(2, least / 4):
            continue
        if there.sum() >= least:
            wanted = _towards(lab, lab[here], _lab_of(photo[there]))
        elif part == (ID["mouth"],) and (skin := before == ID["skin"]).sum() >= least:
            wanted = lab.copy()
            tint = _lab_of(photo[skin])[:, 1:].mean(0)
            wanted[..., 1:] = _TEETH * (tint + lab[..., 1:] - lab[here][:, 1:].mean(0))
        else:
            continue
        changed += ndimage.gaussian_filter(here.astype(float), soft)[..., None] * (wanted - lab)
    inwards = np.clip(ndimage.distance_transform_edt(region) - 1.0, 0.0, 3 * soft) / (3 * soft)
    return np.asarray(painting + inwards[..., None] * 255 * (_rgb_of(changed) - _rgb_of(lab)))


def _lab_of(pixels: Picture) -> Field:
    """Pixels (n, 3) in CIELAB."""
    return np.asarray(rgb2lab(pixels[None] / 255)[0])


def _rgb_of(lab: Field) -> Field:
    """CIELAB (H, W, 3) as RGB, 0 to 1; a blue that no light has (Z below 0) becomes the bluest there is."""
    light = np.clip(lab[..., :1], 0.0, 100.0)
    bluest = 200.0 / 116.0 * (light + 16.0)
    return np.asarray(lab2rgb(np.concatenate([light, lab[..., 1:2], np.minimum(lab[..., 2:], bluest)], axis=-1)))


def _towards(lab: Field, ours: Field, theirs: Field) -> Field:
    """A picture (H, W, 3), moved as pixels ``ours`` (n, 3) must be to come near the mean and spread of ``theirs``."""
    gain = np.clip(theirs.std(0) / np.maximum(ours.std(0), 0.5), *_GAIN) ** _SHARE
    return np.asarray((lab - ours.mean(0)) * gain + ours.mean(0) + _SHARE * (theirs.mean(0) - ours.mean(0)))
