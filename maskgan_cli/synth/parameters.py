"""All parameters of a picture, as typed values.

Colours are linear RGB in 0..1; angles are degrees; lengths are decimetres.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from maskgan_cli.synth.hairstyles import HairStyle

Colour = tuple[float, float, float]
Weights = tuple[tuple[str, float], ...]


def linear(srgb: Iterable[float]) -> Colour:
    """8-bit sRGB -> linear RGB in 0..1."""
    r, g, b = (float(np.clip(v / 255, 0, 1) ** 2.2) for v in srgb)
    return r, g, b


@dataclass(frozen=True)
class Identity:
    """One person."""

    number: int
    male: bool
    age: float  # 0 is about 20 years, 1 about 75
    tone: float  # 0 (very light) .. 8 (very dark)
    shape: Weights
    nose_size: float  # standard deviations from the mean
    lip_fullness: float
    skin: Colour
    ruddiness: float
    freckles: float
    moles: tuple[tuple[float, float], ...]  # places on the canonical face, (x, y)
    hair_family: str
    hair: Colour
    style: str
    recession: float  # 0 (full hairline) .. 1
    brow_thickness: float  # 1 is average
    brow_height: float  # decimetres above average
    brow_arch: float
    iris: Colour
    beard: str  # none, stubble, full, goatee, mustache


@dataclass(frozen=True)
class Light:
    """A key light, a fill light and ambient light."""

    azimuth: float  # positive: from the right side of the picture
    elevation: float
    key: float
    colour: Colour
    ambient: Colour
    rim: float


@dataclass(frozen=True)
class Hat:
    """``kind``: beanie, cap, fedora, sunhat, bucket, headband, scarf."""

    kind: str
    colour: Colour
    trim: Colour
    low: float  # height above the brows, decimetres
    wide: float  # brim, decimetres


@dataclass(frozen=True)
class Glasses:
    """Frame as a superellipse: half-axes and exponent; ``dark`` 0 (clear) .. 1."""

    width: float
    height: float
    exponent: float
    thickness: float
    frame: Colour
    dark: float
    tint: Colour
    droop: float  # lower outer corners, as of aviators


@dataclass(frozen=True)
class Clothes:
    """``kind``: crew, vneck, wide, strap, turtleneck, shirt, jacket, hoodie, scarf."""

    kind: str
    colour: Colour
    second: Colour
    pattern: str  # plain, stripe, check, knit, dots
    pitch: float  # pattern repeats per decimetre
    raised: float  # neckline above usual, decimetres


@dataclass(frozen=True)
class Earring:
    """``kind``: stud, hoop, drop; size in decimetres."""

    kind: str
    size: float
    colour: Colour


@dataclass(frozen=True)
class Scene:
    """One picture of a person."""

    number: int
    yaw: float  # of the head model; see camera.head_pose for the pose in the picture
    pitch: float
    roll: float
    lean: float
    distance: float  # camera, decimetres
    zoom: float
    shift: tuple[float, float]
    expression: Weights
    smiling: bool
    mouth_open: bool
    gaze: tuple[float, float]
    style: HairStyle
    beard: str
    makeup: float
    lipstick: float
    lip_colour: Colour
    shadow_colour: Colour
    hat: Hat | None
    glasses: Glasses | None
    earring: Earring | None
    necklace: str  # none, chain, pearls, pendant
    metal: Colour
    clothes: Clothes
    light: Light
    background: str  # studio, wall, room, outdoors, night, press
    exposure: float
    warmth: float
    contrast: float
    saturation: float
    noise: int  # seed of all random detail in this picture
