from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from faena.ledger import schedules as ledger
from faena.models import AuditEntry, Job, Occurrence, Schedule
from faena.monitor.schedule_form import Span
from faena.occurrences import strips, to_come
from tests.support import jobs


@pytest.fixture
def schedule(db) -> Schedule:
    return ledger.save(Schedule(name="hourly", task=jobs.count.name, kwargs={"total": 3}, kind="interval", every=3600))


def page(client, schedule: Schedule) -> str:
    return client.get(reverse("monitor:schedule", args=[schedule.pk])).content.decode()


def act(client, name: str, schedule: Schedule, **values) -> str:
    return client.post(reverse(f"monitor:{name}", args=[schedule.pk]), values, follow=True).content.decode()


FORM = {
    "name": "new", "task": jobs.count.name, "kwargs": '{"total": 2}', "kind": "interval", "every": "1h 30m",
    "time_zone": "UTC", "overlap": "skip", "misfire": "once", "enabled": "on",
}  # fmt: skip


def test_the_list_says_when_and_what_came(looking, schedule, make):
    job = make("failed")
    for hours, outcome, pk in [(2, "fired", job.pk), (1, "missed", None)]:
        due_at = timezone.now() - timedelta(hours=hours)
        Occurrence.objects.create(schedule=schedule, due_at=due_at, outcome=outcome, job_id=pk)
    text = looking.get(reverse("monitor:schedules")).content.decode()
    assert "every hour" in text
    assert text.index('<span data-state="failed"') < text.index('<span data-state="missed"')


def test_a_strip_is_the_latest_occurrences_oldest_first(schedule):
    now = timezone.now()
    for n in range(5):
        Occurrence.objects.create(schedule=schedule, due_at=now - timedelta(hours=n), outcome="fired")
    Occurrence.objects.create(schedule=schedule, due_at=now + timedelta(hours=1), outcome="skipped")
    assert [each.due_at for each in strips([schedule], 3)[schedule.pk]] == [now - timedelta(hours=n) for n in (2, 1, 0)]


def test_one_is_skipped_and_taken_back(acting, schedule):
    second = to_come(schedule)[1].due_at
    assert "is skipped" in act(acting, "skip", schedule, at=second.isoformat())
    assert [each.skipped for each in to_come(schedule, 3)] == [False, True, False]
    assert "skipped already" in act(acting, "skip", schedule, at=second.isoformat())
    assert "takes place" in act(acting, "unskip", schedule, at=second.isoformat())
    assert "not one that is to be skipped" in act(acting, "unskip", schedule, at="nonsense")
    assert {each.action for each in AuditEntry.objects.all()} == {"skip occurrence", "unskip occurrence"}


def test_it_runs_now_and_says_why_it_did_not(acting, schedule):
    assert "It runs." in act(acting, "run-schedule", schedule)
    assert Job.objects.get().schedule_id == schedule.pk
    assert "the one before was not over" in act(acting, "run-schedule", schedule)


def test_it_is_disabled_and_enabled(acting, schedule):
    act(acting, "disable-schedule", schedule)
    assert "disabled" in page(acting, schedule)
    act(acting, "enable-schedule", schedule)
    assert Schedule.objects.get().enabled


def test_a_new_one_is_made(acting, db):
    assert b"known-tasks" in acting.get(reverse("monitor:new-schedule")).content
    answer = acting.post(reverse("monitor:new-schedule"), FORM, follow=True)
    made = Schedule.objects.get()
    assert (made.every, made.kwargs, made.source) == (5400, {"total": 2}, "people")
    assert answer.redirect_chain[0][0] == reverse("monitor:schedule", args=[made.pk])
    assert AuditEntry.objects.get().actor == "oscar"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task": "faena.act_on_jobs"}, "is a task of Faena itself"),
        ({"every": "soon"}, "Write a length of time"),
        ({"kwargs": "{"}, "This is not JSON"),
        ({"args": "{}"}, "A JSON list."),
        ({"task": "no.such"}, "Unknown task no.such"),
        ({"kwargs": "{}"}, "total"),
        ({"kind": "crontab", "crontab": "x"}, "crontab"),
        ({"time_zone": "Moon/Crater"}, "There is no time zone of this name."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_written(acting, db, wrong, said):
    answer = acting.post(reverse("monitor:new-schedule"), FORM | wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Schedule.objects.exists()


def test_editing_keeps_what_was_typed(acting, schedule):
    edit = reverse("monitor:edit-schedule", args=[schedule.pk])
    assert 'value="1h"' in acting.get(edit).content.decode()
    acting.post(edit, FORM | {"name": "hourly", "every": "2h"})
    assert Schedule.objects.get().every == 7200


def test_those_of_the_code_are_not_edited(acting, schedule):
    Schedule.objects.update(source="code")
    assert acting.get(reverse("monitor:edit-schedule", args=[schedule.pk])).status_code == 404
    assert "What the code says is changed in the code" in page(acting, schedule)


def test_viewers_only_look(looking, schedule):
    assert "Run now" not in page(looking, schedule)
    for name in ("run-schedule", "skip", "unskip", "enable-schedule", "disable-schedule", "edit-schedule"):
        assert looking.post(reverse(f"monitor:{name}", args=[schedule.pk])).status_code == 403
    assert looking.get(reverse("monitor:new-schedule")).status_code == 403


def test_secrets_in_arguments_are_hidden(looking, schedule):
    Schedule.objects.update(kwargs={"password": "hunter2"})
    assert "hunter2" not in page(looking, schedule)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("2m", 120), ("1h 30m", 5400), ("1,5h", 5400), ("1d", 86400)]
)
def test_spans_are_read_as_people_write_them(text, seconds):
    assert Span().clean(text) == seconds


def test_a_span_that_is_none_is_refused():
    with pytest.raises(ValidationError):
        Span().clean("1h!")
