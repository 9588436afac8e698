"""Heat: how much of the most a value is, in a few levels that the eye can tell apart."""

from math import ceil

#: Levels besides 0, which is for nothing at all.
LEVELS = 6


def level(value: float, most: float) -> int:
    """A value's level: 0 for nothing, ``LEVELS`` for the most."""
    return min(LEVELS, ceil(LEVELS * value / most)) if value > 0 and most > 0 else 0
