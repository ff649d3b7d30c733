"""Checks that settings are in range, because settings may come from untrusted files."""

from __future__ import annotations


def check_range(settings: object, **ranges: tuple[int, int]) -> None:
    """Check that attributes of ``settings``, integers or tuples of integers, lie within inclusive bounds.

    The callers use upper bounds far above the sizes of the paper's networks. The bounds prevent a corrupt or hostile
    file from requesting terabytes of memory.

    Args:
        settings: the object to check.
        ranges: for each attribute's name, the smallest and largest allowed value.

    Raises:
        ValueError: a value is out of range; the message names the setting.
    """
    for name, (least, most) in ranges.items():
        value = getattr(settings, name)
        for number in value if isinstance(value, tuple) else (value,):
            if not least <= number <= most:
                raise ValueError(f"{name} must be {least} to {most}, not {number}")
