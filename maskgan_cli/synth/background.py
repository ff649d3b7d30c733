"""Draws blurred backgrounds of several kinds: studio, wall, room, outdoors, night, press wall."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from maskgan_cli.synth.geometry import F32, f32

_SMALL = 96
Rng = np.random.Generator


def _colour(rng: Rng, low: float, high: float, spread: float) -> tuple[int, int, int]:
    """Return a random 8-bit RGB colour.

    The colour is a random grey level in [``low``, ``high``], plus noise of standard deviation ``spread`` in each
    channel.
    """
    r, g, b = (rng.uniform(low, high) + rng.normal(0, spread, 3)).clip(3, 252).astype(int)
    return int(r), int(g), int(b)


def _gradient(rng: Rng, a: tuple[int, int, int], b: tuple[int, int, int]) -> Image.Image:
    """Return an image of 96 x 96 pixels with a linear gradient from colour ``a`` to ``b`` in a random direction."""
    y, x = np.mgrid[0:_SMALL, 0:_SMALL] / _SMALL
    angle = rng.uniform(0, 2 * np.pi)
    t = (np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5) + 0.5).clip(0, 1)[..., None]
    return Image.fromarray((np.array(a) * (1 - t) + np.array(b) * t).astype(np.uint8))


def _studio(rng: Rng) -> tuple[Image.Image, float]:
    base = _colour(rng, 10, 245, rng.choice([3, 12, 35]))
    dark = tuple(int(v * rng.uniform(0.45, 1)) for v in base)
    image = _gradient(rng, base, dark)  # type: ignore[arg-type]
    if rng.random() < 0.5:
        y, x = np.mgrid[0:_SMALL, 0:_SMALL] / _SMALL - 0.5
        spot = np.exp(-((x - rng.normal(0, 0.2)) ** 2 + (y - rng.normal(0, 0.2)) ** 2) / 0.15)[..., None]
        lifted = np.asarray(image) * (0.75 + 0.4 * spot)
        image = Image.fromarray(lifted.clip(0, 255).astype(np.uint8))
    return image, 3.0


def _wall(rng: Rng) -> tuple[Image.Image, float]:
    image = _gradient(rng, _colour(rng, 90, 235, 18), _colour(rng, 70, 220, 18))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 4)):
        x, w = rng.integers(0, _SMALL), rng.integers(3, 30)
        draw.rectangle((int(x), 0, int(x + w), _SMALL), fill=_colour(rng, 40, 220, 15))
    return image, float(rng.uniform(1.5, 5))


def _room(rng: Rng) -> tuple[Image.Image, float]:
    image = _gradient(rng, _colour(rng, 40, 190, 14), _colour(rng, 30, 160, 14))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(5, 14)):
        x, y = (int(v) for v in rng.integers(-10, _SMALL, 2))
        w, h = (int(v) for v in rng.integers(5, 42, 2))
        bright = rng.random() < 0.2
        draw.rectangle((x, y, x + w, y + h), fill=_colour(rng, 215, 250, 8) if bright else _colour(rng, 15, 200, 28))
    for _ in range(rng.integers(0, 4)):
        x, y, r = (int(v) for v in rng.integers([0, 0, 2], [_SMALL, 50, 7]))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 240, 205))
    return image, float(rng.uniform(1.6, 4.5))


def _outdoors(rng: Rng) -> tuple[Image.Image, float]:
    sky = _colour(rng, 165, 245, 10)
    image = Image.new("RGB", (_SMALL, _SMALL), (max(sky[0] - 20, 0), sky[1], min(sky[2] + 15, 255)))
    draw = ImageDraw.Draw(image)
    horizon = int(rng.integers(0, 75))
    for _ in range(rng.integers(60, 140)):
        x, y = int(rng.integers(-8, _SMALL + 8)), int(rng.normal(horizon + 35, 28))
        r = int(rng.integers(2, 13))
        if y > horizon - 12:
            g = rng.uniform(30, 170)
            leaf = (int(g * rng.uniform(0.45, 0.95)), int(g), int(g * rng.uniform(0.25, 0.6)))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=leaf)
    for _ in range(rng.integers(0, 6)):
        x, w, top = (int(v) for v in rng.integers([0, 3, 0], [_SMALL, 22, 60]))
        draw.rectangle((x, top, x + w, _SMALL), fill=_colour(rng, 50, 200, 12))
    return image, float(rng.uniform(1.4, 4))


def _night(rng: Rng) -> tuple[Image.Image, float]:
    image = _gradient(rng, _colour(rng, 5, 40, 8), _colour(rng, 5, 55, 14))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(4, 26)):
        x, y, r = (int(v) for v in rng.integers([0, 0, 1], [_SMALL, _SMALL, 8]))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=_colour(rng, 80, 235, 55))
    return image, float(rng.uniform(1, 2.5))


def _press(rng: Rng) -> tuple[Image.Image, float]:
    ground = _colour(rng, 190, 252, 6) if rng.random() < 0.6 else _colour(rng, 8, 120, 45)
    image = Image.new("RGB", (_SMALL * 2, _SMALL * 2), ground)
    draw = ImageDraw.Draw(image)
    inks = [_colour(rng, 5, 235, 70) for _ in range(2)]
    step = int(rng.integers(30, 64))
    for row, y in enumerate(range(-10, _SMALL * 2, step // 2)):
        for column, x in enumerate(range(-20 + (row % 2) * step // 2, _SMALL * 2, step)):
            ink = inks[(row + column) % 2]
            left = x
            for _ in range(rng.integers(3, 7)):  # letters of a made-up sponsor
                w = int(rng.integers(2, 5))
                high = int(rng.integers(5, 8))
                shape = (left, y, left + w, y + high)
                if rng.random() < 0.5:
                    draw.rectangle(shape, outline=ink)
                else:
                    draw.ellipse(shape, outline=ink)
                left += w + 2
    return image, float(rng.uniform(0.6, 2.4))


# Each function draws a small background. It returns the image, and the blur radius in pixels for a width of 96 pixels.
_KINDS = {
    "studio": _studio,
    "wall": _wall,
    "room": _room,
    "outdoors": _outdoors,
    "night": _night,
    "press": _press,
}


def paint(kind: str, seed: int, size: int) -> F32:
    """Render a blurred background.

    Args:
        kind: a key of ``_KINDS``, e.g. ``studio``.
        seed: seed of all random choices.
        size: side of the background in pixels.

    Returns:
        linear RGB (size, size, 3) in [0, 1].
    """
    rng = np.random.default_rng([seed, 4])
    image, blurred = _KINDS[kind](rng)
    scale = image.width / _SMALL
    image = image.filter(ImageFilter.GaussianBlur(blurred * scale)).resize((size, size), Image.Resampling.BICUBIC)
    return f32((np.asarray(image, np.float32) / 255) ** np.float32(2.2))
