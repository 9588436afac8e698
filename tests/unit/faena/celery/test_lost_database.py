from __future__ import annotations

import pytest
from django.db import connection

from faena.models import Job
from tests.support import inline, jobs

pytestmark = [pytest.mark.usefixtures("ledger"), pytest.mark.postgresql]


@pytest.mark.parametrize("task", [jobs.loses_database, jobs.loses_database_and_may_retry])
def test_a_job_that_loses_the_database_goes_on_at_its_place_and_spends_no_attempt(task):
    sent = task.delay(9, 3)
    inline.drain()
    inline.make_due()
    job = Job.objects.get(pk=sent.id)
    assert (job.state, job.crashes, job.cursor) == ("pending", 1, {"loops": {"1": 3}})
    inline.drain()
    job = Job.objects.get(pk=sent.id)
    assert (job.state, job.done, job.attempt) == ("completed", 9, 0)
    assert connection.is_usable()
