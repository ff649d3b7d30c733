"""Estimates a photo's light, colour cast and sharpness, for objects that are rendered into the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region
from maskgan_cli.synth.geometry import F32, f32, unit

_GAMMA: Final = 2.2
_GREY: Final = f32([0.2126, 0.7152, 0.0722])
_SKIN: Final = [ID["skin"], ID["nose"]]
_CONTRAST: Final = (0.15, 0.75)  # limits of the share of the light that comes from the main direction
_DIRECTION: Final = (0.25, 0.65, 0.9)  # prior of the light's direction: from above
_ONE_HUE: Final = 0.03  # a photo is monochrome if its mean deviation from its mean hue is less than this


@dataclass(frozen=True)
class PhotoLight:
    """The light of a photo, as estimated from a face.

    Directions are in the renderer's coordinates: x to the right, y up, z towards the camera if the head is upright.

    Attributes:
        direction: (3,), unit vector towards the main light.
        share: share of the light that comes from this direction, in [0, 1]; the rest is ambient light.
        level: linear brightness of a white surface that faces the main light.
        cast: (3,), colour of the light in linear RGB, scaled to luminance 1.
        hue: (3,), the common hue of a monochrome photo in linear RGB, scaled to luminance 1; None for a colour photo.
        softness: standard deviation of the blur that makes rendered objects as soft as the photo, in pixels.
    """

    direction: F32
    share: float
    level: float
    cast: F32
    hue: F32 | None
    softness: float

    def coloured(self, colour: F32) -> F32:
        """Return linear RGB colours (..., 3) in the hue of a monochrome photo; unchanged if the photo is in colour."""
        if self.hue is None:
            return colour
        return f32((colour @ _GREY)[..., None] * self.hue)


def to_linear(picture: npt.NDArray[np.generic]) -> F32:
    """Convert levels (0 to 255, any shape) to linear light (0 to 1)."""
    return f32(np.clip(f32(picture) / 255, 0, 1) ** _GAMMA)


def to_levels(light: F32) -> F32:
    """Convert linear light (0 to 1, any shape) to levels (0 to 255), not rounded."""
    return f32(np.clip(light, 0, 1) ** (1 / _GAMMA) * 255)


def measure_light(
    picture: Picture, labels: LabelMap, normals: F32, *, whole: tuple[Picture, Region] | None = None
) -> PhotoLight:
    """Estimate the light on a face from its skin and from the surface normals of a 3D head fitted to the face.

    The skin's luminance is modelled as ambient light plus Lambertian shading from one direction. A white surface is
    assumed to be as bright as the brightest parts of the person.

    Args:
        picture: (H, W, 3).
        labels: (H, W), label map of the picture.
        normals: (H, W, 3), the unit normal of the fitted head at each pixel; zero outside the head.
        whole: the picture at full size, and the region of the person in this picture, from which the softness is
            measured. None if ``picture`` itself has full size.
    """
    light = to_linear(picture)
    luminance = light @ _GREY
    skin = np.isin(labels, _SKIN) & (np.abs(normals).sum(-1) > 0)
    direction, share = unit(f32(_DIRECTION)), 0.4
    shown = luminance[skin] if skin.any() else np.zeros(1, np.float32)
    usual = (shown >= np.quantile(shown, 0.05)) & (shown <= np.quantile(shown, 0.97))
    if usual.sum() > 200 and shown.max() > 0:
        basis = np.concatenate([np.ones((int(usual.sum()), 1)), normals[skin][usual]], 1).astype(np.float64)
        # Ridge regression keeps the direction near the prior if the visible skin has few different normals.
        ridge, towards = 0.02 * usual.sum(), np.array([0, *unit(f32(_DIRECTION)) * 0.3]) * np.median(shown)
        penalty = ridge * np.diag([0.0, 1, 1, 1])
        found = np.linalg.solve(basis.T @ basis + penalty, basis.T @ shown[usual] + penalty @ towards)
        length = float(np.hypot(np.hypot(found[1], found[2]), found[3]))
        direction = unit(f32([found[1], max(found[2], 0.25 * length), max(found[3], 0.3 * length)]))
        share = float(np.clip(length / max(length + found[0], 1e-3), *_CONTRAST))
    person = labels > 0
    bright = luminance[person] if person.sum() > 200 else luminance.ravel()
    level = float(np.clip(np.quantile(bright, 0.98), 0.25, 0.95))
    chroma = light / np.maximum(luminance, 1e-3)[..., None]
    clear = (luminance > 0.03) & (luminance < 0.9)
    hue, cast = None, f32([1, 1, 1])
    if clear.sum() > 200:
        mean = chroma[clear].mean(0)
        if float(np.abs(chroma[clear] - mean).mean()) < _ONE_HUE:
            hue = f32(mean)
    return PhotoLight(direction, share, level, cast, hue, _softness(*(whole or (picture, person))))


def _softness(picture: Picture, where: Region) -> float:
    """Estimate how blurred a picture is in a region.

    Args:
        picture: (H, W, 3).
        where: (H, W), True in the region.

    Returns:
        Half the largest factor by which the picture can be reduced with little loss of detail: about the standard
        deviation of a blur in pixels.
    """
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    image = Image.fromarray(grey)
    detail = grey - ndimage.gaussian_filter(grey.astype(np.float32), 6)
    usual = float(np.abs(detail[where]).mean()) if where.any() else 0.0
    found = 0.45
    for factor in (1.3, 1.7, 2.2, 3.0, 4.0):
        small = image.resize(
            (max(1, round(image.width / factor)), max(1, round(image.height / factor))), Image.Resampling.LANCZOS
        )
        again = np.asarray(small.resize(image.size, Image.Resampling.BICUBIC)).astype(np.float32)
        lost = float(np.abs(again - grey)[where].mean()) if where.any() else 0.0
        if lost > 0.12 * usual + 0.3:
            break
        found = 0.5 * factor
    return found
