"""The 19 classes of CelebAMask-HQ: ids, names, colours, groups and mirroring.

A *label map* is a ``uint8`` array of shape (H, W) with ids 0 to 18. ``l_*`` is the person's own left, which is on the
right-hand side of the picture.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

LabelMap = npt.NDArray[np.uint8]
Region = npt.NDArray[np.bool_]  # (H, W), true inside

# Classes in painting order: a later part covers an earlier one. The index is the class id.
CLASSES: Final[tuple[str, ...]] = (
    "background",
    "skin",
    "nose",
    "eye_g",
    "l_eye",
    "r_eye",
    "l_brow",
    "r_brow",
    "l_ear",
    "r_ear",
    "mouth",
    "u_lip",
    "l_lip",
    "hair",
    "hat",
    "ear_r",
    "neck_l",
    "neck",
    "cloth",
)
NUM_CLASSES: Final = len(CLASSES)
PARTS: Final = CLASSES[1:]
ID: Final[dict[str, int]] = {name: i for i, name in enumerate(CLASSES)}

# Class order (which class each id stands for) of most stand-alone face parsers (BiSeNet and its derivatives).
PARSER_ORDER: Final[tuple[str, ...]] = (
    "background",
    "skin",
    "l_brow",
    "r_brow",
    "l_eye",
    "r_eye",
    "eye_g",
    "l_ear",
    "r_ear",
    "ear_r",
    "nose",
    "mouth",
    "u_lip",
    "l_lip",
    "neck",
    "neck_l",
    "cloth",
    "hair",
    "hat",
)
ORDERS: Final[dict[str, tuple[str, ...]]] = {"celebamask": CLASSES, "parser": PARSER_ORDER}

_COLOURS: Final = (
    "000000 cc0000 4c9900 cccc00 3333ff cc00cc 00ffff 33ffff 663300 ff0000 "
    "66cc00 ffff00 000099 0000cc ff3399 00cccc 003300 ff9933 00cc00"
)
PALETTE: Final[npt.NDArray[np.uint8]] = np.array(
    [list(bytes.fromhex(colour)) for colour in _COLOURS.split()], dtype=np.uint8
)

# Groups of classes in user input; a class name by itself is a group of one.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "mouth": ("mouth", "u_lip", "l_lip"),
    "inner_mouth": ("mouth",),
    "lips": ("u_lip", "l_lip"),
    "eyes": ("l_eye", "r_eye"),
    "brows": ("l_brow", "r_brow"),
    "ears": ("l_ear", "r_ear"),
    "glasses": ("eye_g",),
    "earring": ("ear_r",),
    "necklace": ("neck_l",),
    "face": ("nose", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip"),
}

_MIRROR_PAIRS: Final = (("l_eye", "r_eye"), ("l_brow", "r_brow"), ("l_ear", "r_ear"))


def _lookup(pairs: dict[int, int]) -> LabelMap:
    """Return a table (256,) that maps class ids to new ids; ids that are not in ``pairs`` do not change."""
    table = np.arange(256, dtype=np.uint8)
    for old, new in pairs.items():
        table[old] = new
    return table


# Class ids after mirroring: 4<->5, 6<->7, 8<->9; the others do not change.
FLIP_IDS: Final[LabelMap] = _lookup({ID[a]: ID[b] for pair in _MIRROR_PAIRS for a, b in (pair, pair[::-1])})


def flip(labels: LabelMap) -> LabelMap:
    """Return label maps (..., H, W) mirrored horizontally, with the ids of left and right parts exchanged."""
    return FLIP_IDS[labels[..., ::-1]]


def convert(labels: LabelMap, source: str, target: str = "celebamask") -> LabelMap:
    """Return label maps converted from one class order to another; the class order says which class each id stands for.

    Args:
        labels: ids 0 to 18, of any shape.
        source, target: class orders of ``labels`` and of the result, keys of ``ORDERS`` (``celebamask`` or ``parser``).
    """
    return _lookup({ORDERS[source].index(n): ORDERS[target].index(n) for n in CLASSES})[labels]


def part_ids(parts: str) -> tuple[int, ...]:
    """Return the sorted class ids of a comma-separated list of classes and groups, e.g. ``"hair,eyes"`` -> (4, 5, 13).

    ``mouth`` means the whole mouth (inner mouth and both lips), as in the paper's swap.

    Raises:
        ValueError: a name is unknown, or there is no name.
    """
    ids: set[int] = set()
    for name in filter(None, (word.strip() for word in parts.split(","))):
        if name not in GROUPS and name not in PARTS:
            raise ValueError(f"unknown part {name!r}; parts are {', '.join(PARTS)}; groups are {', '.join(GROUPS)}")
        ids.update(ID[member] for member in GROUPS.get(name, (name,)))
    if not ids:
        raise ValueError(f"no part named; parts are {', '.join(PARTS)}")
    return tuple(sorted(ids))


def colourise(labels: LabelMap) -> npt.NDArray[np.uint8]:
    """Return an RGB picture (H, W, 3) of a label map (H, W), with the class colours of `PALETTE`."""
    return PALETTE[labels]
