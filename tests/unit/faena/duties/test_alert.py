from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from faena.duties.alert import CALM, FEWEST, alert_once
from faena.models import AlertRule, Incident, Job, Minute, Schedule, Snapshot, Worker

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def rule():
    def make(condition: str, threshold: float = 60, **values) -> AlertRule:
        own = {"name": condition, "channel": "mail", "target": "ana@x.co", "minutes": 10}
        return AlertRule.objects.create(condition=condition, threshold=threshold, **(own | values))

    return make


def wait(seconds: float, queue: str = "celery") -> Job:
    return Job.objects.create(kind="k", queue=queue, run_at=NOW - timedelta(seconds=seconds))


def listen(*queues: str) -> None:
    own = {"holder": "h", "host": "h", "pid": 1, "pool": "p", "slots": 1, "started": NOW}
    Worker.objects.create(name="w/1", queues=list(queues), seen=NOW, **own)


def found() -> tuple[float, list[str]] | None:
    """What a look finds, if it opens an incident."""
    if not alert_once(NOW).opened:
        return None
    kept = Incident.objects.get().found
    return kept["value"], kept["names"]


def test_people_are_told_once_and_once_when_it_is_over(rule):
    rule("oldest_wait")
    job = wait(90)
    assert [alert_once(NOW).opened for _ in range(3)] == [1, 0, 0]
    told = Job.objects.get(kind="faena.tell_people")
    incident = Incident.objects.get()
    assert (told.args, told.created_by) == ([incident.rule_id, incident.pk, "opened"], "alert oldest_wait")
    job.delete()
    told.delete()  # it would wait, in the time that is played here
    ends = [alert_once(NOW + after).ended for after in (timedelta(), CALM / 2, CALM)]
    assert ends == [0, 0, 1]
    assert Job.objects.get(kind="faena.tell_people").args == [incident.rule_id, incident.pk, "ended"]


def test_what_flickers_is_one_incident(rule):
    rule("oldest_wait")
    for second in range(3):
        job = wait(90)
        alert_once(NOW + timedelta(seconds=20 * second))
        job.delete()
        alert_once(NOW + timedelta(seconds=20 * second + 10))
    assert Incident.objects.count() == 1
    assert Job.objects.filter(kind="faena.tell_people").count() == 1


def test_a_disabled_rule_is_silent(rule):
    rule("oldest_wait", enabled=False)
    wait(90)
    assert found() is None


def test_oldest_wait_is_of_queues_that_run(rule):
    rule("oldest_wait")
    wait(90, "slow")
    wait(30, "fast")
    assert found() == (90, ["slow"])


def test_a_rule_of_one_queue_does_not_look_at_others(rule):
    rule("oldest_wait", queue="fast")
    wait(90, "slow")
    assert found() is None


def test_failure_rate_needs_enough_jobs(rule):
    rule("failure_rate", 20)
    Minute.objects.create(minute=NOW - timedelta(minutes=2), completed=FEWEST - 2, failed=1)
    assert found() is None
    Minute.objects.create(minute=NOW - timedelta(minutes=1), completed=2, failed=1)
    assert found() == (pytest.approx(28.6, abs=0.1), [])


def test_dead_letters(rule):
    rule("dead_letters", 2, queue="a")
    for queue in ("a", "a", "b"):
        Job.objects.create(kind="k", queue=queue, state="failed", finished=NOW)
    assert found() == (2, ["a"])


def test_late_schedules_and_those_that_cannot_fire(rule):
    rule("late_schedules")
    own = {"task": "t", "kind": "interval", "every": 60}
    Schedule.objects.create(name="late", next_due=NOW - timedelta(seconds=120), **own)
    Schedule.objects.create(name="broken", problem="no task", **own)
    Schedule.objects.create(name="off", problem="no task", enabled=False, **own)
    assert found() == (120, ["broken", "late"])


def test_nobody_works_on_a_queue(rule):
    rule("no_workers")
    wait(90, "alone")
    wait(90, "served")
    listen("served")
    assert found() == (90, ["alone"])


def test_books_and_disk_are_what_was_measured(rule):
    rule("books", 0)
    assert found() is None
    Snapshot.objects.create(name="books", at=NOW, value={"is_balanced": False, "difference": 3})
    assert found() == (3, [])
    Incident.objects.all().delete()
    AlertRule.objects.all().delete()
    rule("disk", 10)
    Snapshot.objects.create(name="disk", at=NOW, value={"percent_free": 8.5})
    assert found() == (8.5, [])


def test_a_rule_that_cannot_be_looked_at_keeps_no_other(rule, caplog):
    rule("nonsense")
    rule("oldest_wait")
    wait(90)
    assert found() == (90, ["celery"])
    assert "could not be looked at" in caplog.text
