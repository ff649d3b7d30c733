"""Paste a painting back into its photo, so that untouched pixels stay untouched and no seam shows."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from maskgan_cli.editing.grain import missing_grain
from maskgan_cli.editing.membrane import Field, Region, harmonic
from maskgan_cli.editing.options import Blend, Edge
from maskgan_cli.files import Picture
from maskgan_cli.labels import ID, LabelMap

GROWTH: Final = 0.035  # how far the edited region is grown, as a share of the side
_BAND: Final = 0.06  # width of the band around it that the grain is measured on
# Small parts whose colour is the person's own and fades in paintings: they go this share of the way to their mean in
# the photo. Rendered pairs with a known truth, inside the edit: 20.3 dB at 0, 20.7 at 0.3, 20.9 at 0.7, 20.7 at 1.
_OWN: Final = tuple(ID[name] for name in ("u_lip", "l_lip", "l_brow", "r_brow"))
_OWN_SHARE: Final = 0.7
_OWN_LEAST: Final = 0.0005  # of the picture: a smaller piece has no colour to speak of
_OWN_BLUR: Final = 0.006  # of the side: the change has soft edges


def paste_back(source: Picture, result: Picture, before: LabelMap, after: LabelMap, blend: Blend) -> Picture:
    """The edit joined to its source: see `paste_seamless` and `paste_soft`."""
    if blend.edge is Edge.SOFT:
        return paste_soft(source, result, before, after, softness=blend.softness)
    return paste_seamless(source, result, before, after)


def paste_soft(source: Picture, result: Picture, before: LabelMap, after: LabelMap, *, softness: float) -> Picture:
    """The result where the mask was edited, the source elsewhere, a soft edge between them.

    The edited region (where ``before`` and ``after`` differ) shows the result in full; over the next
    ``softness`` of the picture's side the result fades out, and beyond that the source is exact.

    Args:
        source, result: (S, S, 3).
        before, after: (S, S) label maps of the source and of the edit.
        softness: width of the fade as a share of S, above 0.

    Returns:
        (S, S, 3).
    """
    edited = before != after
    if not edited.any():
        return source.copy()
    distance = ndimage.distance_transform_edt(~edited) / (softness * len(source))
    fade = np.clip(1.0 - distance, 0.0, 1.0)
    alpha = (fade * fade * (3.0 - 2.0 * fade))[..., None]  # smoothstep: no visible rim at either end
    mixed = alpha * result + (1.0 - alpha) * source
    pasted: Picture = np.round(mixed).astype(np.uint8)
    return pasted


def paste_seamless(source: Picture, result: Picture, before: LabelMap, after: LabelMap) -> Picture:
    """The result in the edited region and a little around it, in the source's light and with its grain.

    The difference between source and result on the rim of the grown region (see `grown`) is spread inside
    it (see `harmonic`) and added to the result, as in Poisson image editing (Perez et al., 2003): on the rim there is
    nothing to see. Lips and brows take the colour they have in the source, and the grain that the result lacks is
    added. Outside the region the source is exact.

    Args:
        source, result: (S, S, 3).
        before, after: (S, S) label maps of the source and of the edit.

    Returns:
        (S, S, 3).
    """
    region = grown(before, after)
    if not region.any():
        return source.copy()
    box = _around(region, round(_BAND * len(source)) + 2)
    region, photo, painting = region[box], source[box].astype(float), result[box].astype(float)
    touched = np.isin(before[box], _touched(before, after))
    band = _near(region, _BAND * len(source)) & touched & ~region
    grain = missing_grain(photo, painting, band)
    painting += harmonic(photo - painting, region)
    painting += _own_colours(source, before, painting, after[box], region) + grain
    pasted = source.copy()
    pasted[box][region] = np.clip(np.round(painting), 0, 255).astype(np.uint8)[region]
    return pasted


def _own_colours(source: Picture, before: LabelMap, painting: Field, after: LabelMap, region: Region) -> Field:
    """What brings lips and brows nearer to their colour in the source, (h, w, 3), nothing on the region's rim.

    Args:
        source, before: the whole picture and its label map.
        painting, after, region: of the part that is edited.
    """
    least = max(1, round(_OWN_LEAST * before.size))
    change = np.zeros_like(painting)
    for part in _OWN:
        old, new = before == part, (after == part) & region
        if old.sum() >= least and new.sum() >= least:
            change[new] = _OWN_SHARE * (source[old].mean(axis=0) - painting[new].mean(axis=0))
    if not change.any():
        return change
    soft = max(_OWN_BLUR * len(before), 0.5)
    inwards = np.clip(ndimage.distance_transform_edt(region) - 1.0, 0.0, 3.0 * soft) / (3.0 * soft)
    return np.asarray(ndimage.gaussian_filter(change, (soft, soft, 0.0)) * inwards[..., None])


def grown(before: LabelMap, after: LabelMap) -> Region:
    """Where two label maps (S, S) differ, and what lies close to that: creases and shadows of a lost part.

    The region grows over classes that the edit touches and over no other: a mouth's grows over skin and lips, and
    leaves eyes, nose and hair alone.
    """
    edited: Region = before != after
    if not edited.any():
        return edited
    allowed = _near(edited, GROWTH * len(before)) & np.isin(before, _touched(before, after))
    pieces, _ = ndimage.label(allowed | edited)
    return np.isin(pieces, np.unique(pieces[edited]))


def _touched(before: LabelMap, after: LabelMap) -> LabelMap:
    """The classes that the edit takes or gives."""
    edited = before != after
    return np.union1d(before[edited], after[edited])


def _near(region: Region, distance: float) -> Region:
    return np.asarray(ndimage.distance_transform_edt(~region) <= distance)


def _around(region: Region, margin: int) -> tuple[slice, slice]:
    """The region's bounding box, wider by a margin where the picture goes on."""
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )
