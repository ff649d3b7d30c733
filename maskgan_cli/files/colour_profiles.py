"""Converts colours with ICC profiles, and reads and restores the transparency of pictures."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

OPAQUE_FROM: Final = 128  # pixels with a smaller alpha are transparent; in masks, these are background
_SPACE: Final = slice(16, 20)  # bytes of an ICC profile that name its colour space
_SPACES: Final = {b"GRAY": ("L", "LA"), b"CMYK": ("CMYK",)}  # colour space -> Pillow modes that it describes


def space_of(profile: bytes | None) -> bytes:
    """Return the colour space of an ICC profile, e.g. ``b"RGB "``; empty if the profile is missing or too short."""
    return (profile or b"")[_SPACE]


def in_srgb(image: Image.Image) -> Image.Image:
    """Convert a grey or CMYK picture with a colour profile to sRGB; other pictures are returned unchanged.

    RGB pictures are not converted, because the edited file keeps their colour profile.
    """
    profile = image.info.get("icc_profile") or b""
    if image.mode not in _SPACES.get(space_of(profile), ()):
        return image
    alpha = image.getchannel("A") if image.mode == "LA" else None
    base = image.convert("L") if image.mode == "LA" else image
    converted = _converted(base, profile)
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def srgb_of(picture: npt.NDArray[np.uint8], profile: bytes) -> npt.NDArray[np.uint8]:
    """Convert a picture (H, W, 3) from the RGB colour space of an ICC profile to sRGB.

    If the profile is damaged, the picture is returned unchanged.
    """
    converted = _converted(Image.fromarray(picture), profile)
    return picture if converted is None else np.asarray(converted)


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Convert a picture from the colour space of an ICC profile to sRGB; return None if this is not possible."""
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # damaged profiles, and Pillow without colour management
        return None


def transparent(image: Image.Image) -> npt.NDArray[np.bool_] | None:
    """Return a boolean array (H, W) that is true at transparent pixels; None if the picture has no transparency.

    Pixels with an alpha below `OPAQUE_FROM` are transparent.
    """
    if not image.has_transparency_data:
        return None
    return np.asarray(image.convert("RGBA").getchannel("A")) < OPAQUE_FROM


def with_alpha(
    picture: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], stored: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Restore the transparency of an edited picture, whose transparent pixels were blended with white for the edit.

    Args:
        picture: the picture after the edit (H, W, 3).
        before: the picture before the edit (H, W, 3). Pixels that the edit did not change get the file's colours.
        stored: colours and alpha of the original file (H, W, 4).

    Returns:
        The edited picture with the alpha channel of the original file (H, W, 4).
    """
    alpha = stored[..., 3:].astype(np.float32) / 255
    colours = np.where(alpha > 0, (picture - 255 * (1 - alpha)) / np.maximum(alpha, 1 / 255), stored[..., :3])
    colours = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    same = (picture == before).all(-1, keepdims=True)
    return np.concatenate([np.where(same, stored[..., :3], colours), stored[..., 3:]], -1)
