"""The job that acts on many jobs is killed in the middle: each job is acted upon once, and audited once."""

from __future__ import annotations

from collections import Counter

import pytest
from uuid6 import uuid7

from faena import accounting
from faena.celery.many import act_on_many
from faena.ledger import enqueue, sql
from faena.ledger.enqueue import NewJob
from faena.ledger.records import Actor
from faena.models import AuditEntry, Job
from faena.selection import Selection
from tests.support.stack import Stack
from tests.support.waiting import eventually

COUNT = 1500


@pytest.fixture(autouse=True)
def alone(stack: Stack):
    stack.kill_workers()
    yield
    stack.kill_workers()


def test_a_killed_worker_neither_skips_nor_repeats_a_job(stack):
    enqueue.insert([NewJob(id=uuid7(), kind="tests.dead", queue="nobody") for _ in range(COUNT)])
    failed = f'state = \'failed\', finished = {sql.now()}, failure = \'E\', error = \'{{"type": "E", "message": ""}}\''
    sql.execute(f"UPDATE faena_job SET {failed} WHERE kind = 'tests.dead'")
    worker = stack.worker(concurrency=1)
    job_id = act_on_many("discard", Selection(state="failed", kind="tests.dead"), Actor("ana"))
    eventually(lambda: stack.job(job_id).done > 0, every=0.01)
    worker.kill()
    assert 0 < stack.job(job_id).done < COUNT
    stack.worker(concurrency=1)
    job = stack.until(job_id, "completed", timeout=180)
    assert (job.done, job.total, job.skipped, job.crashes) == (COUNT, COUNT, 0, 1)
    assert set(Job.objects.filter(kind="tests.dead").values_list("state", flat=True)) == {"cancelled"}
    acts = Counter(AuditEntry.objects.filter(action="discard", actor="ana").values_list("job_id", flat=True))
    assert (len(acts), set(acts.values())) == (COUNT, {1})
    assert accounting.check().is_balanced
