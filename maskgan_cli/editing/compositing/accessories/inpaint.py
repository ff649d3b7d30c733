"""Removes glasses with clear lenses from a picture: the frames are filled from the skin around the frames."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.compositing.grain import missing_grain
from maskgan_cli.editing.compositing.membrane import harmonic
from maskgan_cli.editing.masks.take_off import without
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap, Region
from maskgan_cli.synth.geometry import F32

_GLASSES: Final = ID["eye_g"]
_EYES: Final = [ID["l_eye"], ID["r_eye"]]
_SKIN: Final = [ID["skin"], ID["nose"]]
_BESIDE: Final = [ID[name] for name in ("skin", "hair", "l_ear", "r_ear", "eye_g")]  # what temples lie over
_DARK: Final = 0.45  # share of the skin's brightness; glasses with darker lenses are sunglasses
# Lengths are shares of the side.
_BAND: Final = 0.035  # frames are searched within this distance of the border of the mask's glasses
_LINE: Final = 0.012  # half the largest width of frames and their shadows
_LENS: Final = 0.05  # lenses are at least this high, temples are lower
_TEMPLE: Final = 0.02  # half the largest height of temples
_END: Final = 0.02  # the ends of the rims are this wide
_REACH: Final = 0.06  # temples begin within this distance of the ends of the rims,
_LONG: Final = 0.25  # and are at most this long
_RIM: Final = 0.004  # the filled region extends beyond the frames by this
_KEPT: Final = 0.014  # nothing is filled within this distance of the eyes
# Least contrast of a frame in each of its pixels, and in some of its pixels, as shares of the clearest line's contrast.
_FAINT: Final = (0.3, 0.65)
_LEAST: Final = 9.0  # grey levels; lines with less contrast are ignored


def has_dark_lenses(picture: Picture, labels: LabelMap) -> bool:
    """Return whether the glasses in a picture are sunglasses, which hide the eyes.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.
    """
    glasses, skin = labels == _GLASSES, np.isin(labels, _SKIN)
    inner = ndimage.binary_erosion(glasses, iterations=max(1, round(0.012 * len(labels))))
    if not inner.any() or not skin.any():
        return not np.isin(labels, _EYES).any()
    grey = picture.astype(np.float32).mean(-1)
    return bool(np.median(grey[inner]) < _DARK * np.median(grey[skin]))


def without_clear_glasses(
    picture: Picture, labels: LabelMap, frames: Region | None = None
) -> tuple[Picture, LabelMap] | None:
    """Remove glasses with clear lenses from a picture and its label map.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.
        frames: (S, S), True for the frames, as returned by `frame_region`; if None, this region is computed.

    Returns:
        The picture (S, S, 3) and the label map (S, S) without glasses. None if the face wears no glasses, or wears
        sunglasses.
    """
    if not (labels == _GLASSES).any() or has_dark_lenses(picture, labels):
        return None
    return without_frames(picture, labels, frames), without(labels, ["glasses"])


def without_frames(picture: Picture, labels: LabelMap, frames: Region | None = None) -> Picture:
    """Remove the frames of glasses from a picture; the eyes and skin behind clear lenses are unchanged.

    The frames are filled by harmonic interpolation from both sides, with the grain of the skin.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.
        frames: (S, S), True for the frames, as returned by `frame_region`; if None, this region is computed.

    Returns:
        The picture (S, S, 3) without frames, a new array.
    """
    frames = frame_region(picture, labels) if frames is None else frames
    if not frames.any():
        return picture.copy()
    rows, columns = np.nonzero(ndimage.binary_dilation(frames, iterations=max(4, round(0.06 * len(labels)))))
    box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    part, region = picture[box].astype(np.float64), frames[box]
    filled = harmonic(part, region)
    skin = np.isin(labels[box], _SKIN) & ~region
    smooth = ndimage.gaussian_filter(part, (1.5, 1.5, 0))
    soft = np.clip(ndimage.gaussian_filter(region.astype(float), 0.8) * 1.3, 0, 1)[..., None]
    # The grain is that of the skin around. The soft edge also hides remains of the frame at the border of the region.
    result = np.where(region[..., None], filled + missing_grain(part, smooth, skin), part)
    mixed = part + soft * (result - part)
    edited = picture.copy()
    near = soft[..., 0] > 0.02
    edited[box][near] = np.clip(np.rint(np.where(region[..., None], result, mixed)), 0, 255).astype(np.uint8)[near]
    return edited


def frame_region(picture: Picture, labels: LabelMap) -> Region:
    """Find the frames of glasses in a picture.

    Frames are thin lines near the border of the mask's glasses that are darker or brighter than the pixels beside them.

    Args:
        picture: (S, S, 3).
        labels: (S, S), label map of the picture.

    Returns:
        (S, S), True for the frames; all False if there are no glasses.
    """
    side, glasses = len(labels), labels == _GLASSES
    if not glasses.any():
        return np.zeros(labels.shape, bool)
    whole = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(glasses, 8), iterations=4)[8:-8, 8:-8])
    assert whole is not None
    border = whole ^ ndimage.binary_erosion(whole)
    band = ndimage.distance_transform_edt(~border) < _BAND * side
    eyes = np.isin(without(labels, ["glasses"]), _EYES)  # also eyes that the glasses hide in the mask
    brows = np.isin(labels, [ID["l_brow"], ID["r_brow"]])
    band &= ~ndimage.binary_dilation(eyes, iterations=max(1, round(_KEPT * side)))
    channels = ndimage.gaussian_filter(
        picture.astype(np.float32), (0.7, 0.7, 0)
    )  # red frames are dark only in the blue channel
    radius = max(2, round(_LINE * side))
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x * x + y * y <= radius * radius)[..., None]
    dark = (ndimage.grey_closing(channels, footprint=disc) - channels).max(-1)
    light = (channels - ndimage.grey_opening(channels, footprint=disc)).max(-1) * 0.5
    line = np.maximum(dark, light)
    clearest = float(np.quantile(line[band], 0.93)) if band.any() else 0.0
    weak, strong = (max(share * clearest, _LEAST) for share in _FAINT)
    line = np.where(brows & (line < clearest), 0, line)  # hairs of brows are thin lines too
    pieces, count = ndimage.label(band & (line > weak), np.ones((3, 3)))
    long = np.bincount(pieces[(line > strong) & band], minlength=count + 1) > 0.02 * side
    long[0] = False
    found = ndimage.binary_closing(long[pieces], iterations=2)
    found |= _temples(channels, labels, whole, found, strong)
    if eyes.any():  # temples that the mask shows
        columns = np.flatnonzero(eyes.any(0))
        low = (glasses.sum(0) < _LENS * side) & (
            np.abs(np.arange(side) - columns.mean()) > np.ptp(columns) / 2 + _END * side
        )
        found |= glasses & low
    return np.asarray(ndimage.binary_dilation(found, iterations=max(1, round(_RIM * side))) & ~eyes)


def _temples(channels: F32, labels: LabelMap, glasses: Region, rims: Region, contrast: float) -> Region:
    """Find the temples of glasses: bars from the outer ends of the rims towards the ears.

    Args:
        channels: (S, S, 3), the picture, slightly blurred.
        labels: (S, S), label map of the picture.
        glasses: (S, S), True in the region of the glasses, with the lenses.
        rims: (S, S), True for the frames that were found around the lenses.
        contrast: least contrast of a temple to the pixels above and below, in levels.

    Returns:
        (S, S), True for the temples.
    """
    side = len(labels)
    radius = max(2, round(_TEMPLE * side))
    tall = np.ones((2 * radius + 1, 1, 1), bool)
    bars = (ndimage.grey_closing(channels, footprint=tall) - channels).max(-1)
    bars = np.maximum(bars, 0.5 * (channels - ndimage.grey_opening(channels, footprint=tall)).max(-1))
    person = np.isin(labels, _BESIDE) | glasses
    rows, columns = np.nonzero(glasses | rims)
    left, right = int(columns.min()), int(columns.max())
    found = np.zeros(labels.shape, bool)
    for start, way in ((left, -1), (right, 1)):
        level = float(np.median(rows[np.abs(columns - start) <= max(2, _END * side)]))
        y, x = np.ogrid[:side, :side]
        ahead = (x - start) * way
        strip = (
            (ahead > -_END * side) & (ahead < _LONG * side) & (np.abs(y - level) < _BAND * side + 0.25 * np.abs(ahead))
        )
        pieces, _ = ndimage.label(strip & person & (bars > contrast), np.ones((3, 3)))
        for piece, where in enumerate(ndimage.find_objects(pieces), 1):
            inside = pieces[where] == piece
            wide, high = inside.shape[1], inside.sum() / inside.shape[1]
            begins = (ahead[0, where[1]][inside.any(0)]).min() <= _REACH * side
            if begins and wide > max(2.0 * high, _END * side):
                found[where] |= inside
    return found
