"""When made records happen: more in the evening, more on weekends, now and then a day out of line."""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import date, timedelta
from itertools import accumulate

#: How much happens in each hour of a day.
HOURS = (4, 3, 2, 1, 1, 1, 2, 3, 4, 4, 5, 5, 6, 6, 5, 5, 5, 6, 8, 10, 12, 12, 9, 6)
#: Monday to Sunday.
WEEKDAYS = (1.0, 0.95, 0.95, 1.0, 1.15, 1.3, 1.25)
STEPS = 4096
#: Seconds between two records that arrive after the made ones: 98 of them are a quiet night of five hours.
QUIET = 180


class Moments:
    """Spreads ``rows`` records, in order, over the days from ``first`` to ``last``."""

    def __init__(self, rows: int, first: date, last: date, seed: int) -> None:
        self.rows = rows
        chance = random.Random(seed)  # noqa: S311 - the same for the same seed
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        weights = [WEEKDAYS[day.weekday()] * chance.uniform(0.9, 1.1) for day in days]
        for number in range(40, len(weights), 97):
            weights[number] *= chance.choice((0.1, 2.5))
        self._starts = [int(rows * part / sum(weights)) for part in accumulate(weights, initial=0)]
        self._days = [day.isoformat() for day in days]
        self._after = last + timedelta(days=1)
        self._times = [clock(_second(step / STEPS)) for step in range(STEPS)]

    def at(self, index: int) -> str:
        """Return the time of a record as PanAccess writes it."""
        if index >= self.rows:
            days, second = divmod((index - self.rows) * QUIET, 86400)
            return f"{self._after + timedelta(days=days)} {clock(second)}"
        day = min(bisect_right(self._starts, index), len(self._days)) - 1
        start, end = self._starts[day], self._starts[day + 1]
        return f"{self._days[day]} {self._times[(index - start) * STEPS // max(1, end - start) % STEPS]}"


def _second(share: float) -> int:
    """Return the second of the day by which that share of a day's records has happened."""
    wanted = share * sum(HOURS)
    for hour, weight in enumerate(HOURS):
        if wanted < weight:
            return int((hour + wanted / weight) * 3600)
        wanted -= weight
    return 86399


def clock(second: int) -> str:
    """Write a second of the day as ``HH:MM:SS``."""
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
