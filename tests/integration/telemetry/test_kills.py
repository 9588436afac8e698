"""kill -9 in the middle of a load; `python -m tests.faults.telemetry` does it fifty times."""

from __future__ import annotations

from tests.faults.telemetry import storm

KILLS, ROWS = 2, 8_000


def test_a_load_under_fire_leaves_the_same_tables(operator):
    verdict = storm(operator, KILLS, ROWS, seed=7, say=print)
    assert verdict["differing"] == []
    assert verdict["merged"] > ROWS * 0.4
    assert verdict["logins_in_5_min"] <= 20
    assert verdict["sync_hit"] >= 1
