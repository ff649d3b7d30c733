"""Samples random facial expressions: weights of blend shapes of the head model, e.g. of ``jawOpen``."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from maskgan_cli.synth.parameters import Weights

T = TypeVar("T")


def pick(rng: np.random.Generator, options: dict[T, float]) -> T:
    """Return a random key of ``options``; the probability of a key is proportional to the key's value."""
    keys = list(options)
    total = np.cumsum([options[k] for k in keys])
    return keys[int(np.searchsorted(total, rng.random() * total[-1], side="right").clip(0, len(keys) - 1))]


def sample_expression(rng: np.random.Generator) -> tuple[Weights, bool, bool]:
    """Sample a facial expression.

    Returns:
        (name, weight) of each blend shape of the head model that the expression uses, whether the face smiles, and
        whether the mouth is open.
    """
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
        units[pick(rng, {"mouthPucker": 1, "mouthShrugLower": 1, "mouthRollLower": 0.6, "mouthShrugUpper": 0.5})] = (
            rng.uniform(0, 0.35)
        )
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
