"""Any number of tickers, killed at any moment: no occurrence fires twice, and none is missing."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import psutil
import pytest
from django.db.models import Max

from faena.ledger import schedules
from faena.models import Job, Occurrence, Schedule
from tests.support import jobs
from tests.support.processes import die_with_parent
from tests.support.stack import ROOT, Stack
from tests.support.waiting import eventually

TICKERS, KILLS = 5, 12
EVERY = 0.5


@pytest.fixture
def tickers(stack: Stack):
    """Five tickers, each a process of its own, and another for each that dies; a function that kills one."""
    log = (stack.folder / "tickers.log").open("ab")
    nest = subprocess.Popen(
        [sys.executable, "-m", "tests.support.tickers", str(TICKERS)],
        env=stack.env, cwd=ROOT, stdout=log, stderr=log, preexec_fn=die_with_parent,
    )  # fmt: skip
    eventually(lambda: len(psutil.Process(nest.pid).children()) == TICKERS)

    def kill_one() -> None:
        victim = random.choice(psutil.Process(nest.pid).children())
        victim.kill()
        eventually(lambda: not victim.is_running())

    yield kill_one
    nest.kill()
    nest.wait()
    log.close()


def test_five_tickers_with_kills_fire_each_occurrence_exactly_once(stack, tickers):
    made = [
        schedules.save(
            Schedule(
                name=f"often {number}",
                task=jobs.add.name,
                args=[number, 1],
                kind="interval",
                every=EVERY,
                overlap="allow",
                misfire="all",
                catch_up=100,
            )
        )
        for number in range(8)
    ]
    for kill in range(KILLS):
        so_far = Occurrence.objects.count()
        eventually(lambda so_far=so_far: Occurrence.objects.count() > so_far + 10, what=f"they fire, kill {kill}")
        tickers()
    last = Occurrence.objects.aggregate(last=Max("due_at"))["last"]
    eventually(lambda: Schedule.objects.filter(next_due__gt=last + timedelta(seconds=2)).count() == len(made))
    for each in made:
        schedules.set_enabled(each.pk, False)
    jobs_of = Counter(Job.objects.values_list("schedule_id", flat=True))
    for each in made:
        found = list(Occurrence.objects.filter(schedule=each).order_by("due_at"))
        assert {one.outcome for one in found} == {"fired"}
        # None is missing: they are a grid without holes, from the first on.
        assert [one.due_at for one in found] == [
            each.next_due + number * timedelta(seconds=EVERY) for number in range(len(found))
        ]
        # None has fired twice: one job each.
        assert len({one.job_id for one in found}) == len(found) == jobs_of[each.pk]
        assert not Job.objects.filter(schedule_id=each.pk).exclude(pk__in=[one.job_id for one in found]).exists()
