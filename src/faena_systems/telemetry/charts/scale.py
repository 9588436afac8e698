"""An axis: from a round number to a round number, in round steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from math import ceil

#: What steps may be, times a power of ten.
ROUND = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis from ``low``, which is 0 or less, to ``high``."""

    low: int
    high: int
    step: int

    @classmethod
    def covering(cls, values: Iterable[float], intervals: int = 4) -> Scale:
        """The axis on which all the values and 0 find a place, in at most ``intervals`` steps (one more below 0)."""
        those = [0.0, *values]
        low, high = min(those), max(those)
        step = next(each for each in _round_numbers() if each * intervals >= high - low)
        return cls(-ceil(-low / step) * step, max(ceil(high / step) * step, step), step)

    @property
    def ticks(self) -> list[int]:
        """The numbers beside the axis, from the top down, at equal distances."""
        return list(range(self.high, self.low - 1, -self.step))

    @property
    def lines(self) -> list[float]:
        """Where the ticks are, in percent from the top."""
        return [self.at(tick) for tick in self.ticks]

    @property
    def zero(self) -> float:
        """Where 0 is, in percent from the top."""
        return self.at(0)

    def at(self, value: float) -> float:
        """Where a value is, in percent from the top."""
        return round(100 * (self.high - value) / (self.high - self.low), 3)


def _round_numbers() -> Iterable[int]:
    for power in count():
        yield from (each * 10**power for each in ROUND)
