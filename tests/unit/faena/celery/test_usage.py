from __future__ import annotations

import os

from faena.celery.usage import Usage


def test_processes_are_added_up_and_ended_ones_are_nothing():
    usage = Usage()
    usage.look([os.getpid()])
    _, own = usage.look([os.getpid()])
    cpu, memory = usage.look([os.getpid(), 2**22 + 5])
    assert own > 1_000_000
    assert abs(memory - own) < own / 2
    assert cpu >= 0
    assert usage.look([]) == (0.0, 0)
