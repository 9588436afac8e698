from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from faena.duties.relay import relay_once
from faena.errors import ConfigurationError
from faena.ledger import limits, settle, sql
from faena.ledger.claim import claim
from faena.ledger.limits import Rate
from faena.ledger.settle import Done
from faena.models import Job, Permit
from tests.support import inline
from tests.unit.faena.ledger.test_claim import ME, in_threads

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("60/m", "60/60s"), ("20/5m", "20/300s"), ("10/s", "10/1s"), ("100 / h", "100/3600s"), ("1/d", "1/86400s"),
     ("20/300s", "20/300s")],
)  # fmt: skip
def test_a_rate_has_one_text(text, canonical):
    assert str(Rate.parse(text)) == canonical
    assert str(Rate.parse(canonical)) == canonical


@pytest.mark.parametrize("text", ["", "60", "m", "60/", "60/x", "0/m", "5/0m", "-1/m", "1.5/s", "60/m/m"])
def test_a_rate_written_wrong_says_how_to_write_it(text):
    with pytest.raises(ConfigurationError, match="'60/m' or '20/5m'"):
        Rate.parse(text)


def test_a_rate_too_big_to_count_says_to_shorten_the_period():
    with pytest.raises(ConfigurationError, match="shorter period"):
        Rate.parse("1001/h")
    assert Rate.parse("1000/h").count == 1000


def test_a_window_longer_than_permits_are_kept_is_refused():
    with pytest.raises(ConfigurationError, match="31 days"):
        Rate.parse("1/32d")
    assert Rate.parse(str(Rate.parse("1/31d"))).seconds == 31 * 86400


def test_a_shorter_rate_on_the_same_key_leaves_the_permits_of_a_longer_one(make_job, take):
    limits.acquire("k", "1/h", timeout=0)
    let_pass(300)
    take(make_job(limit_key="k", rate="10/60s"), limited=True)
    assert limits.take("k", "2/h") > 0


def test_permits_that_no_rate_can_count_are_forgotten(monkeypatch):
    monkeypatch.setattr(limits, "MOST", 3)
    for _ in range(6):
        let_pass(1)
        limits.acquire("k", "3/s")
    assert Permit.objects.count() == 4  # the last three before it, and the new one
    let_pass(31 * 86400 + 1)
    limits.acquire("other", "1/h")
    assert limits.forget_once() == 4
    assert Permit.objects.get().key == "other"


def let_pass(seconds: int) -> None:
    """Let that time pass for the permits."""
    for permit in Permit.objects.all():
        Permit.objects.filter(pk=permit.pk).update(taken=permit.taken - timedelta(seconds=seconds))


def test_no_more_start_than_the_rate_allows_until_the_window_has_passed(make_job, take):
    ids = [make_job(limit_key="k", rate="2/60s") for _ in range(4)]
    for job_id in ids[:2]:
        settle.settle(take(job_id, limited=True), Done(None))
    assert claim(ids[2], 0, **ME, limited=True) is None
    let_pass(59)
    assert claim(ids[2], 0, **ME, limited=True) is None
    let_pass(2)
    take(ids[2], limited=True)
    take(ids[3], limited=True)


def test_a_job_that_starts_again_takes_another_permit(make_job, take):
    job_id = make_job(limit_key="k", rate="2/60s")
    settle.crash(job_id, take(job_id, limited=True).fence, "died")
    take(job_id, limited=True)
    assert claim(make_job(limit_key="k", rate="2/60s"), 0, **ME, limited=True) is None


def test_limit_and_rate_both_hold(make_job, take):
    ids = [make_job(limit_key="k", limit=1, rate="2/60s") for _ in range(3)]
    first = take(ids[0], limited=True)
    assert claim(ids[1], 0, **ME, limited=True) is None
    settle.settle(first, Done(None))
    settle.settle(take(ids[1], limited=True), Done(None))
    assert claim(ids[2], 0, **ME, limited=True) is None


def test_a_rate_holds_under_contention(make_job):
    for _ in range(3):
        Job.objects.all().delete()
        Permit.objects.all().delete()
        ids = [make_job(limit_key="k", rate="3/60s") for _ in range(8)]
        in_threads(8, lambda n, ids=ids: claim(ids[n], 0, worker=f"w{n}", holder=f"h|{n}|1", limited=True))
        for _ in range(8):  # those that were refused for an older one that had not come yet
            for job_id in ids:
                claim(job_id, 0, **ME, limited=True)
        assert Job.objects.filter(state="running").count() == Permit.objects.count() == 3


def test_the_relay_sends_as_many_as_there_are_permits_by_priority(make_job, take):
    take(make_job(limit_key="k", rate="3/60s"), limited=True)
    low = [make_job(limit_key="k", rate="3/60s") for _ in range(3)]
    high = make_job(limit_key="k", rate="3/60s", priority=9)
    other = make_job(limit_key="l", rate="1/1s")
    sql.execute("UPDATE faena_job SET dispatched = NULL")
    assert relay_once().sent == 3
    assert set(inline.ids(inline.sent())) == {str(high), str(low[0]), str(other)}
    assert relay_once().sent == 0


def test_jobs_of_one_key_start_in_their_order_whatever_order_their_messages_come_in(make_job, take):
    first, second = (make_job(limit_key="k", limit=1) for _ in range(2))
    urgent = make_job(limit_key="k", limit=1, priority=5)
    started = []
    while len(started) < 3:
        for job_id in (second, first, urgent):  # the messages in a wrong order, again and again
            if hold := claim(job_id, 0, **ME, limited=True):
                started.append(job_id)
                settle.settle(hold, Done(None))
    assert started == [urgent, first, second]


def test_what_waits_in_another_queue_or_for_its_time_keeps_nobody_waiting(make_job, take):
    make_job(limit_key="k", limit=1, queue="nobody-listens")
    later = make_job(limit_key="k", limit=1)
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now(timedelta(hours=1))} WHERE id = %s", [sql.key(later)])
    take(make_job(limit_key="k", limit=1), limited=True)


def test_with_places_for_all_the_order_of_the_messages_does_not_matter(make_job, take):
    ids = [make_job(limit_key="k", limit=3) for _ in range(4)]
    assert claim(ids[3], 0, **ME, limited=True) is None
    for job_id in reversed(ids[:3]):
        take(job_id, limited=True)


# --- permits for clients -----------------------------------------------------------------------


def test_a_permit_is_there_at_once_or_waited_for():
    for _ in range(2):
        limits.acquire("login", "2/s")
    with pytest.raises(TimeoutError, match=r"login.*2/h"):
        limits.acquire("login", "2/h", timeout=0.01)
    limits.acquire("login", "2/s")
    limits.acquire("another", "2/h", timeout=0)


def test_permits_hold_under_contention():
    def ask(_: int) -> bool:
        try:
            limits.acquire("login", "5/h", timeout=0)
        except TimeoutError:
            return False
        return True

    assert sum(in_threads(8, ask)) == 5
    assert Permit.objects.count() == 5


def test_who_waits_gets_the_next_one():
    limits.acquire("login", "1/s")
    done = threading.Event()

    def wait() -> None:
        limits.acquire("login", "1/s", timeout=30)
        done.set()
        connection.close()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert done.wait(30)
    waiting.join()
    first, second = sorted(Permit.objects.values_list("taken", flat=True))
    assert second - first >= timedelta(seconds=1)


def test_inside_a_transaction_nobody_may_wait_for_a_permit():
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        limits.acquire("login", "1/s")
