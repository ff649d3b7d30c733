"""Hairstyles: their parameters (lengths, combing direction, curls), and how often men and women wear them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np


@dataclass(frozen=True)
class HairStyle:
    """The parameters of a hairstyle.

    Lengths are in decimetres (a head is 2 high), other values in [0, 1] unless a comment says otherwise.
    """

    name: str
    top: float  # length on the crown
    side: float  # length at the temples and the nape
    comb: str  # combing direction: side, back, forward, out, tied
    lift: float  # how steeply the hair leaves the scalp at the root
    gravity: float  # how strongly the hair bends down
    volume: float  # distance of the hair from the head, decimetres
    wave: float = 0.0  # amplitude of waves, decimetres
    turns: float = 6.0  # angular frequency of waves: 2 pi times the waves per decimetre of hair
    frizz: float = 0.02  # random displacement of single strands, decimetres
    fringe: float = 0.0  # length of hair over the forehead; 0 for none
    part: float = 0.0  # x of the parting on the canonical head
    sweep: float = 0.0  # sideways direction of short hair, -1 to 1; positive to the person's left
    straight: bool = True  # CelebA's Straight_Hair, otherwise Wavy_Hair
    curtain: float = 0.6  # distance that long hair keeps from the middle of the face, decimetres

    def varied(self, rng: np.random.Generator) -> HairStyle:
        """Return a copy of this style with random variations of length, parting, volume, waves and fringe."""
        longer = rng.uniform(0.82, 1.25)
        part = rng.choice([-1, 1]) * rng.choice([0.03, 0.17, 0.3]) if self.comb == "side" else 0.0
        return replace(
            self,
            top=self.top * longer,
            side=self.side * longer,
            part=float(part),
            sweep=float(rng.choice([-1, 1]) * rng.uniform(0.1, 1)),
            volume=self.volume * rng.uniform(0.75, 1.35),
            wave=self.wave * rng.uniform(0.7, 1.3),
            turns=self.turns * rng.uniform(0.8, 1.25),
            fringe=self.fringe * rng.uniform(0.88, 1.1),
            curtain=self.curtain + rng.normal(0, 0.045),
        )


def _style(name: str, *numbers: float | str, **more: float | bool) -> HairStyle:
    """Return a `HairStyle`. The parameters have wide types, so that the table of styles below can be short.

    ``numbers`` are the values of the fields after ``name``, in their order; ``more`` are further fields with their
    names.
    """
    return HairStyle(name, *numbers, **more)  # type: ignore[arg-type]


STYLES: Final[dict[str, HairStyle]] = {
    style.name: style
    for style in (
        _style("bald", 0, 0, "out", 0, 0, 0),
        _style("buzz", 0.06, 0.05, "out", 0.7, 0, 0.0),
        _style("crop", 0.32, 0.13, "forward", 0.3, 0.05, 0.03, frizz=0.025),
        _style("tousled", 0.55, 0.22, "forward", 0.35, 0.12, 0.08, 0.03, 7, frizz=0.04, fringe=0.24),
        _style("side", 0.6, 0.18, "side", 0.3, 0.06, 0.07, frizz=0.02),
        _style("quiff", 0.48, 0.13, "back", 0.38, 0.08, 0.08, frizz=0.015),
        _style("slick", 0.75, 0.4, "back", 0.12, 0.06, 0.03, frizz=0.015),
        _style("curly_short", 0.42, 0.2, "out", 0.8, 0.15, 0.05, 0.045, 22, frizz=0.03, straight=False),
        _style("shaggy", 1.0, 0.8, "side", 0.3, 0.4, 0.08, 0.03, 5, frizz=0.035, curtain=0.62),
        _style("afro_short", 0.2, 0.16, "out", 0.9, 0, 0.0, 0.025, 30, frizz=0.05, straight=False),
        _style("afro", 0.6, 0.55, "out", 1.0, 0.02, 0.02, 0.04, 26, frizz=0.08, straight=False),
        _style("long", 2.5, 2.3, "side", 0.2, 0.9, 0.05, 0.012, 3, frizz=0.02),
        _style("wavy", 2.4, 2.2, "side", 0.3, 0.85, 0.08, 0.055, 7, frizz=0.03, straight=False),
        _style("curly", 1.9, 1.6, "side", 0.5, 0.65, 0.12, 0.075, 14, frizz=0.05, straight=False),
        _style("bob", 1.35, 1.05, "side", 0.3, 0.85, 0.08, 0.012, 3, frizz=0.02),
        _style("bangs", 2.4, 2.2, "side", 0.2, 0.9, 0.06, 0.012, 3, frizz=0.018, fringe=0.52),
        _style("bangs_bob", 1.3, 1.05, "side", 0.25, 0.85, 0.08, 0.012, 3, frizz=0.018, fringe=0.5),
        _style("swept", 1.9, 1.8, "side", 0.3, 0.8, 0.08, 0.03, 5, frizz=0.02, curtain=0.5),
        _style("pixie", 0.55, 0.3, "forward", 0.35, 0.15, 0.05, frizz=0.03, fringe=0.38),
        _style("updo", 1.0, 1.0, "tied", 0.1, 0, 0.03, frizz=0.012),
        _style("ponytail", 1.0, 1.0, "tied", 0.1, 0, 0.03, frizz=0.012),
    )
}
# How often men and women wear each style, as relative frequencies.
MEN: Final[dict[str, float]] = {
    "crop": 3,
    "side": 3,
    "tousled": 2,
    "quiff": 1.3,
    "slick": 1,
    "buzz": 1.4,
    "bald": 0.8,
    "curly_short": 1.2,
    "shaggy": 0.9,
    "wavy": 0.3,
}
WOMEN: Final[dict[str, float]] = {
    "long": 3,
    "wavy": 3.5,
    "curly": 1.2,
    "bob": 1.3,
    "bangs": 1.6,
    "bangs_bob": 0.7,
    "swept": 1.5,
    "pixie": 0.5,
    "updo": 1.5,
    "ponytail": 1.2,
    "slick": 0.3,
}
