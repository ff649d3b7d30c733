"""Estimates the light inside a mouth: which brightness and colour teeth should have, given a photo's skin and eyes."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.membrane import Field
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region, part_ids

_INSIDE, _SKIN = ID["mouth"], ID["skin"]
_MOUTH: Final = part_ids("mouth")
LEAST: Final = 2e-4  # share of the picture; a smaller inside is ignored
_NEAR: Final = 0.1  # share of the side; the light of two photos is compared on the skin within this distance of mouths
_GAMMA: Final = 2.2
_GAIN: Final = (0.25, 1.8)  # limits of the mean factor by which a reference's linear light is multiplied
_TINT: Final = 0.25  # assumed share of the colour difference between two skins that is due to light
# Measured on 255 portraits: teeth are 1.33 times as bright as the skin around the mouth (5 to 95 %: 1.0 to 1.8). Their
# colour cast is 0.44, 0.32 and 0.41 of the skin's cast in red, green and blue, plus a cast of their own (logarithms).
_TEETH_LIGHT: Final = (1.1, 1.45)
_TEETH_CAST: Final = 0.4
_OWN_CAST: Final = (-0.02, 0.01, 0.01)
_NO_EYES: Final = 1.25  # largest brightness of teeth as a multiple of the skin's, if the eyes are hidden


def in_light_of(inside: Field, reference: tuple[Picture, LabelMap], photo: tuple[Picture, LabelMap]) -> Field:
    """Adapt the inside of the mouth of a reference (another face) to the light of a photo.

    The brightness and the colour of the teeth in both pictures are compared. If one picture shows no teeth, the skin
    around the mouths is compared.

    Args:
        inside: (h, w, 3), pixels of the reference's mouth, 0 to 255.
        reference: the picture (T, T, 3) from which the inside was taken, and its label map (T, T).
        photo: the photo (S, S, 3) whose light is wanted, and its label map (S, S).

    Returns:
        The adapted pixels (h, w, 3); unchanged if neither teeth nor skin can be compared.
    """
    ours, theirs = _teeth_light(*photo), _teeth_light(*reference)
    if ours is not None and theirs is not None:
        gain = ours / np.maximum(theirs, 1e-3)
    else:
        skin, other = _skin_light(*photo), _skin_light(*reference)
        if skin is None or other is None:
            return inside
        if theirs is not None:
            gain = _expected_teeth(skin, theirs.mean() / other.mean()) / np.maximum(theirs, 1e-3)
        else:  # skin colours differ between people, so only a part of the difference is due to light
            gain = (skin / np.maximum(other, 1e-3)) ** _TINT * (skin.mean() / max(other.mean(), 1e-3)) ** (1 - _TINT)
    gain = gain * np.clip(gain.mean(), *_GAIN) / max(gain.mean(), 1e-3)
    return np.asarray(inside * gain ** (1 / _GAMMA))


def _expected_teeth(skin: Field, ratio: float) -> Field:
    """Predict the colour of teeth in a photo from the skin around the mouth.

    Args:
        skin: (3,), linear light of the skin in RGB.
        ratio: brightness of the teeth divided by that of the skin (linear light), measured in the picture from which
            the teeth are copied.

    Returns:
        (3,), linear light of the teeth in RGB.
    """
    brightness = skin.mean() ** (1 / _GAMMA)
    cast = np.log(np.maximum(skin, 1e-4) ** (1 / _GAMMA) / brightness)
    colour = np.exp(_TEETH_CAST * cast + _OWN_CAST)
    light = brightness * np.clip(ratio ** (1 / _GAMMA), *_TEETH_LIGHT)
    return np.asarray((light * colour / colour.mean()) ** _GAMMA)


def _teeth_light(picture: Picture, labels: LabelMap) -> Field | None:
    """Return the median linear light (3,) of the teeth, i.e. of the brightest quarter of the mouth's inside, in RGB.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.

    Returns:
        The light; None if the mouth's inside is too small.
    """
    inside = picture[labels == _INSIDE]
    if len(inside) < 2 * LEAST * labels.size:
        return None
    bright = inside[inside.mean(-1) >= np.quantile(inside.mean(-1), 0.75)]
    return np.asarray(np.median((bright / 255.0) ** _GAMMA, axis=0))


def _skin_light(picture: Picture, labels: LabelMap) -> Field | None:
    """Return the median linear light (3,) of the skin near the mouth, in RGB.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.

    Returns:
        The light; None if there is no mouth, or too little skin.
    """
    mouth: Region = np.isin(labels, _MOUTH)
    if not mouth.any():
        return None
    rows, columns = (span(np.asarray(mouth.any(axis=axis)), round(_NEAR * len(labels))) for axis in (1, 0))
    skin = picture[rows, columns][labels[rows, columns] == _SKIN]
    return np.median((skin / 255.0) ** _GAMMA, axis=0) if len(skin) >= 16 else None


def brightest(photo: Picture, labels: LabelMap) -> float:
    """Return the largest brightness (0 to 255) that teeth should have in a photo: the brightness of the eyes' whites.

    If the eyes are hidden, this limit is computed from the brightness of the skin.

    Args:
        photo: (S, S, 3).
        labels: (S, S), label map of the photo.
    """
    skin, eyes = photo[labels == _SKIN], photo[np.isin(labels, part_ids("eyes"))]
    limit = min(_NO_EYES * float(np.median(skin.mean(-1))), 245.0) if len(skin) else 245.0
    if len(eyes) >= 32:
        limit = float(np.clip(np.quantile(eyes.mean(-1), 0.95), 0.88 * limit, 1.2 * limit))
    return limit


def no_brighter(picture: Field, inside: Region, limit: float) -> Field:
    """Darken a picture so that the bright pixels of a region (their 95 % quantile) are at most as bright as a limit.

    Args:
        picture: (h, w, 3), 0 to 255.
        inside: (h, w), True in the region that is measured.
        limit: the largest brightness, 0 to 255.

    Returns:
        The whole picture (h, w, 3), multiplied by one factor; unchanged if the region is dark enough.
    """
    top = float(np.quantile(picture[inside].mean(-1), 0.95))
    return picture * min(1.0, limit / max(top, 1.0))


def shadow(inside: Region, least: float) -> Field:
    """Return brightness factors (h, w) for the shadow that the upper lip casts inside a mouth.

    Args:
        inside: (h, w), True inside the mouth.
        least: the approximate factor at the upper edge and in the corners of the inside; in its middle, it is about 1.
    """
    high = max(float(inside.sum(0).max()), 2.0)
    lower = ndimage.shift(inside.astype(float), (0.22 * high, 0), order=1)
    soft = np.clip(ndimage.gaussian_filter(lower, 0.22 * high) / 0.85, 0, 1)
    return np.asarray(least + (1 - least) * soft * soft * (3 - 2 * soft))


def span(present: Region, margin: int) -> slice:
    """Return the slice from the first to the last True element of ``present`` (n,), plus a margin at each end."""
    places = np.flatnonzero(present)
    return slice(max(places[0] - margin, 0), min(places[-1] + margin + 1, len(present)))
