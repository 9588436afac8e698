"""A short storm; `make faults` is the long one, and measures how soon work goes on."""

from __future__ import annotations

import time

from tests.faults.weather import Storm
from tests.support.breakable import Breakable

KILLS, SECONDS = 10, 60


def test_a_short_storm(breakable: Breakable):
    seed = time.time_ns()
    print(f"seed {seed}")
    storm = Storm.over(breakable, seed, workers=2, level=8)
    storm.blow(KILLS, time.monotonic() + SECONDS)
    verdict = storm.calm()
    assert verdict.problems == []
    assert verdict.is_good
    assert storm.harm.kills > 0
