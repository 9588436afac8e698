"""The process dies between two statements of the settlement that begins a chain's next step: each step runs, once."""

from __future__ import annotations

from celery import chain

from faena.models import Job, JobLog
from tests.support import storm_jobs as jobs
from tests.support.breakable import Breakable

#: The lines of the ledger, counted from the end of the body, before which a process dies.
LINES = range(1, 130, 16)


def test_a_kill_between_two_steps_neither_loses_nor_doubles_one(breakable: Breakable):
    breakable.worker(concurrency=2)
    breakable.worker(concurrency=2)
    chains = [
        chain(jobs.dying_link.s(0, line), jobs.dying_link.s(0), jobs.dying_link.s(0)).apply_async() for line in LINES
    ]
    steps = [step.id for last in chains for step in (last, last.parent, last.parent.parent)]
    breakable.until_each(steps, "completed", timeout=120)
    assert [breakable.job(last.id).result for last in chains] == [3] * len(chains)
    effects = JobLog.objects.filter(job_id__in=steps, level="effect")
    assert sorted(str(each.job_id) for each in effects) == sorted(steps)
    crashes = list(Job.objects.filter(pk__in=steps).values_list("crashes", flat=True))
    assert sum(crashes) >= len(LINES) // 2, "too few of the chosen lines were ever reached"
