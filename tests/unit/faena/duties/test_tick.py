from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from faena.celery import loading
from faena.duties import tick
from faena.duties.keeper import Keeper
from faena.duties.tick import align_once, tick_once
from faena.explain import explain
from faena.ledger import firing, hold, schedules, settle, sql
from faena.ledger.settle import Done
from faena.models import Job, Occurrence, Schedule
from faena.models.occurrence import Outcome, Reason
from faena_server import app
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def schedule():
    loading.load(app)  # it configures logging, which would take the handlers of pytest away in the middle of a test

    def make(name="nightly", **values) -> Schedule:
        task = values.pop("task", jobs.add)
        given = {"kind": "interval", "every": 3600.0, "args": [1, 2], "task": task.name}
        return schedules.save(Schedule(name=name, **given | values))

    return make


def due(schedule: Schedule, ago: timedelta = timedelta(0), times: int = 1) -> None:
    """As if the last `times` occurrences had come, the latest of them so long ago."""
    every = timedelta(seconds=schedule.every)
    latest = sql.database_now() - ago
    first = latest - (times - 1) * every
    Schedule.objects.filter(pk=schedule.pk).update(starts=first - every, next_due=first)


def came() -> list[tuple]:
    return list(Occurrence.objects.order_by("due_at").values_list("outcome", "reason"))


def end(job: Job, take) -> None:
    settle.settle(take(job.pk), Done(None))


def test_nothing_is_due(schedule):
    schedule()
    assert tick_once() == tick.Ticked()
    assert came() == []


def test_a_due_occurrence_its_job_and_the_next_time_are_written_together(schedule):
    made = schedule(queue="other", priority=7)
    due(made)
    assert tick_once().outcomes == {Outcome.FIRED: 1}
    [occurrence], [job] = Occurrence.objects.all(), Job.objects.all()
    assert (occurrence.outcome, occurrence.job_id) == ("fired", job.pk)
    assert (job.kind, job.args, job.queue, job.priority) == (jobs.add.name, [1, 2], "other", 7)
    assert (job.schedule_id, job.created_by) == (made.pk, "schedule nightly")
    made.refresh_from_db()
    assert made.next_due == occurrence.due_at + HOUR
    [message] = inline.sent("other")
    assert message.headers["celery_beat_task"] is True
    assert tick_once().outcomes == {}


def test_the_job_runs_like_any_other(schedule, row):
    due(schedule(task=jobs.titled, args=[], kwargs={"text": "night run"}))
    tick_once()
    inline.drain()
    [job] = Job.objects.all()
    assert (job.state, job.title, job.result) == ("completed", "The night run", "night run")


def test_two_tickers_that_have_read_the_same_row_fire_once(schedule):
    made = schedule()
    due(made)
    now = sql.database_now()
    first, second = Schedule.objects.get(), Schedule.objects.get()
    assert firing.fire(first, now) == {Outcome.FIRED: 1}
    assert firing.fire(second, now) == {}
    assert (Job.objects.count(), Occurrence.objects.count()) == (1, 1)


def test_what_fails_in_the_middle_has_not_happened(schedule, monkeypatch, caplog):
    due(schedule())
    monkeypatch.setattr(firing, "_call", lambda *_: 1 / 0)
    assert tick_once().next_in == tick.LONGEST_SLEEP  # and not at once, for ever
    assert (Job.objects.count(), Occurrence.objects.count()) == (0, 0)
    assert "nightly failed" in caplog.text
    monkeypatch.undo()
    assert tick_once().outcomes == {Outcome.FIRED: 1}


def test_one_that_is_wrong_keeps_no_other_from_firing(schedule, caplog):
    bad, good = schedule("bad"), schedule("good")
    due(bad)
    due(good)
    Schedule.objects.filter(pk=bad.pk).update(time_zone="Mars/Olympus")
    assert tick_once().outcomes == {Outcome.FIRED: 1}
    bad.refresh_from_db()
    assert (bad.next_due, bad.problem) == (None, "There is no time zone of this name.")
    assert Job.objects.get().schedule_id == good.pk


def test_a_call_that_cannot_be_is_refused_with_its_error_and_the_schedule_goes_on(schedule):
    made = schedule()
    due(made)
    Schedule.objects.filter(pk=made.pk).update(task="gone")
    tick_once()
    [occurrence] = Occurrence.objects.all()
    assert (occurrence.outcome, occurrence.why) == ("refused", "ConfigurationError: Unknown task gone.")
    assert Schedule.objects.get().next_due > sql.database_now()


def test_a_task_that_is_not_recorded_is_sent_after_the_commit(schedule):
    due(schedule(task=jobs.plain, args=[1]))
    tick_once()
    assert (Job.objects.count(), came()) == (0, [("fired", "")])
    assert len(inline.sent()) == 1


def test_it_says_when_the_next_is_due(schedule):
    made = schedule(every=100)
    Schedule.objects.filter(pk=made.pk).update(next_due=timezone.now() + SECOND / 2)
    assert 0 < tick_once().next_in <= 0.6


# --- overlap -----------------------------------------------------------------------------------


def test_skip_while_the_one_before_is_live(schedule, take):
    made = schedule()
    due(made)
    tick_once()
    [job] = Job.objects.all()
    for ago in (2, 1):
        due(made, ago * SECOND)
        tick_once()
    assert [(each.outcome, each.reason, each.detail) for each in Occurrence.objects.filter(outcome="skipped")] == [
        ("skipped", "overlap", str(job.pk))
    ] * 2
    end(job, take)
    due(made)
    tick_once()
    assert Job.objects.count() == 2


def test_the_rest_of_a_chain_is_the_one_before_as_well(schedule, take):
    made = schedule()
    due(made)
    tick_once()
    [job] = Job.objects.all()
    end(job, take)
    sql.execute("UPDATE faena_job SET state = 'completed'")
    step = jobs.add.apply_async((1, 2), root_id=str(job.pk), parent_id=str(job.pk))
    due(made)
    tick_once()
    assert Occurrence.objects.get(outcome="skipped").detail == step.id


def test_queue_lets_one_wait_that_starts_when_the_one_before_ends(schedule, take, row):
    made = schedule(overlap="queue")
    for ago in (3, 2, 1):
        due(made, ago * SECOND)
        tick_once()
    assert came() == [("fired", ""), ("waiting", ""), ("skipped", Reason.WAITING)]
    first, waiting = Job.objects.order_by("run_at")
    inline.sent()
    answer = explain(waiting)
    assert (answer.code, [each.id for each in answer.jobs]) == ("waits_for_jobs", [first.pk])
    assert tick_once().released == 0
    assert tick_once().next_in == tick.SHORT_SLEEP
    end(first, take)
    assert tick_once().released == 1
    assert inline.ids(inline.sent()) == [str(waiting.pk)]
    assert came()[1] == ("fired", "")
    end(row(waiting.pk), take)


def test_a_waiting_job_that_is_cancelled_makes_room(schedule):
    made = schedule(overlap="queue")
    for ago in (3, 2):
        due(made, ago * SECOND)
        tick_once()
    hold.cancel(Occurrence.objects.get(outcome="waiting").job_id)
    hold.cancel(Occurrence.objects.get(outcome="fired").job_id)
    tick_once()
    assert not Occurrence.objects.filter(outcome="waiting").exists()


def test_allow_runs_both(schedule):
    made = schedule(overlap="allow")
    for ago in (2, 1):
        due(made, ago * SECOND)
        tick_once()
    assert Job.objects.count() == 2


def test_a_unique_job_that_is_live_is_not_doubled(schedule):
    live = jobs.only_one.delay("a")
    due(schedule(task=jobs.only_one, args=["a"]))
    tick_once()
    assert Occurrence.objects.get().why == f"a job with the same key was live: job {live.id}"
    assert Job.objects.count() == 1


# --- misfire -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "ago", "fired", "missed"),
    [
        ("once", 90 * SECOND, 1, 4),
        ("skip", 90 * SECOND, 0, 5),
        ("skip", 5 * SECOND, 1, 4),
        ("all", 90 * SECOND, 5, 0),
    ],
)
def test_what_was_missed_while_nothing_ran(schedule, policy, ago, fired, missed):
    made = schedule(misfire=policy, overlap="allow")
    due(made, ago, times=5)
    tick_once()
    assert [outcome for outcome, _ in came()] == ["missed"] * missed + ["fired"] * fired
    made.refresh_from_db()
    assert sql.database_now() < made.next_due <= sql.database_now() + HOUR


def test_all_has_a_cap(schedule):
    made = schedule(misfire="all", overlap="allow", catch_up=3)
    due(made, times=50)
    tick_once()
    assert (Job.objects.count(), Occurrence.objects.filter(outcome="missed").count()) == (3, 47)


def test_a_long_sleep_makes_no_burst(schedule):
    made = schedule(every=1.0)
    due(made, times=10_000_000)
    tick_once()
    assert Job.objects.count() == 1
    assert Occurrence.objects.count() < 300


def test_a_clock_that_was_wrong_puts_nothing_off(schedule):
    made = schedule()
    expected = made.next_due
    far = timezone.now() + timedelta(days=4000)
    Schedule.objects.update(next_due=far)
    assert align_once() == 1
    made.refresh_from_db()
    assert made.next_due == expected
    assert align_once() == 0


def test_a_clock_that_was_put_back_fires_nothing_twice(schedule):
    made = schedule()
    due(made)
    tick_once()
    [occurrence] = Occurrence.objects.all()
    Schedule.objects.update(next_due=occurrence.due_at)  # the same hour comes again
    assert tick_once().outcomes == {}
    assert Job.objects.count() == 1
    made.refresh_from_db()
    assert made.next_due > occurrence.due_at


# --- expires, jitter, once ---------------------------------------------------------------------


def test_a_job_that_has_not_started_in_time_is_cancelled(schedule, row):
    due(schedule(expires=3600))
    tick_once()
    [occurrence] = Occurrence.objects.all()
    assert occurrence.expires is not None
    sql.execute(f"UPDATE faena_occurrence SET expires = {sql.now()}")
    assert tick_once().expired == 1
    job = row(occurrence.job_id)
    assert (job.state, job.error["message"]) == ("cancelled", "expired")
    assert tick_once().expired == 0


def test_one_that_has_started_goes_on(schedule, take, row):
    due(schedule(expires=3600))
    tick_once()
    take(Job.objects.get().pk)
    sql.execute(f"UPDATE faena_occurrence SET expires = {sql.now()}")
    assert tick_once().expired == 0
    assert Job.objects.get().state == "running"


def test_the_worker_knows_of_it_too(schedule):
    due(schedule(expires=60))
    tick_once()
    [message] = inline.sent()
    assert message.headers["expires"]


def test_jitter_delays_the_job_and_not_the_rhythm(schedule):
    made = schedule(jitter=1000)
    due(made)
    tick_once()
    [job], [occurrence] = Job.objects.all(), Occurrence.objects.all()
    assert occurrence.due_at < job.run_at <= occurrence.due_at + 1001 * SECOND
    assert job.dispatched is None


def test_once_is_over_when_it_has_fired(schedule):
    made = schedule(kind="once", every=None, at=timezone.now() + HOUR)
    at = timezone.now() - SECOND
    Schedule.objects.update(at=at, next_due=at, starts=at - HOUR)
    tick_once()
    made.refresh_from_db()
    assert (made.next_due, Job.objects.count()) == (None, 1)
    assert align_once() == 0


def test_occurrences_are_forgotten_when_no_job_of_theirs_can_be_kept_any_more(schedule, settings):
    settings.FAENA = {"RETENTION": {"completed": 1 * HOUR, "failed": 48 * HOUR}}
    made, now = schedule(), sql.database_now()
    for hours, outcome in ((2, "fired"), (47, "skipped"), (49, "fired"), (50, "waiting"), (51, "missed")):
        Occurrence.objects.create(schedule=made, due_at=now - hours * HOUR, outcome=outcome)
    assert Keeper()._next.keys() >= {tick.forget_once}
    assert tick.forget_once() == 2
    assert [outcome for outcome, _ in came()] == ["waiting", "skipped", "fired"]
