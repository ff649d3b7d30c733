"""The parameters that determine a picture: those of the person (`Identity`) and those of the scene (`Scene`).

Colours are linear RGB in 0..1; angles are degrees; lengths are decimetres.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from maskgan_cli.synth.hairstyles import HairStyle

Colour = tuple[float, float, float]
Weights = tuple[tuple[str, float], ...]  # (name of a blend shape of the head model, weight)


def linear(srgb: Iterable[float]) -> Colour:
    """Convert an sRGB colour (three values in 0..255) to linear RGB in 0..1."""
    r, g, b = (float(np.clip(v / 255, 0, 1) ** 2.2) for v in srgb)
    return r, g, b


@dataclass(frozen=True)
class Identity:
    """The parameters of a person (shape, skin, hair, ...) that are the same in all pictures of the person."""

    number: int
    male: bool
    age: float  # 0 (25 years) .. 1 (90 years), the ages of MakeHuman's young and old shapes
    tone: float  # 0 (very light) .. 8 (very dark)
    shape: Weights
    nose_size: float  # standard deviations from the mean
    lip_fullness: float  # standard deviations from the mean
    skin: Colour
    ruddiness: float  # redness of cheeks, nose and ears, 0..1
    freckles: float  # strength, 0..1
    moles: tuple[tuple[float, float], ...]  # positions (x, y) on the canonical (mean) head
    hair_family: str  # black, brown, blond, red, grey
    hair: Colour
    style: str  # usual hairstyle, a key of hairstyles.STYLES
    recession: float  # 0 (full hairline) .. 1
    brow_thickness: float  # 1 is average
    brow_height: float  # decimetres above average
    brow_arch: float  # 0 (straight) .. about 1
    iris: Colour
    beard: str  # none, stubble, full, goatee, mustache


@dataclass(frozen=True)
class Light:
    """A directional key light, ambient light, and a rim light from behind the head."""

    azimuth: float  # of the key light; if positive, it comes from the right side of the picture
    elevation: float  # of the key light above the horizon
    key: float  # strength of the key light
    colour: Colour  # of the key light
    ambient: Colour
    rim: float  # strength of the rim light


@dataclass(frozen=True)
class Hat:
    """A hat. ``kind`` is beanie, cap, fedora, sunhat, bucket, headband or scarf."""

    kind: str
    colour: Colour
    trim: Colour  # second colour, e.g. of the band
    low: float  # height above the lowest position on the forehead, decimetres
    wide: float  # factor of the brim's usual width


@dataclass(frozen=True)
class Glasses:
    """Glasses, whose rims are superellipses around each eye."""

    width: float  # half of a rim's width
    height: float  # half of a rim's height
    exponent: float  # 2 is an ellipse; larger values are more rectangular
    thickness: float  # radius of the frame
    frame: Colour
    dark: float  # opacity of the lenses, 0 (clear) .. 1 (opaque)
    tint: Colour
    droop: float  # decimetres by which the outer corners hang lower, as in aviator glasses


@dataclass(frozen=True)
class Clothes:
    """Clothes. ``kind`` is crew, vneck, wide, strap, turtleneck, shirt, jacket, hoodie or scarf."""

    kind: str
    colour: Colour
    second: Colour  # of the pattern, or of the shirt under a jacket
    pattern: str  # plain, stripe, check, knit, dots
    pitch: float  # pattern repeats per decimetre
    raised: float  # decimetres by which the neckline is higher than usual


@dataclass(frozen=True)
class Earring:
    """A pair of earrings. ``kind`` is stud, hoop or drop."""

    kind: str
    size: float  # factor of the smallest usual size, about 1 to 2
    colour: Colour


@dataclass(frozen=True)
class Scene:
    """The parameters of one picture (pose, expression, clothes, light, ...) besides the person's `Identity`."""

    number: int
    yaw: float  # of the head model; see camera.head_pose for the pose in the picture
    pitch: float
    roll: float  # rotation of the picture
    lean: float  # yaw of the shoulders, added to a fixed proportion of the head's yaw
    distance: float  # camera, decimetres
    zoom: float  # factor of the side of the cropped square; larger values show a smaller face
    shift: tuple[float, float]  # displacement (x, y) of the square, as proportions of its side
    expression: Weights
    smiling: bool
    mouth_open: bool
    gaze: tuple[float, float]  # yaw and pitch of the eyes relative to the head
    style: HairStyle
    beard: str  # as in Identity
    makeup: float  # 0 (none) .. 1
    lipstick: float  # 0 (none) .. 1
    lip_colour: Colour  # of the lipstick
    shadow_colour: Colour  # of the eye shadow
    hat: Hat | None
    glasses: Glasses | None
    earring: Earring | None
    necklace: str  # none, chain, pearls, pendant
    metal: Colour  # of the necklace
    clothes: Clothes
    light: Light
    background: str  # studio, wall, room, outdoors, night, press
    exposure: float  # factor of the brightness
    warmth: float  # white balance: red is multiplied by 1 + warmth, blue by 1 - warmth
    contrast: float  # factor
    saturation: float  # factor
    noise: int  # seed of all random detail in this picture
