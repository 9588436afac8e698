"""Each reason is told in the situation that it names, and no longer when the situation is over."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone, translation

from faena import explain as explaining
from faena.duties.keeper import POST
from faena.duties.relay import relay_once
from faena.explain import Reason, explain
from faena.ledger import hold, leases, queues, settle, sql, workers
from faena.ledger.claim import extend
from faena.ledger.enqueue import NOT_YET
from faena.ledger.records import Actor
from faena.ledger.settle import Cancelled, Done, Error, Failed, Paused
from faena.ledger.workers import Standing
from faena.models import Job, Permit
from tests.support import inline, jobs
from tests.support.pointing import use_broker

pytestmark = pytest.mark.usefixtures("ledger")
ANA = Actor("ana")


@pytest.fixture(autouse=True)
def fresh_answers():
    explaining._answers.clear()
    yield
    explaining._answers.clear()


@pytest.fixture
def worker():
    """A worker that is at work now."""

    def beat(name="w1", slots=2, pool="prefork", listens=("celery",)):
        workers.beat(Standing(name, leases.me(), "here", 1, pool, slots, listens))
        leases.take(POST, timedelta(minutes=1))
        return name

    return beat


def why(job_id) -> tuple[str | None, str]:
    told = explain(Job.objects.get(pk=str(job_id)))
    return (told.code, told.sentence) if told else (None, "")


def code(job_id) -> str | None:
    return why(job_id)[0]


# --- waiting -----------------------------------------------------------------------------------


def test_a_paused_queue(make_job, worker):
    worker()
    job_id = make_job()
    queues.pause("celery", ANA)
    said = why(job_id)
    assert said[0] == Reason.QUEUE_PAUSED
    assert said[1].startswith("The queue celery is paused, by ana since ")
    assert explain(Job.objects.get(pk=job_id)).hint == "Resume the queue: faena queues resume celery"
    queues.resume("celery", ANA)
    assert code(job_id) == Reason.ON_ITS_WAY


def test_waiting_for_other_jobs(make_job, worker):
    worker()
    waits = make_job(run_at=NOT_YET)
    part = make_job(root_id=waits, title="A part")
    told = explain(Job.objects.get(pk=waits))
    assert told.code == Reason.WAITS_FOR_JOBS
    assert told.sentence.startswith("It waits until other jobs have ended")
    assert [(each.id, each.title) for each in told.jobs] == [(part, "A part")]
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now()} WHERE id = %s", [sql.key(waits)])
    assert code(waits) == Reason.ON_ITS_WAY


def test_a_retry(worker):
    worker()
    job_id = jobs.flaky.apply_async((1,)).id
    inline.perform(inline.sent()[0])
    sql.execute(f"UPDATE faena_job SET dispatched = NULL, run_at = {sql.now(timedelta(minutes=5))}")
    assert code(job_id) == Reason.WAITS_FOR_RETRY
    assert "the one before failed with ValueError: attempt 0" in why(job_id)[1]
    inline.make_due()
    assert code(job_id) == Reason.ON_ITS_WAY


def test_a_retry_of_so_many():
    job_id = jobs.fails_at.delay(2, 1).id
    inline.perform(inline.sent()[0])
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now(timedelta(minutes=5))}")
    assert why(job_id)[1].startswith("Attempt 2 of 2 begins at ")


def test_a_delay(worker):
    worker()
    job_id = jobs.add.apply_async((1, 2), countdown=3600).id
    told = explain(Job.objects.get(pk=job_id))
    assert told.code == Reason.DELAYED
    assert told.sentence.startswith("It is delayed until ")
    assert told.until > timezone.now() + timedelta(minutes=59)
    inline.make_due()
    assert code(job_id) == Reason.ON_ITS_WAY


def test_a_full_limit(make_job, take, worker):
    worker()
    first, second = (make_job(limit_key="a", limit=1, title=f"The {n}") for n in ("first", "second"))
    held = take(first, limited=True)
    told = explain(Job.objects.get(pk=second))
    assert told.code == Reason.LIMIT_FULL
    assert told.sentence == "Its limit is full: 1 job that shares it is running, and no more may."
    assert [(each.title, each.worker) for each in told.jobs] == [("The first", "w1")]
    assert told.workers == ["w1"]
    settle.settle(held, Done(None))
    assert code(second) == Reason.ON_ITS_WAY


def test_a_rate_that_is_used_up(make_job, take, worker):
    worker()
    first, second = (make_job(limit_key="a", rate="1/300s") for _ in range(2))
    settle.settle(take(first, limited=True), Done(None))
    told = explain(Job.objects.get(pk=second))
    assert told.code == Reason.RATE_USED_UP
    assert told.sentence.startswith("Its rate is used up: 1 per 5 min. The next start may be at ")
    assert told.until == Permit.objects.get().taken + timedelta(minutes=5)
    Permit.objects.update(taken=timezone.now() - timedelta(minutes=6))
    assert code(second) == Reason.ON_ITS_WAY


def test_no_worker_at_all_and_none_on_the_queue(make_job, worker, monkeypatch):
    monkeypatch.setenv("FAENA_APP", "shop")
    job_id = make_job(queue="reports")
    told = explain(Job.objects.get(pk=job_id))
    assert (told.code, told.sentence) == (Reason.NO_WORKER, "No worker is running.")
    assert told.hint == "Start one: celery -A shop worker -Q reports"
    worker(listens=["celery", "mail"])
    told = explain(Job.objects.get(pk=job_id))
    assert told.code == Reason.NOBODY_LISTENS
    assert told.sentence == "No worker listens to its queue reports. They listen to: celery, mail."
    assert told.hint == "Start one: celery -A shop worker -Q reports"
    worker("w2", listens=["reports"])
    assert code(job_id) == Reason.ON_ITS_WAY


def test_a_worker_that_is_dead_or_was_not_heard_of_does_not_listen(make_job, worker):
    job_id = make_job()
    worker()
    sql.execute(f"UPDATE faena_worker SET seen = {sql.now(-timedelta(minutes=1))}")
    assert code(job_id) == Reason.NO_WORKER
    worker()
    assert code(job_id) == Reason.ON_ITS_WAY
    host, pid, born = leases.me().split("|")
    sql.execute("UPDATE faena_worker SET holder = %s", [f"{host}|{pid}|{float(born) - 100}"])
    assert code(job_id) == Reason.NO_WORKER


@pytest.mark.parametrize(
    ("url", "reason"),
    [("amqp://ana:s3cret@127.0.0.1:1//", "refused"), ("redis://:s3cr/et@127.0.0.1:1/0", "percent-encoded")],
)
def test_a_broker_that_cannot_be_reached(make_job, worker, url, reason):
    worker()
    job_id = make_job()
    before = use_broker(url)
    try:
        said = why(job_id)
    finally:
        use_broker(before)
    assert said[0] == Reason.BROKER_UNREACHABLE
    assert said[1].startswith("The broker cannot be reached: ")
    assert reason in said[1]
    assert "s3cr" not in said[1]
    explaining._answers.clear()
    assert code(job_id) == Reason.ON_ITS_WAY


def test_no_password_is_told(make_job, worker, monkeypatch):
    worker()

    def refuse(queue):
        raise OSError("cannot connect to redis://:s3cr@t@host:6379/0.")

    monkeypatch.setattr(explaining.doorbell.broker, "depth", refuse)
    assert why(make_job())[1] == "The broker cannot be reached: OSError: cannot connect to redis://host:6379/0."


def test_what_the_broker_said_is_told_to_each_in_their_language(make_job, worker, monkeypatch):
    worker()
    job_id = make_job()
    monkeypatch.setattr(explaining.doorbell.broker, "depth", lambda queue: int("se"))
    with translation.override("es"):
        assert "contraseña" in why(job_id)[1]
    with translation.override("en"):
        assert "percent-encoded" in why(job_id)[1]


def test_no_keeper(make_job, worker):
    worker()
    leases.release(POST)
    job_id = make_job()
    sql.execute("UPDATE faena_job SET dispatched = NULL")
    assert why(job_id) == (
        Reason.NO_KEEPER, "It is due and was not sent: no keeper is at work, which would send it."
    )  # fmt: skip
    leases.take(POST, timedelta(minutes=1))
    assert code(job_id) == Reason.ON_ITS_WAY


def test_after_a_crash_until_it_is_sent_again(make_job, take, worker):
    worker()
    job_id = make_job()
    settle.crash(job_id, take(job_id).fence, "died")
    assert why(job_id) == (Reason.AFTER_CRASH, "A worker died while it ran (1 of 5); it is being sent again.")
    assert relay_once().sent == 1
    assert code(job_id) == Reason.ON_ITS_WAY


def test_busy_workers(make_job, take, worker):
    worker(slots=1)
    running, _, waits = make_job(title="Busy"), make_job(priority=5), make_job()
    held = take(running)
    told = explain(Job.objects.get(pk=waits))
    assert told.code == Reason.WORKERS_BUSY
    assert told.sentence == "The only place at its workers is taken; before it: 1 job."
    assert [each.title for each in told.jobs] == ["Busy"]
    settle.settle(held, Done(None))
    assert why(waits)[0] == Reason.ON_ITS_WAY
    assert why(waits)[1].endswith("before it: 1 job.")


def test_on_its_way_until_it_runs(make_job, take, worker):
    worker()
    job_id = make_job()
    assert why(job_id)[1].startswith("It is in its queue since ")
    sql.execute("UPDATE faena_job SET dispatched = NULL")
    assert why(job_id) == (Reason.ON_ITS_WAY, "It is due; the keeper sends it to its queue in a moment.")
    take(job_id)
    assert why(job_id) == (None, "")


# --- running -----------------------------------------------------------------------------------


def test_a_silent_worker(make_job, take):
    job_id = make_job()
    take(job_id)
    sql.execute(f"UPDATE faena_job SET lease_until = {sql.now(-timedelta(seconds=18))}")
    assert code(job_id) == Reason.WORKER_SILENT
    assert why(job_id)[1].startswith("Its worker w1 was last heard of 3")
    assert why(job_id)[1].endswith(" s ago.")
    extend([job_id], "w1")
    assert code(job_id) is None


def test_asked_to_pause(make_job, take):
    job_id = make_job()
    held = take(job_id)
    hold.pause(job_id, ANA)
    assert code(job_id) == Reason.PAUSING
    assert why(job_id)[1].startswith("It was asked to pause by ana at ")
    assert why(job_id)[1].endswith("the body has not come to a place where it can stop.")
    settle.settle(held, Paused())
    assert code(job_id) == Reason.PAUSED


@pytest.mark.parametrize(("pool", "grace"), [("prefork", 30), ("prefork", None), ("threads", 30), ("gevent", 30)])
def test_asked_to_cancel(make_job, take, worker, pool, grace):
    worker(pool=pool)
    job_id = make_job()
    held = take(job_id)
    hold.cancel(job_id, ANA)
    with override_settings(FAENA={"CANCEL_GRACE": timedelta(seconds=grace) if grace else None}):
        told = explain(Job.objects.get(pk=job_id))
    assert told.code == Reason.CANCELLING
    assert told.sentence.startswith("It was asked to stop by ana at ")
    if (pool, grace) == ("prefork", 30):
        assert told.hint == "If it does not stop by itself within 30 s, its process is ended."
        assert told.until == told.since + timedelta(seconds=30)
    else:
        assert told.hint.startswith("Here its process cannot be ended")
        assert told.until is None
    settle.settle(held, Cancelled("Cancelled while it ran."))
    assert code(job_id) == Reason.CANCELLED


def test_moving_to_another_worker(make_job, take):
    job_id = make_job()
    held = take(job_id)
    hold.hand_over("w1")
    assert why(job_id) == (Reason.MOVING, "Its worker w1 shuts down; the job goes on elsewhere from its next row.")
    settle.settle(held, Done(None))
    assert code(job_id) is None


# --- stopped -----------------------------------------------------------------------------------


def test_paused_by_somebody(make_job, worker):
    worker()
    job_id = make_job()
    hold.pause(job_id, ANA)
    assert why(job_id)[0] == Reason.PAUSED
    assert why(job_id)[1].startswith("It was paused by ana at ")
    hold.resume(job_id, ANA)
    assert code(job_id) == Reason.ON_ITS_WAY


def test_cancelled_by_somebody(make_job, worker):
    worker()
    job_id = make_job()
    hold.cancel(job_id, ANA)
    assert why(job_id)[0] == Reason.CANCELLED
    assert why(job_id)[1].startswith("It was cancelled by ana at ")
    hold.retry(job_id)
    assert code(job_id) == Reason.ON_ITS_WAY


def test_failed(make_job, take, worker):
    worker()
    job_id = make_job()
    settle.settle(take(job_id), Failed(Error("ValueError", "no such shop")))
    assert why(job_id) == (Reason.FAILED, "It failed with ValueError: no such shop.")
    hold.retry(job_id)
    assert code(job_id) == Reason.ON_ITS_WAY


def test_a_task_that_no_worker_knows(make_job):
    job_id = make_job(kind="shop.unheard_of")
    settle.end_unheld(job_id, "w1", "failed", Error("NotRegistered", "shop.unheard_of"))
    assert why(job_id) == (Reason.UNKNOWN_TASK, "The worker that got it does not know the task shop.unheard_of.")


def test_what_is_complete_needs_no_explanation(make_job, take):
    job_id = make_job()
    settle.settle(take(job_id), Done(None))
    assert explain(Job.objects.get(pk=job_id)) is None


# --- how it is told ----------------------------------------------------------------------------


def test_it_is_told_in_the_readers_language(make_job):
    job_id = make_job()
    with translation.override("es"):
        assert why(job_id)[1] == "No hay ningún worker en marcha."


def test_as_json_it_is_plain(make_job, take):
    first, second = (make_job(limit_key="a", limit=1) for _ in range(2))
    take(first, limited=True)
    plain = json.loads(json.dumps(explain(Job.objects.get(pk=second)).as_json()))
    assert plain["code"] == "limit_full"
    assert plain["jobs"] == [{"id": str(first), "title": "tests.nothing", "worker": "w1"}]
