"""How ``editor.npz`` was made: example faces, things to wear, and pairs of masks that differ in one thing.

    python -m maskgan_cli.editor.fill_library

A pure function of the rendered faces; needs no network and takes some minutes on one core.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskgan_cli.files import write_bytes
from maskgan_cli.labels import ID, LabelMap
from maskgan_cli.synth import render, sample_identity, sample_scene
from maskgan_cli.synth.hairstyles import STYLES
from maskgan_cli.synth.parameters import Earring, Glasses, Hat, Identity, Scene, Weights

_SEED: Final = 14
_SIDE, _SMALL = 256, 128
_PEOPLE: Final = 16  # per direction
_EXAMPLES: Final = (3, 6, 11, 17)


def _face(number: int, *, yaw: float = 0.0) -> tuple[Identity, Scene]:
    """A person who looks at the camera, with nothing on."""
    person = sample_identity(_SEED, number)
    scene = sample_scene(_SEED, number, person)
    plain = replace(scene, yaw=yaw, pitch=0.0, roll=0.0, lean=0.0, hat=None, glasses=None, earring=None,
                    necklace="none", expression=(), smiling=False, mouth_open=False)  # fmt: skip
    return person, plain


def _units(**amounts: float) -> Weights:
    """Face units by name; a name without a side is both sides'."""
    return tuple((f"unit/{name}", value) for name, value in amounts.items())


_SMILE: Final = _units(mouthSmileLeft=0.9, mouthSmileRight=0.9, cheekSquintLeft=0.4, cheekSquintRight=0.4,
                       mouthUpperUpLeft=0.35, mouthUpperUpRight=0.35, jawOpen=0.06)  # fmt: skip
_OPEN: Final = _units(jawOpen=0.45, mouthLowerDownLeft=0.4, mouthLowerDownRight=0.4, mouthUpperUpLeft=0.2,
                      mouthUpperUpRight=0.2)  # fmt: skip
_BROWS: Final = _units(browInnerUp=0.8, browOuterUpLeft=0.8, browOuterUpRight=0.8)


def _hair(length: float) -> Callable[[Scene], Scene]:
    style = replace(STYLES["bob"], top=length + 0.2, side=length)
    return lambda scene: replace(scene, style=style)


DIRECTIONS: Final[dict[str, tuple[Callable[[Scene], Scene], Callable[[Scene], Scene]]]] = {
    "smile": (lambda s: s, lambda s: replace(s, expression=_SMILE, smiling=True, mouth_open=True)),
    "mouth": (lambda s: s, lambda s: replace(s, expression=_OPEN, mouth_open=True)),
    "brows": (lambda s: s, lambda s: replace(s, expression=_BROWS)),
    "hair": (_hair(0.9), _hair(2.4)),
}

_BLACK, _GOLD = (0.02, 0.02, 0.02), (0.8, 0.6, 0.2)


def _glasses(width: float, height: float, exponent: float, dark: float) -> Glasses:
    return Glasses(width, height, exponent, 0.035, _BLACK, dark, _BLACK, 0.0)


ITEMS: Final[dict[str, dict[str, Any]]] = {
    "glasses-round": {"glasses": _glasses(0.27, 0.25, 2.2, 0.0)},
    "glasses-square": {"glasses": _glasses(0.3, 0.2, 4.5, 0.0)},
    "glasses-sun": {"glasses": _glasses(0.31, 0.24, 3.0, 0.95)},
    "hat-beanie": {"hat": Hat("beanie", _BLACK, _BLACK, 0.05, 1.0)},
    "hat-fedora": {"hat": Hat("fedora", _BLACK, _GOLD, 0.08, 1.0)},
    "hat-sun": {"hat": Hat("sunhat", _GOLD, _BLACK, 0.08, 1.2)},
    "earrings-hoop": {"earring": Earring("hoop", 1.5, _GOLD)},
    "earrings-drop": {"earring": Earring("drop", 1.6, _GOLD)},
    "necklace-pearls": {"necklace": "pearls"},
}


def _wearing(things: dict[str, Any]) -> LabelMap:
    """A face with its hair out of the way that wears something."""
    person, scene = _face(21)
    clothes = replace(scene.clothes, kind="wide", raised=0.0)
    return render(person, replace(scene, style=STYLES["updo"], clothes=clothes, **things), _SIDE).labels


def main() -> None:
    """Render everything and write the file."""
    found: dict[str, Any] = {}
    for name, (before, after) in DIRECTIONS.items():
        pairs = []
        for number in range(_PEOPLE):
            person, scene = _face(100 + number, yaw=float(np.linspace(-12, 12, _PEOPLE)[number]))
            pairs.append([render(person, change(scene), _SMALL).labels for change in (before, after)])
        found[f"direction-{name}"] = np.array(pairs, np.uint8)
    for name, things in ITEMS.items():
        found[f"item-{name}"] = _wearing(things)
    for place, number in enumerate(_EXAMPLES):
        person = sample_identity(_SEED, number)
        scene = replace(sample_scene(_SEED, number, person), yaw=6.0 * (-1) ** place, pitch=0.0, hat=None, glasses=None)
        drawn = render(person, scene, _SIDE)
        found[f"example-{place}-picture"], found[f"example-{place}-labels"] = drawn.picture, drawn.labels
    assert all((found[f"item-{name}"] == ID[_CLASS[name.split("-")[0]]]).any() for name in ITEMS)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found)
    write_bytes(Path(__file__).parents[1] / "assets" / "editor.npz", buffer.getvalue())


_CLASS: Final = {"glasses": "eye_g", "hat": "hat", "earrings": "ear_r", "necklace": "neck_l"}

if __name__ == "__main__":
    main()
