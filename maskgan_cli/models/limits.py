"""Bounds of settings: files that anyone may have written bring them."""

from __future__ import annotations


def check_range(settings: object, **ranges: tuple[int, int]) -> None:
    """Insist that whole numbers, and those in tuples of them, lie within their bounds, ends included.

    The upper ones are far above the paper's networks; they keep a damaged or hostile file from asking for terabytes.

    Raises:
        ValueError: naming the first that does not.
    """
    for name, (least, most) in ranges.items():
        value = getattr(settings, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not least <= number <= most:
                raise ValueError(f"{name} is {least} to {most}, not {number}")
