"""Transfers colours to a painting, part by part: lips, brows, hair etc. get the colours that they have in the photo."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage
from skimage.color import lab2rgb, rgb2lab

from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region

# Parts with colours of their own. Skin, nose and ears get theirs from the border of the edit (`membrane`).
_PARTS: Final = tuple(
    tuple(ID[name] for name in part)
    for part in (("u_lip",), ("l_lip",), ("l_brow", "r_brow"), ("l_eye", "r_eye"), ("hair",), ("hat",), ("mouth",))
)
_SHARE: Final = 0.7  # strength of the transfer, 0 to 1; PSNR on rendered pairs: 20.3 dB at 0, 20.9 at 0.7, 20.7 at 1
_LEAST: Final = 5e-4  # share of the picture; smaller parts are ignored
_GAIN: Final = (0.6, 1.8)  # limits of the factor by which contrast changes
_SOFT: Final = 0.006  # share of the side; blur between parts
_TEETH: Final = 0.4  # saturation of painted teeth relative to the skin, if the photo shows no teeth


def match_parts(painting: Field, after: LabelMap, region: Region, photo: Picture, before: LabelMap) -> Field:
    """Shift the colours of each painted part (lips, brows, eyes, hair, hat, mouth) towards the colours in the photo.

    If photo and painting both show a part, the mean and standard deviation of the painted part in CIELAB move towards
    the values in the photo (Reinhard et al., "Color Transfer between Images", 2001). If the photo shows no open mouth,
    the inside of the painted mouth keeps its lightness and gets the tint of the skin. Colours outside the edited region
    and on its border do not change.

    Args:
        painting: (h, w, 3), 0 to 255, the rectangle of the painting that contains the edited region.
        after: (h, w), label map of the painting in this rectangle.
        region: (h, w), True in the edited region.
        photo: (S, S, 3), the whole photo.
        before: (S, S), label map of the photo.

    Returns:
        The painting (h, w, 3) with the new colours.
    """
    lab, least, soft = rgb2lab(np.clip(painting, 0, 255) / 255), _LEAST * before.size, _SOFT * len(before)
    changed = lab.copy()
    for part in _PARTS:
        here, there = np.isin(after, part) & region, np.isin(before, part)
        if here.sum() < max(2, least / 4):
            continue
        if there.sum() >= least:
            target = _towards(lab, lab[here], _lab_of(photo[there]))
        elif part == (ID["mouth"],) and (skin := before == ID["skin"]).sum() >= least:
            target = lab.copy()
            tint = _lab_of(photo[skin])[:, 1:].mean(0)
            target[..., 1:] = _TEETH * (tint + lab[..., 1:] - lab[here][:, 1:].mean(0))
        else:
            continue
        changed += ndimage.gaussian_filter(here.astype(float), soft)[..., None] * (target - lab)
    inwards = np.clip(ndimage.distance_transform_edt(region) - 1.0, 0.0, 3 * soft) / (3 * soft)
    return np.asarray(painting + inwards[..., None] * 255 * (_rgb_of(changed) - _rgb_of(lab)))


def _lab_of(pixels: Picture) -> Field:
    """Convert RGB pixels (n, 3), 0 to 255, to CIELAB (n, 3)."""
    return np.asarray(rgb2lab(pixels[None] / 255)[0])


def _rgb_of(lab: Field) -> Field:
    """Convert CIELAB (H, W, 3) to RGB (H, W, 3), 0 to 1. Blues for which Z in XYZ would be negative are clipped."""
    light = np.clip(lab[..., :1], 0.0, 100.0)
    bluest = 200.0 / 116.0 * (light + 16.0)
    return np.asarray(lab2rgb(np.concatenate([light, lab[..., 1:2], np.minimum(lab[..., 2:], bluest)], axis=-1)))


def _towards(lab: Field, ours: Field, theirs: Field) -> Field:
    """Shift and scale all colours of a picture, so that one part (e.g. hair) resembles this part of another picture.

    The mean and the standard deviation of the part move towards the values in the other picture.

    Args:
        lab: (H, W, 3), the first picture in CIELAB.
        ours, theirs: (n, 3) and (m, 3), pixels of the part in the first and in the other picture, in CIELAB.

    Returns:
        (H, W, 3), the changed picture in CIELAB.
    """
    gain = np.clip(theirs.std(0) / np.maximum(ours.std(0), 0.5), *_GAIN) ** _SHARE
    return np.asarray((lab - ours.mean(0)) * gain + ours.mean(0) + _SHARE * (theirs.mean(0) - ours.mean(0)))
