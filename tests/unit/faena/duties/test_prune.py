from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from faena import accounting, conf
from faena.duties import prune
from faena.duties.prune import Pruned, prune_before, prune_once, retention_ends
from faena.ledger import settle, sql
from faena.ledger.hold import retry
from faena.ledger.records import Item, Line, write_items, write_lines
from faena.ledger.settle import Cancelled, Done, Error, Failed, Paused
from faena.models import Job, JobItem, JobLog
from faena.states import ItemState

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def ended(make_job, take):
    def make(outcome, days: float):
        job_id = make_job()
        settle.settle(take(job_id), outcome)
        write_items(job_id, [Item("a", ItemState.DONE, "", None, timezone.now(), None)])
        write_lines(job_id, [Line(timezone.now(), "info", "x", 0)])
        sql.execute(
            f"UPDATE faena_job SET finished = {sql.now(-timedelta(days=days))} WHERE id = %s AND finished IS NOT NULL",
            [sql.key(job_id)],
        )
        return job_id

    return make


def test_each_state_is_kept_for_its_own_time(ended):
    for outcome in (Done(None), Failed(Error("E", "m")), Cancelled("no")):
        ended(outcome, days=40)
        ended(outcome, days=100)
    kept = ended(Done(None), days=29)
    assert prune_once() == Pruned(5)
    assert {job.state for job in Job.objects.all()} == {"completed", "failed"}
    assert JobItem.objects.count() == JobLog.objects.count() == Job.objects.count() == 2
    assert Job.objects.filter(pk=kept).exists()


def test_what_is_not_over_is_never_pruned(make_job, take, ended):
    make_job()
    take(make_job())
    ended(Paused(), days=0)
    sql.execute(f"UPDATE faena_job SET created = {sql.now(-timedelta(days=9999))}")
    assert prune_once() == Pruned(0)
    assert Job.objects.count() == 3


def test_in_batches_until_all_that_is_old_is_gone(ended):
    for _ in range(5):
        ended(Done(None), days=40)
    assert prune_once(batch=2, seconds=60) == Pruned(5)


def test_when_the_time_is_up_it_says_that_there_is_more(ended):
    for _ in range(5):
        ended(Done(None), days=40)
    assert [prune_once(batch=2, seconds=0) for _ in range(4)] == [
        Pruned(2, more=True),
        Pruned(2, more=True),
        Pruned(1, more=True),
        Pruned(0),
    ]


def test_a_job_of_many_parts_goes_piece_by_piece(ended, monkeypatch):
    monkeypatch.setattr(prune, "CHUNK", 2)
    job_id = ended(Done(None), days=40)
    write_items(job_id, [Item(str(n), ItemState.DONE, "", None, timezone.now(), None) for n in range(7)])
    assert prune_once(seconds=0) == Pruned(0, more=True)
    assert (JobItem.objects.count(), Job.objects.count()) == (6, 1)
    assert prune_once(seconds=60) == Pruned(1)
    assert JobItem.objects.count() == JobLog.objects.count() == 0


def test_a_job_that_is_retried_meanwhile_stays_whole(ended, monkeypatch):
    job_id = ended(Failed(Error("E", "m")), days=100)
    oldest = prune._oldest

    def then_retried(*args):
        found = oldest(*args)
        if found:
            retry(job_id)
        return found

    monkeypatch.setattr(prune, "_oldest", then_retried)
    assert prune_once() == Pruned(0)
    assert (Job.objects.get().state, JobItem.objects.count(), JobLog.objects.count()) == ("pending", 1, 1)


def test_what_is_pruned_is_in_the_books(ended):
    for _ in range(3):
        ended(Done(None), days=40)
    ended(Done(None), days=1)
    prune_once()
    books = accounting.check()
    assert (books.accepted, books.pruned, books.present, books.is_balanced) == (4, 3, 1, True)


def test_before_a_moment_of_ones_own(ended):
    ended(Done(None), days=2)
    ended(Done(None), days=4)
    ended(Failed(Error("E", "m")), days=4)
    before = sql.moment(timezone.now() - timedelta(days=3))
    assert prune_before({"completed": before}) == Pruned(1)
    assert set(retention_ends()) == {"completed", "completed_with_errors", "failed", "cancelled"}


@pytest.mark.postgresql
def test_a_row_that_somebody_is_at_is_left_for_the_next_time(ended):
    ended(Done(None), days=40)
    busy = ended(Done(None), days=41)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM faena_job WHERE id = %s FOR UPDATE", [busy])
        assert prune_once(seconds=60).deleted == 1
        cursor.execute("ROLLBACK")
    other.close()
    assert prune_once() == Pruned(1)


def test_retention_is_a_setting(ended, settings):
    settings.FAENA = {"RETENTION": {"completed": timedelta(hours=1)}}
    conf.get.cache_clear()
    ended(Done(None), days=1)
    ended(Failed(Error("E", "m")), days=9999)
    assert prune_once() == Pruned(1)
    assert Job.objects.get().state == "failed"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by what the table holds")
def test_what_is_old_is_found_by_the_index_of_finished_jobs():
    with CaptureQueriesContext(connection) as asked:
        prune._oldest("completed", retention_ends()["completed"], 500)
    statement = asked.captured_queries[-1]["sql"]
    plan = [row[3] for row in sql.rows("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"))]
    assert plan == ["SEARCH faena_job USING INDEX faena_job_finished (state=? AND finished<?)"]
