"""Who is drawn and how: typed parameters, drawn from generators seeded by (seed, person) and (seed, picture).

An ``Identity`` stays over all pictures of a person; a ``Scene`` is one picture of them.
Colours are linear RGB; angles are degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from maskgan_cli.faces.hairstyles import MEN, STYLES, WOMEN, HairStyle
from maskgan_cli.faces.shape import body_weights, local_sliders

T = TypeVar("T")
Colour = tuple[float, float, float]
Weights = tuple[tuple[str, float], ...]

# Skin from very light to very dark, sRGB.
_SKIN = ((252, 214, 192), (244, 198, 170), (232, 180, 148), (216, 160, 126), (194, 135, 100), (164, 106, 74), (130, 82, 57), (97, 61, 45), (72, 46, 35))  # fmt: skip
_HAIR = {
    "black": ((18, 15, 14), (28, 22, 20)),
    "brown": ((46, 31, 23), (74, 48, 32), (104, 70, 44), (126, 84, 50)),
    "blond": ((186, 146, 92), (214, 178, 122), (232, 208, 160)),
    "red": ((132, 56, 28), (158, 82, 44)),
    "grey": ((120, 118, 116), (164, 163, 160), (216, 214, 208)),
}
_IRIS = ((52, 30, 18), (84, 52, 28), (110, 78, 42), (92, 108, 66), (88, 124, 156), (122, 142, 152))
_LIPSTICK = ((172, 34, 46), (196, 62, 84), (150, 44, 62), (206, 104, 106), (190, 86, 80), (110, 22, 44))
_METAL = ((222, 184, 104), (212, 212, 218), (206, 150, 118))


def linear(srgb: Sequence[float]) -> Colour:
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
    """A key light, a fill and what comes from everywhere."""

    azimuth: float  # positive comes from the picture's right
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
    low: float  # how far above the brows it sits, decimetres
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
    droop: float  # aviators hang to the outside


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
    yaw: float  # of the head before the camera, see render.head_pose for the truth
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
    noise: int  # seed of everything unstructured in this picture


def _pick(rng: np.random.Generator, options: dict[T, float]) -> T:
    """One key with chances in proportion to the values."""
    keys = list(options)
    total = np.cumsum([options[k] for k in keys])
    return keys[int(np.searchsorted(total, rng.random() * total[-1], side="right").clip(0, len(keys) - 1))]


def _near(rng: np.random.Generator, colours: Sequence[Sequence[float]], spread: float) -> Colour:
    base = np.array(colours[rng.integers(len(colours))], float)
    return linear(base * (1 + rng.normal(0, spread)) + rng.normal(0, 255 * spread / 4, 3))


def sample_identity(seed: int, number: int) -> Identity:
    """Person ``number`` of the world ``seed``."""
    rng = np.random.default_rng([seed, 1, number])
    male = bool(rng.random() < 0.44)
    age = float(np.clip(rng.beta(1.1, 2.4), 0, 1))
    order = rng.dirichlet([0.28, 0.28, 0.5])
    race = (float(order[0]), float(order[1]), float(order[2]))
    tone = float(np.clip(np.dot(race, [6.6, 2.4, 1.2]) + rng.normal(0, 0.8), 0, 8))
    below = int(min(tone, 7.999))
    skin = np.array(_SKIN[below]) * (1 - tone + below) + np.array(_SKIN[below + 1]) * (tone - below)

    masculine = 1 - rng.uniform(0, 0.12) if male else rng.uniform(0, 0.06)
    muscle = rng.normal(0, 0.3) if male else rng.normal(-0.3, 0.2)
    shape = body_weights(masculine, age, muscle, rng.normal(-0.05 if male else -0.25, 0.38), race)
    for positive, negative, spread in local_sliders():
        amount = float(np.clip(rng.normal(0, 0.8 * spread), -0.4, 0.4))
        name = positive if amount > 0 else negative
        shape[name] = shape.get(name, 0) + abs(amount)
        if name.startswith("local/l-"):  # faces are nearly symmetric
            shape[name.replace("local/l-", "local/r-")] = abs(amount) * rng.uniform(0.88, 1.12)
    nose, lips = rng.normal(0, 1, 2)
    for stem, amount in (("nose-scale-horiz", nose * 0.16), ("nose-volume", nose * 0.18), ("nose-width3", nose * 0.15),
                         ("mouth-lowerlip-volume", lips * 0.13), ("mouth-upperlip-volume", lips * 0.13),
                         ("mouth-lowerlip-height", lips * 0.12), ("mouth-upperlip-height", lips * 0.12)):  # fmt: skip
        name = f"local/{stem}-{'incr' if amount > 0 else 'decr'}"
        shape[name] = shape.get(name, 0) + abs(float(amount))
    # The model's young adult squints; photographed people open their eyes to the camera.
    for stem, amount in (("eye-scale", 0.3), ("eye-height1", 0.2), ("eye-height2", 0.35), ("eye-height3", 0.2)):
        for side in "lr":
            name = f"local/{side}-{stem}-incr"
            shape[name] = shape.get(name, 0) + amount
    if not male:
        for name, amount in (("chin-width-decr", 0.25), ("chin-bones-decr", 0.2), ("nose-scale-horiz-decr", 0.12),
                             ("l-cheek-bones-incr", 0.2), ("r-cheek-bones-incr", 0.2), ("head-invertedtriangular", 0.2)):  # fmt: skip
            shape[f"local/{name}"] = shape.get(f"local/{name}", 0) + amount
    soft = ("oval", "round", "invertedtriangular")
    for form in (*soft, "rectangular", "square", "triangular", "diamond"):
        if rng.random() < (0.2 if male or form in soft else 0.05):
            shape[f"local/head-{form}"] = rng.uniform(0, 0.45)

    if age > 0.55 and rng.random() < 0.75:
        family = "grey"
    elif race[2] > 0.45:
        blond = 0.32 if not male else 0.16
        family = _pick(rng, {"black": 0.16, "brown": 0.42, "blond": blond, "red": 0.08})
    else:
        family = _pick(rng, {"black": 0.62, "brown": 0.3, "blond": 0.06, "red": 0.02})
    styles = dict(MEN if male else WOMEN)
    if race[0] > 0.55:
        styles = {"buzz": 3, "bald": 1.5, "afro_short": 3, "afro": 0.7} if male else {"afro": 2, "curly": 3, "updo": 2, "long": 2, "bangs_bob": 1, "ponytail": 1}  # fmt: skip
    light_eyes = race[2] > 0.5
    beard = _pick(rng, {"none": 5, "stubble": 3, "full": 2, "goatee": 1.2, "mustache": 0.8}) if male else "none"
    return Identity(
        number=number, male=male, age=age, tone=tone,
        shape=tuple((k, round(float(v), 6)) for k, v in shape.items() if abs(v) > 1e-4),
        nose_size=float(nose), lip_fullness=float(lips),
        skin=linear(skin + rng.normal(0, 3, 3)),
        ruddiness=float(rng.uniform(0.3, 1.0)),
        freckles=float(rng.uniform(0.3, 1)) if tone < 3 and rng.random() < 0.2 else 0.0,
        moles=tuple((float(x), float(y)) for x, y in rng.uniform([-0.5, 6.6], [0.5, 7.5], (rng.integers(0, 3), 2))),
        hair_family=family, hair=_near(rng, _HAIR[family], 0.08), style=_pick(rng, styles),
        recession=float(rng.uniform(0.2, 1)) if male and rng.random() < 0.15 + 0.5 * age else 0.0,
        brow_thickness=float(rng.uniform(0.9, 1.5) if male else rng.uniform(0.65, 1.15)),
        brow_height=float(rng.normal(0.0 if male else 0.02, 0.014)),
        brow_arch=float(rng.uniform(0, 0.6) if male else rng.uniform(0.3, 1.1)),
        iris=_near(rng, _IRIS if light_eyes else _IRIS[:3], 0.1),
        beard=beard,
    )  # fmt: skip


def _expression(rng: np.random.Generator) -> tuple[Weights, bool, bool]:
    """Face-unit weights, whether it is a smile, whether the mouth is open."""
    units: dict[str, float] = {}

    def both(name: str, amount: float, uneven: float = 0.07) -> None:
        for side in ("Left", "Right"):
            units[name + side] = amount * (1 + rng.normal(0, uneven))

    smiling, opened = bool(rng.random() < 0.5), False
    if smiling:
        strength = rng.uniform(0.4, 0.95)
        both("mouthSmile", strength, 0.05)
        both("cheekSquint", strength * 0.5)
        both("eyeSquint", strength * 0.3)
        if opened := bool(rng.random() < 0.72):
            both("mouthUpperUp", strength * rng.uniform(0.45, 0.85))
            both("mouthLowerDown", strength * rng.uniform(0.35, 0.75))
            units["jawOpen"] = rng.uniform(0.04, 0.28)
    elif opened := bool(rng.random() < 0.36):
        units["jawOpen"] = rng.uniform(0.07, 0.38)
        both("mouthUpperUp", rng.uniform(0, 0.3))
        both("mouthLowerDown", rng.uniform(0.1, 0.4))
    else:
        units[_pick(rng, {"mouthPucker": 1, "mouthShrugLower": 1, "mouthRollLower": 0.6, "mouthShrugUpper": 0.5})] = rng.uniform(0, 0.35)  # fmt: skip
        if rng.random() < 0.35:
            both("mouthFrown", rng.uniform(0.1, 0.35))
    if rng.random() < 0.6:
        units["browInnerUp"] = rng.uniform(0.1, 0.5)
    if rng.random() < 0.3:
        both("browOuterUp", rng.uniform(0, 0.4))
    if rng.random() < 0.25:
        both("browDown", rng.uniform(0, 0.3))
    both("eyeWide", float(np.clip(rng.normal(0.3, 0.16), 0, 0.7)), 0.04)
    if rng.random() < 0.04:
        both("eyeBlink", rng.uniform(0.4, 1.0), 0.02)
    return tuple((f"unit/{k}", round(float(v), 6)) for k, v in units.items()), smiling, opened


def _cloth_colour(rng: np.random.Generator) -> Colour:
    """Clothes are mostly black, white, grey and dull; some are bright."""
    kind = _pick(rng, {"dark": 4, "light": 2, "dull": 3, "bright": 2})
    if kind == "dark":
        return linear(rng.uniform(12, 55) + rng.normal(0, 6, 3))
    if kind == "light":
        return linear(rng.uniform(200, 250) + rng.normal(0, 6, 3))
    middle, spread = (rng.uniform(60, 190), 22.0) if kind == "dull" else (rng.uniform(90, 180), 75.0)
    return linear(middle + rng.normal(0, spread, 3))


def _glasses(rng: np.random.Generator) -> Glasses:
    dark = _pick(rng, {0.0: 0.62, 0.75: 0.1, 0.97: 0.28})
    shape = _pick(rng, {"oval": 2, "round": 1, "square": 3, "aviator": 1.2})
    size = rng.uniform(1.05, 1.3) if dark else rng.uniform(0.92, 1.12)
    width, height, exponent, droop = {
        "oval": (0.265, 0.185, 2.2, 0.0), "round": (0.225, 0.215, 2.0, 0.0), "square": (0.275, 0.185, 4.0, 0.0), "aviator": (0.28, 0.225, 2.6, 0.05),
    }[shape]  # fmt: skip
    frame = _METAL[rng.integers(3)] if shape == "aviator" or rng.random() < 0.2 else np.array([30, 24, 20]) * rng.choice([0.5, 1, 1, 2.5]) + rng.uniform(0, 20, 3)  # fmt: skip
    return Glasses(width * size, height * size * rng.uniform(0.85, 1.1), exponent, float(rng.choice([0.009, 0.014, 0.022])), linear(frame), dark, linear(rng.uniform(8, 60) + rng.normal(0, 8, 3)), droop)  # fmt: skip


def _light(rng: np.random.Generator, background: str) -> Light:
    flash = rng.random() < 0.35
    key = rng.uniform(0.75, 1.15)
    cast = 1 + rng.normal(0, 0.05) * np.array([1, 0, -1])
    level = rng.uniform(0.18, 0.32) if background == "night" else rng.uniform(0.32, 0.72)
    tint = 1 + rng.normal(0, 0.06) * np.array([-1, 0, 1])
    r, g, b = (float(v) for v in cast * [1.0, 0.97, 0.92])
    x, y, z = (float(v) for v in tint * level)
    return Light(
        azimuth=float(rng.normal(0, 12 if flash else 38)), elevation=float(rng.uniform(2, 22) if flash else rng.uniform(8, 55)),
        key=float(key), colour=(r, g, b), ambient=(x, y, z), rim=float(rng.uniform(0, 0.6)),
    )  # fmt: skip


def sample_scene(seed: int, number: int, identity: Identity) -> Scene:
    """Picture ``number`` of the world ``seed``, of a given person."""
    rng = np.random.default_rng([seed, 2, number])
    expression, smiling, opened = _expression(rng)
    male = identity.male
    style = identity.style
    if rng.random() < 0.2 and style not in ("bald", "buzz"):  # people change their hair, within reason
        style = _pick(rng, MEN if male else WOMEN)
    beard = identity.beard
    if beard != "none" and rng.random() < 0.2:
        beard = "stubble"
    hat = None
    if rng.random() < 0.13:
        kind = _pick(rng, {"beanie": 2, "cap": 2.5, "fedora": 1.5, "bucket": 1, "headband": 0.7} if male else {"beanie": 2, "cap": 1, "fedora": 1.3, "sunhat": 2, "bucket": 1, "headband": 1.2, "scarf": 1.2})  # fmt: skip
        hat = Hat(kind, _cloth_colour(rng), _cloth_colour(rng), float(rng.uniform(0.0, 0.16)), float(rng.uniform(0.8, 1.25)))  # fmt: skip
    earring = None
    if rng.random() < (0.1 if male else 0.55):
        kind = "stud" if male else _pick(rng, {"stud": 1, "hoop": 1.3, "drop": 1.5})
        earring = Earring(kind, float(rng.uniform(0.7, 1.4)), linear(_METAL[rng.integers(3)]) if rng.random() < 0.75 else _cloth_colour(rng))  # fmt: skip
    made_up = not male and rng.random() < 0.6
    lipstick = float(rng.uniform(0.35, 1)) if not male and rng.random() < (0.9 if made_up else 0.25) else 0.0
    background = _pick(rng, {"studio": 3, "wall": 2, "room": 3, "outdoors": 3, "night": 1.3, "press": 2})
    kinds = {"crew": 2.5, "shirt": 2, "jacket": 2.5, "hoodie": 1, "turtleneck": 0.8, "scarf": 0.5, "vneck": 0.8} if male else {"crew": 1.5, "vneck": 1.5, "wide": 2, "strap": 2, "shirt": 1, "jacket": 1.5, "turtleneck": 0.8, "scarf": 0.8, "hoodie": 0.3}  # fmt: skip
    clothes = Clothes(_pick(rng, kinds), _cloth_colour(rng), _cloth_colour(rng), _pick(rng, {"plain": 5, "stripe": 1, "check": 1, "knit": 1.2, "dots": 0.5}), float(rng.uniform(2, 7)), float(rng.normal(0, 0.04)))  # fmt: skip
    necklace = _pick(rng, {"none": 9, "chain": 1} if male else {"none": 6, "chain": 1.6, "pearls": 1, "pendant": 1.4})
    return Scene(
        number=number,
        yaw=float(np.clip(rng.normal(0, 19), -48, 48)), pitch=float(np.clip(rng.normal(0, 7.5), -20, 20)),
        roll=float(np.clip(rng.normal(0, 3), -9, 9)), lean=float(rng.normal(0, 10)),
        distance=float(rng.uniform(11, 26)), zoom=float(rng.uniform(0.99, 1.07)),
        shift=(float(rng.normal(0, 0.008)), float(rng.normal(0, 0.008))),
        expression=expression, smiling=smiling, mouth_open=opened,
        gaze=(float(rng.normal(0, 7)), float(rng.normal(0, 4))),
        style=STYLES[style].varied(rng), beard=beard,
        makeup=float(rng.uniform(0.35, 1)) if made_up else 0.0, lipstick=lipstick,
        lip_colour=_near(rng, _LIPSTICK, 0.08), shadow_colour=linear(rng.uniform(30, 110) + rng.normal(0, 20, 3)),
        hat=hat, glasses=_glasses(rng) if rng.random() < 0.15 else None, earring=earring,
        necklace=necklace, metal=linear(_METAL[rng.integers(3)]), clothes=clothes,
        light=_light(rng, background), background=background,
        exposure=float(np.exp(rng.normal(0, 0.13))), warmth=float(rng.normal(0, 0.05)),
        contrast=float(rng.uniform(0.9, 1.2)), saturation=float(rng.uniform(0.75, 1.15)),
        noise=int(rng.integers(1 << 31)),
    )  # fmt: skip
