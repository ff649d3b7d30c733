"""Random sampling of identities and scenes.

An ``Identity`` holds the parameters that all pictures of a person share; a ``Scene`` holds those of one picture. The
random generator of an identity is seeded by (seed, person), that of a scene by (seed, picture). Colours are linear RGB;
angles are degrees.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskgan_cli.synth.expressions import pick, sample_expression
from maskgan_cli.synth.hairstyles import MEN, STYLES, WOMEN
from maskgan_cli.synth.parameters import (
    Clothes,
    Colour,
    Earring,
    Glasses,
    Hat,
    Identity,
    Light,
    Scene,
    linear,
)
from maskgan_cli.synth.shape import body_weights, local_sliders

# Skin colours from very light to very dark, sRGB.
_SKIN = (
    (252, 214, 192),
    (244, 198, 170),
    (232, 180, 148),
    (216, 163, 131),
    (192, 138, 106),
    (162, 109, 80),
    (130, 82, 57),
    (97, 61, 45),
    (72, 46, 35),
)
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


def _near(rng: np.random.Generator, colours: Sequence[Sequence[float]], spread: float) -> Colour:
    """Return a random variation of one of some colours (8-bit sRGB), as linear RGB.

    ``spread`` is the relative standard deviation of the brightness.
    """
    base = np.asarray(colours[int(rng.integers(len(colours)))], np.float64)
    tint = rng.normal(0, spread / 4, 3) * min(1.0, float(np.ptp(base)) / 30)  # grey stays grey
    return linear(base * (1 + rng.normal(0, spread)) * (1 + tint))


def _hair(rng: np.random.Generator, male: bool, age: float, race: tuple[float, float, float]) -> tuple[str, str]:
    """Sample the hair of a person: its colour family and its style.

    Args:
        rng: generator of all random choices.
        male, age: see ``parameters.Identity``.
        race: proportions of African, Asian and European features, summing to 1.

    Returns:
        colour family (black, brown, blond, red or grey), and the name of the style, a key of ``hairstyles.STYLES``.
    """
    if age > 0.55 and rng.random() < 0.75:
        family = "grey"
    elif race[2] > 0.45:
        blond = 0.32 if not male else 0.16
        family = pick(rng, {"black": 0.16, "brown": 0.42, "blond": blond, "red": 0.08})
    else:
        family = pick(rng, {"black": 0.62, "brown": 0.3, "blond": 0.06, "red": 0.02})
    styles = dict(MEN if male else WOMEN)
    if race[0] > 0.55:
        styles = (
            {"buzz": 3, "bald": 1.5, "afro_short": 3, "afro": 0.7}
            if male
            else {"afro": 2, "curly": 3, "updo": 2, "long": 2, "bangs_bob": 1, "ponytail": 1}
        )
    return family, pick(rng, styles)


def _face_shape(
    rng: np.random.Generator, male: bool, age: float, race: tuple[float, float, float]
) -> tuple[dict[str, float], float, float]:
    """Sample the shape of a face.

    Args:
        rng: generator of all random choices.
        male, age: see ``parameters.Identity``.
        race: proportions of African, Asian and European features, summing to 1.

    Returns:
        a dict from the name of each blend shape of the head model to its weight; the nose size; and the lip fullness.
        Nose size and lip fullness are in standard deviations from the mean.
    """
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
    for stem, amount in (
        ("nose-scale-horiz", nose * 0.16),
        ("nose-volume", nose * 0.18),
        ("nose-width3", nose * 0.15),
        ("mouth-lowerlip-volume", lips * 0.13),
        ("mouth-upperlip-volume", lips * 0.13),
        ("mouth-lowerlip-height", lips * 0.12),
        ("mouth-upperlip-height", lips * 0.12),
    ):
        name = f"local/{stem}-{'incr' if amount > 0 else 'decr'}"
        shape[name] = shape.get(name, 0) + abs(float(amount))
    # The model's default eyes are narrower than those of people in photos.
    for stem, amount in (
        ("eye-scale", 0.3),
        ("eye-height1", 0.2),
        ("eye-height2", 0.35),
        ("eye-height3", 0.2),
    ):
        for side in "lr":
            name = f"local/{side}-{stem}-incr"
            shape[name] = shape.get(name, 0) + amount
    if not male:
        for name, amount in (
            ("chin-width-decr", 0.25),
            ("chin-bones-decr", 0.2),
            ("nose-scale-horiz-decr", 0.12),
            ("l-cheek-bones-incr", 0.2),
            ("r-cheek-bones-incr", 0.2),
            ("head-invertedtriangular", 0.2),
        ):
            shape[f"local/{name}"] = shape.get(f"local/{name}", 0) + amount
    soft = ("oval", "round", "invertedtriangular")
    for form in (*soft, "rectangular", "square", "triangular", "diamond"):
        if rng.random() < (0.2 if male or form in soft else 0.05):
            shape[f"local/head-{form}"] = rng.uniform(0, 0.45)
    return shape, float(nose), float(lips)


def sample_identity(seed: int, number: int) -> Identity:
    """Sample the person with index ``number``; the result depends only on the arguments."""
    rng = np.random.default_rng([seed, 1, number])
    male = bool(rng.random() < 0.44)
    age = float(np.clip(rng.beta(1.1, 2.4), 0, 1))
    order = rng.dirichlet([0.28, 0.28, 0.5])
    race = (float(order[0]), float(order[1]), float(order[2]))
    tone = float(np.clip(np.dot(race, [6.6, 2.4, 1.2]) + rng.normal(0, 0.8), 0, 8))
    below = int(min(tone, 7.999))
    skin = np.array(_SKIN[below]) * (1 - tone + below) + np.array(_SKIN[below + 1]) * (tone - below)

    shape, nose, lips = _face_shape(rng, male, age, race)
    family, style = _hair(rng, male, age, race)
    light_eyes = race[2] > 0.5
    beard = pick(rng, {"none": 5, "stubble": 3, "full": 2, "goatee": 1.2, "mustache": 0.8}) if male else "none"
    moles = rng.uniform([-0.5, 6.6], [0.5, 7.5], (rng.integers(-2, 3).clip(0), 2))
    return Identity(
        number=number,
        male=male,
        age=age,
        tone=tone,
        shape=tuple((k, round(float(v), 6)) for k, v in shape.items() if abs(v) > 1e-4),
        nose_size=nose,
        lip_fullness=lips,
        skin=linear(skin + rng.normal(0, 3, 3)),
        ruddiness=float(rng.uniform(0.3, 1.0)),
        freckles=float(rng.uniform(0.3, 1)) if tone < 3 and rng.random() < 0.2 else 0.0,
        moles=tuple((float(x), float(y)) for x, y in moles),
        hair_family=family,
        hair=_near(rng, _HAIR[family], 0.08),
        style=style,
        recession=float(rng.uniform(0.2, 1)) if male and rng.random() < 0.15 + 0.5 * age else 0.0,
        brow_thickness=float(rng.uniform(0.9, 1.5) if male else rng.uniform(0.65, 1.15)),
        brow_height=float(rng.normal(0.0 if male else 0.02, 0.014)),
        brow_arch=float(rng.uniform(0, 0.6) if male else rng.uniform(0.3, 1.1)),
        iris=_near(rng, _IRIS if light_eyes else _IRIS[:3], 0.1),
        beard=beard,
    )


def _cloth_colour(rng: np.random.Generator) -> Colour:
    """Sample a colour of clothes: mostly black, white, grey or muted, sometimes bright."""
    kind = pick(rng, {"dark": 4, "light": 2, "dull": 3, "bright": 2})
    if kind == "dark":
        return linear(rng.uniform(12, 55) + rng.normal(0, 6, 3))
    if kind == "light":
        return linear(rng.uniform(200, 250) + rng.normal(0, 6, 3))
    middle, spread = (rng.uniform(60, 190), 22.0) if kind == "dull" else (rng.uniform(90, 180), 75.0)
    return linear(middle + rng.normal(0, spread, 3))


def _glasses(rng: np.random.Generator) -> Glasses:
    dark = pick(rng, {0.0: 0.62, 0.75: 0.1, 0.97: 0.28})
    shape = pick(rng, {"oval": 2, "round": 1, "square": 3, "aviator": 1.2})
    size = rng.uniform(1.05, 1.3) if dark else rng.uniform(0.92, 1.12)
    width, height, exponent, droop = {
        "oval": (0.265, 0.185, 2.2, 0.0),
        "round": (0.225, 0.215, 2.0, 0.0),
        "square": (0.275, 0.185, 4.0, 0.0),
        "aviator": (0.28, 0.225, 2.6, 0.05),
    }[shape]
    frame = (
        _METAL[rng.integers(3)]
        if shape == "aviator" or rng.random() < 0.2
        else np.array([30, 24, 20]) * rng.choice([0.5, 1, 1, 2.5]) + rng.uniform(0, 20, 3)
    )
    return Glasses(
        width * size,
        height * size * rng.uniform(0.85, 1.1),
        exponent,
        float(rng.choice([0.009, 0.014, 0.022])),
        linear(frame),
        dark,
        linear(rng.uniform(8, 60) + rng.normal(0, 8, 3)),
        droop,
    )


def _hat(rng: np.random.Generator, male: bool) -> Hat:
    women = {"beanie": 2, "cap": 1, "fedora": 1.3, "sunhat": 2, "bucket": 1, "headband": 1.2, "scarf": 1.2}
    men = {"beanie": 2, "cap": 2.5, "fedora": 1.5, "bucket": 1, "headband": 0.7}
    kind = pick(rng, men if male else women)
    return Hat(
        kind, _cloth_colour(rng), _cloth_colour(rng), float(rng.uniform(0.0, 0.16)), float(rng.uniform(0.8, 1.25))
    )


def _earring(rng: np.random.Generator, male: bool) -> Earring:
    kind = "stud" if male else pick(rng, {"stud": 1, "hoop": 1.3, "drop": 1.5})
    size = float(rng.uniform(0.9, 1.8))
    return Earring(kind, size, linear(_METAL[rng.integers(3)]) if rng.random() < 0.75 else _cloth_colour(rng))


def _clothes(rng: np.random.Generator, male: bool) -> Clothes:
    men = {"crew": 2.5, "shirt": 2, "jacket": 2.5, "hoodie": 1, "turtleneck": 0.8, "scarf": 0.5, "vneck": 0.8}
    women = {"crew": 1.5, "vneck": 1.5, "wide": 2, "strap": 2, "shirt": 1, "jacket": 1.5}
    women |= {"turtleneck": 0.8, "scarf": 0.8, "hoodie": 0.3}
    return Clothes(
        pick(rng, men if male else women),
        _cloth_colour(rng),
        _cloth_colour(rng),
        pick(rng, {"plain": 5, "stripe": 1, "check": 1, "knit": 1.2, "dots": 0.5}),
        float(rng.uniform(2, 7)),
        float(rng.normal(0, 0.04)),
    )


def _light(rng: np.random.Generator, background: str) -> Light:
    """Sample the lights of a scene. In 35 % of the scenes, the key light is a flash from the front.

    ``background`` is the kind of background; if it is ``night``, there is less ambient light.
    """
    flash = rng.random() < 0.35
    key = rng.uniform(0.85, 1.35)
    cast = 1 + rng.normal(0, 0.05) * np.array([1, 0, -1])
    level = rng.uniform(0.18, 0.32) if background == "night" else rng.uniform(0.28, 0.62)
    tint = 1 + rng.normal(0, 0.06) * np.array([-1, 0, 1])
    r, g, b = (float(v) for v in cast * [1.0, 0.97, 0.92])
    x, y, z = (float(v) for v in tint * level)
    return Light(
        azimuth=float(rng.normal(0, 12 if flash else 38)),
        elevation=float(rng.uniform(2, 22) if flash else rng.uniform(8, 55)),
        key=float(key),
        colour=(r, g, b),
        ambient=(x, y, z),
        rim=float(rng.uniform(0, 0.6)),
    )


def sample_scene(seed: int, number: int, identity: Identity) -> Scene:
    """Sample the scene of picture ``number``, which shows ``identity``; the result depends only on the arguments."""
    rng = np.random.default_rng([seed, 2, number])
    expression, smiling, opened = sample_expression(rng)
    male = identity.male
    style = identity.style
    if rng.random() < 0.2 and style not in ("bald", "buzz"):  # people sometimes change their hairstyle
        style = pick(rng, MEN if male else WOMEN)
    beard = identity.beard
    if beard != "none" and rng.random() < 0.2:
        beard = "stubble"
    hat = _hat(rng, male) if rng.random() < 0.13 else None
    earring = _earring(rng, male) if rng.random() < (0.1 if male else 0.55) else None
    made_up = not male and rng.random() < 0.6
    lipstick = float(rng.uniform(0.35, 1)) if not male and rng.random() < (0.9 if made_up else 0.25) else 0.0
    background = pick(rng, {"studio": 3, "wall": 2, "room": 3, "outdoors": 3, "night": 1.3, "press": 2})
    clothes = _clothes(rng, male)
    necklace = pick(rng, {"none": 9, "chain": 1} if male else {"none": 6, "chain": 1.6, "pearls": 1, "pendant": 1.4})
    return Scene(
        number=number,
        yaw=float(np.clip(rng.normal(0, 19), -48, 48)),
        pitch=float(np.clip(rng.normal(0, 7.5), -20, 20)),
        roll=float(np.clip(rng.normal(0, 3), -9, 9)),
        lean=float(rng.normal(0, 10)),
        distance=float(rng.uniform(11, 26)),
        zoom=float(rng.uniform(0.93, 1.02)),
        shift=(float(rng.normal(0, 0.008)), float(rng.normal(0, 0.008))),
        expression=expression,
        smiling=smiling,
        mouth_open=opened,
        gaze=(float(rng.normal(0, 7)), float(rng.normal(0, 4))),
        style=STYLES[style].varied(rng),
        beard=beard,
        makeup=float(rng.uniform(0.35, 1)) if made_up else 0.0,
        lipstick=lipstick,
        lip_colour=_near(rng, _LIPSTICK, 0.08),
        shadow_colour=linear(rng.uniform(30, 110) + rng.normal(0, 20, 3)),
        hat=hat,
        glasses=_glasses(rng) if rng.random() < 0.15 else None,
        earring=earring,
        necklace=necklace,
        metal=linear(_METAL[rng.integers(3)]),
        clothes=clothes,
        light=_light(rng, background),
        background=background,
        exposure=float(np.exp(rng.normal(0, 0.13))),
        warmth=float(rng.normal(0, 0.05)),
        contrast=float(rng.uniform(0.98, 1.25)),
        saturation=float(rng.uniform(0.75, 1.15)),
        noise=int(rng.integers(1 << 31)),
    )
