"""Make ``library.npz``: example faces, masks of accessories, and pairs of masks that differ in one property.

    python recipes/make_library.py [maskgan_cli/assets/library.npz]

The file depends only on the renderer. The script needs no network and takes half a minute on one core.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from maskgan_cli.data.alignment import points_of_mask
from maskgan_cli.files import write_bytes
from maskgan_cli.labels import LabelMap
from maskgan_cli.synth import render, sample_identity, sample_scene
from maskgan_cli.synth.hairstyles import STYLES
from maskgan_cli.synth.parameters import Earring, Glasses, Hat, Identity, Scene, Weights

_SEED: Final = 14
_SIDE, _SMALL, _WIDE = 256, 128, 384
_PEOPLE: Final = 16  # pairs per direction
_EXAMPLES: Final = (3, 6, 11, 17)


def _face(number: int, *, yaw: float = 0.0) -> tuple[Identity, Scene]:
    """Return a person who looks at the camera, with a neutral expression and without accessories."""
    person = sample_identity(_SEED, number)
    scene = sample_scene(_SEED, number, person)
    neutral = replace(
        scene,
        yaw=yaw,
        pitch=0.0,
        roll=0.0,
        lean=0.0,
        hat=None,
        glasses=None,
        earring=None,
        necklace="none",
        expression=(),
        smiling=False,
        mouth_open=False,
    )
    return person, neutral


def _units(**amounts: float) -> Weights:
    """Return face units with their amounts."""
    return tuple((f"unit/{name}", value) for name, value in amounts.items())


_SMILE: Final = _units(
    mouthSmileLeft=0.9,
    mouthSmileRight=0.9,
    cheekSquintLeft=0.4,
    cheekSquintRight=0.4,
    mouthUpperUpLeft=0.35,
    mouthUpperUpRight=0.35,
    jawOpen=0.06,
)
_OPEN: Final = _units(
    jawOpen=0.45, mouthLowerDownLeft=0.4, mouthLowerDownRight=0.4, mouthUpperUpLeft=0.2, mouthUpperUpRight=0.2
)
_BROWS: Final = _units(browInnerUp=0.8, browOuterUpLeft=0.8, browOuterUpRight=0.8)


Change = Callable[[Identity, Scene], tuple[Identity, Scene]]


def _unchanged(person: Identity, scene: Scene) -> tuple[Identity, Scene]:
    return person, scene


def _scene(**values: Any) -> Change:
    return lambda person, scene: (person, replace(scene, **values))


def _hair(length: float) -> Change:
    return _scene(style=replace(STYLES["bob"], top=length + 0.2, side=length))


def _shape(**amounts: float) -> Change:
    """Change blend shapes of the head by name."""
    more = tuple((f"local/{name.replace('_', '-')}", value) for name, value in amounts.items())
    return lambda person, scene: (replace(person, shape=(*person.shape, *more)), scene)


PAIRS: Final[dict[str, tuple[Change, Change]]] = {
    "smile": (_unchanged, _scene(expression=_SMILE, smiling=True, mouth_open=True)),
    "open-mouth": (_unchanged, _scene(expression=_OPEN, mouth_open=True)),
    "raise-brows": (_unchanged, _scene(expression=_BROWS)),
    "hair-length": (_hair(0.9), _hair(2.4)),
    "face-width": (
        _shape(head_scale_horiz_decr=0.5, chin_width_decr=0.4, head_fat_decr=0.3),
        _shape(head_scale_horiz_incr=0.5, chin_width_incr=0.4, head_fat_incr=0.4),
    ),
    "nose-width": (
        _shape(nose_scale_horiz_decr=0.8, nose_width3_decr=0.6),
        _shape(nose_scale_horiz_incr=1.0, nose_width3_incr=0.8),
    ),
}

_BLACK, _GOLD = (0.02, 0.02, 0.02), (0.8, 0.6, 0.2)


def _glasses(width: float, height: float, exponent: float, dark: float) -> Glasses:
    return Glasses(width, height, exponent, 0.035, _BLACK, dark, _BLACK, 0.0)


ACCESSORIES: Final[dict[str, dict[str, Any]]] = {
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


def _wearing(items: dict[str, Any]) -> LabelMap:
    """Return the mask of a face with pinned-up hair and accessories; the picture is wide enough for hats."""
    person, scene = _face(21)
    clothes = replace(scene.clothes, kind="wide", raised=0.0)
    return render(person, replace(scene, style=STYLES["updo"], clothes=clothes, zoom=1.5, **items), _WIDE).labels


def main(out: Path) -> None:
    """Render all faces and masks and write the file."""
    found: dict[str, Any] = {}
    for name, (before, after) in PAIRS.items():
        pairs = []
        for number in range(_PEOPLE):
            person, scene = _face(100 + number, yaw=float(np.linspace(-12, 12, _PEOPLE)[number]))
            pairs.append([render(*change(person, scene), _SMALL).labels for change in (before, after)])
        found[f"direction-{name}"] = np.array(pairs, np.uint8)
    found["items-points"] = points_of_mask(_wearing({}))  # of the face without accessories, which could hide points
    for name, items in ACCESSORIES.items():
        found[f"item-{name}"] = _wearing(items)
    for index, number in enumerate(_EXAMPLES):
        person = sample_identity(_SEED, number)
        scene = replace(sample_scene(_SEED, number, person), yaw=6.0 * (-1) ** index, pitch=0.0, hat=None, glasses=None)
        rendered = render(person, scene, _SIDE)
        found[f"example-{index}-picture"], found[f"example-{index}-labels"] = rendered.picture, rendered.labels
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found)
    write_bytes(out, buffer.getvalue())


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "maskgan_cli" / "assets" / "library.npz"
    main(Path(sys.argv[1]) if sys.argv[1:] else default)
