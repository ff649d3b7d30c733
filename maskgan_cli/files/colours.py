"""Colours and transparency of picture files: what their profiles and their alpha channels say."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

OPAQUE_FROM: Final = 128  # alpha; a mask's pixels below it are erased
_SPACE: Final = slice(16, 20)  # where an ICC profile names its colour space
_SPACES: Final = {b"GRAY": ("L", "LA"), b"CMYK": ("CMYK",)}  # modes of pictures that such a profile describes


def space_of(profile: bytes | None) -> bytes:
    """The colour space that an ICC profile describes, e.g. ``b"RGB "``; empty without a whole profile."""
    return (profile or b"")[_SPACE]


def in_srgb(image: Image.Image) -> Image.Image:
    """A grey or CMYK picture with a colour profile of its own -> sRGB; any other as it is.

    Pictures in RGB keep their values: their profile goes into the result.
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
    """A picture (H, W, 3) in the colours of an RGB profile -> sRGB; unchanged if the profile is damaged."""
    converted = _converted(Image.fromarray(picture), profile)
    return picture if converted is None else np.asarray(converted)


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # damaged profiles, and Pillow without colour management
        return None


def transparent(image: Image.Image) -> npt.NDArray[np.bool_] | None:
    """(H, W), True where a picture is transparent; None if it has no transparency."""
    if not image.has_transparency_data:
        return None
    return np.asarray(image.convert("RGBA").getchannel("A")) < OPAQUE_FROM


def with_alpha(
    picture: npt.NDArray[np.uint8], before: npt.NDArray[np.uint8], stored: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """An edit of a picture that lay on white -> (H, W, 4) with the alpha of the picture's file.

    Args:
        picture: (H, W, 3), edited.
        before: (H, W, 3), the same before the edit. Pixels that did not change come back as the file stores them.
        stored: (H, W, 4), the file's pixels.
    """
    alpha = stored[..., 3:].astype(np.float32) / 255
    colours = np.where(alpha > 0, (picture - 255 * (1 - alpha)) / np.maximum(alpha, 1 / 255), stored[..., :3])
    colours = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    same = (picture == before).all(-1, keepdims=True)
    return np.concatenate([np.where(same, stored[..., :3], colours), stored[..., 3:]], -1)
