from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from faena import occurrences
from faena.duties.tick import tick_once
from faena.errors import NotNow
from faena.ledger import schedules
from faena.ledger.records import Actor
from faena.models import AuditEntry, Job, Occurrence, Schedule
from faena.models.schedule import Source
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")

ANA = Actor("ana", "127.0.0.1")
HOUR = timedelta(hours=1)


def make(name="nightly", **values) -> Schedule:
    given = {"kind": "crontab", "crontab": "0 8 * * *", "task": jobs.add.name, "args": [1, 2], "time_zone": "UTC"}
    return Schedule(name=name, **given | values)


# --- saving ------------------------------------------------------------------------------------


def test_a_new_one_knows_its_next_time():
    made = schedules.save(make(), ANA)
    assert made.next_due.hour == 8
    assert timezone.now() < made.next_due <= timezone.now() + timedelta(days=1)
    [entry] = AuditEntry.objects.all()
    assert (entry.actor, entry.action, entry.details) == ("ana", "save schedule", {"schedule": "nightly"})


def test_a_change_that_is_none_of_the_timing_disturbs_no_rhythm():
    made = schedules.save(make())
    past = timezone.now() - HOUR
    Schedule.objects.update(next_due=past)
    made.args = [3, 4]
    assert schedules.save(made).next_due == past
    made.crontab = "0 9 * * *"
    assert schedules.save(made).next_due.hour == 9


def test_disabled_it_does_not_fire_and_makes_nothing_up_afterwards():
    made = schedules.save(make(kind="interval", every=3600.0))
    assert schedules.set_enabled(made.pk, False, ANA).next_due is None
    Schedule.objects.update(starts=timezone.now() - 100 * HOUR)
    tick_once()
    assert schedules.set_enabled(made.pk, True, ANA).next_due > timezone.now()
    assert not Occurrence.objects.exists()


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"task": "tests.support.jobs.ad"}, "task", "did you mean tests.support.jobs.add?"),
        ({"task": "nobody"}, "task", "Unknown task nobody."),
        ({"args": [1]}, "args", "missing 1 required positional argument"),
        ({"args": [1, 2, 3]}, "args", "takes"),
        ({"args": [], "kwargs": {"x": 1, "z": 2}}, "kwargs", "unexpected keyword argument"),
        ({"args": {"x": 1}}, "args", "list"),
        ({"crontab": "0 0 31 2 *"}, "crontab", "never comes"),
        ({"crontab": "61 * * * *"}, "crontab", "61"),
        ({"kind": "interval"}, "every", "needs a value"),
        ({"kind": "interval", "every": 0}, "every", "at least"),
        ({"kind": "once"}, "at", "needs a value"),
        ({"kind": "solar", "event": "sunset"}, "latitude", "needs a value"),
        ({"kind": "solar", "event": "sunset", "latitude": 99.0, "longitude": 0.0}, "latitude", "90"),
        ({"kind": "never"}, "kind", "not a valid choice"),
        ({"time_zone": "America/Santiago de Chile"}, "time_zone", "time zone"),
        ({"priority": 10}, "priority", "0 to 9"),
        ({"expires": 0}, "expires", "more than 0"),
        ({"jitter": -1}, "jitter", "0 seconds"),
        ({"catch_up": 0}, "catch_up", "1 to 100"),
    ],
)
def test_what_could_never_fire_is_refused_with_the_field(values, field, said):
    with pytest.raises(ValidationError) as refused:
        schedules.save(make(**values))
    assert said in " ".join(refused.value.message_dict[field])
    assert not Schedule.objects.exists()


def test_a_jobs_arguments_are_those_after_its_run():
    schedules.save(make(task=jobs.titled.name, args=["x"]))
    with pytest.raises(ValidationError):
        schedules.save(make("other", task=jobs.titled.name, args=[]))


# --- run now -----------------------------------------------------------------------------------


def test_run_now_fires_and_the_times_to_come_stay():
    made = schedules.save(make())
    job_id = schedules.run_now(made.pk, ANA)
    assert inline.ids(inline.sent()) == [str(job_id)]
    [occurrence] = occurrences.history(made)
    assert (occurrence.outcome, occurrence.why, occurrence.job_id) == ("fired", "by ana", job_id)
    assert Schedule.objects.get().next_due == made.next_due
    assert AuditEntry.objects.get(action="run schedule").job_id == job_id


def test_run_now_obeys_the_overlap():
    made = schedules.save(make())
    schedules.run_now(made.pk, ANA)
    with pytest.raises(NotNow, match="the one before was not over"):
        schedules.run_now(made.pk, ANA)
    assert (Job.objects.count(), Occurrence.objects.count()) == (1, 1)


# --- skips -------------------------------------------------------------------------------------


def test_a_skipped_occurrence_is_left_out():
    made = schedules.save(make())
    assert schedules.skip(made.pk, by=ANA) == made.next_due
    past = timezone.now() - timedelta(seconds=1)
    Occurrence.objects.update(due_at=past)
    Schedule.objects.update(next_due=past, kind="interval", every=3600.0, starts=past)
    assert tick_once().outcomes == {}
    assert (Job.objects.count(), Occurrence.objects.get().why) == (0, "by ana")
    assert Schedule.objects.get().next_due == past + HOUR


def test_any_of_those_to_come_may_be_skipped_and_taken_back():
    made = schedules.save(make())
    third = occurrences.to_come(made, 3)[2].due_at
    schedules.skip(made.pk, third, ANA)
    assert [each.skipped for each in occurrences.to_come(made, 4)] == [False, False, True, False]
    assert occurrences.history(made) == []
    schedules.unskip(made.pk, third, ANA)
    assert not any(each.skipped for each in occurrences.to_come(made, 4))


def test_the_next_skip_is_of_the_next_that_is_not_skipped():
    made = schedules.save(make())
    assert [schedules.skip(made.pk), schedules.skip(made.pk)] == [each.due_at for each in occurrences.to_come(made, 2)]


@pytest.mark.parametrize("wrong", [timedelta(minutes=1), -timedelta(days=2)])
def test_only_what_is_to_come_may_be_skipped(wrong):
    made = schedules.save(make())
    with pytest.raises(NotNow):
        schedules.skip(made.pk, made.next_due + wrong)


def test_what_is_skipped_already_is_not_skipped_again_and_what_is_not_is_not_taken_back():
    made = schedules.save(make())
    with pytest.raises(NotNow):
        schedules.unskip(made.pk, made.next_due)
    schedules.skip(made.pk, made.next_due)
    with pytest.raises(NotNow):
        schedules.skip(made.pk, made.next_due)


# --- the code's --------------------------------------------------------------------------------


def declared(name="code", **values) -> Schedule:
    return make(name, source=Source.CODE, **values)


def test_the_codes_schedules_come_change_go_and_come_back():
    assert schedules.synchronise([declared()]) == schedules.Synchronised(1, 0, 0)
    first = Schedule.objects.get()
    assert schedules.synchronise([declared()]) == schedules.Synchronised(0, 0, 0)
    assert schedules.synchronise([declared(args=[5, 6])]) == schedules.Synchronised(0, 1, 0)
    assert Schedule.objects.get().args == [5, 6]
    assert Schedule.objects.get().next_due == first.next_due
    assert schedules.synchronise([]) == schedules.Synchronised(0, 0, 1)
    gone = Schedule.objects.get()
    assert (gone.next_due, gone.removed is None) == (None, False)
    assert occurrences.all_schedules() == []
    assert schedules.synchronise([declared()]) == schedules.Synchronised(0, 1, 0)
    assert Schedule.objects.get().next_due == first.next_due


def test_what_people_decided_survives_a_deploy():
    schedules.synchronise([declared(), declared("other")])
    other, one = Schedule.objects.get(name="other"), Schedule.objects.get(name="code")
    schedules.set_enabled(one.pk, False, ANA)
    skipped = schedules.skip(other.pk, by=ANA)
    schedules.synchronise([declared(args=[7, 8]), declared("other", args=[7, 8])])
    one.refresh_from_db()
    assert (one.enabled, one.next_due, one.args) == (False, None, [7, 8])
    assert occurrences.to_come(Schedule.objects.get(name="other"))[0] == occurrences.ToCome(skipped, True)


def test_one_with_a_problem_does_not_fire_and_says_why():
    schedules.synchronise([declared(problem="Unknown task x."), declared("good")])
    assert [(each.name, each.next_due is None) for each in Schedule.objects.all()] == [("code", True), ("good", False)]
    schedules.synchronise([declared(), declared("good")])
    assert not Schedule.objects.filter(next_due=None).exists()


def test_peoples_schedules_are_not_the_codes_business():
    schedules.save(make("theirs"))
    schedules.synchronise([])
    assert Schedule.objects.get().next_due


# --- reads and history -------------------------------------------------------------------------


def test_the_last_occurrence_of_each():
    one, other = schedules.save(make("one")), schedules.save(make("other"))
    for hour in (1, 2):
        Occurrence.objects.create(schedule=one, due_at=datetime(2026, 1, 1, hour, tzinfo=UTC), outcome="fired")
    schedules.skip(one.pk)
    found = occurrences.last_occurrences([one, other])
    assert {name: each.due_at.hour for name, each in found.items()} == {one.pk: 2}


def test_old_occurrences_are_forgotten_in_batches():
    made = schedules.save(make())
    for day in range(1, 6):
        Occurrence.objects.create(schedule=made, due_at=datetime(2026, 1, day, tzinfo=UTC), outcome="fired")
    before = datetime(2026, 1, 5, tzinfo=UTC)
    assert [schedules.forget_occurrences(before, batch=3) for _ in range(3)] == [3, 1, 0]
    assert Occurrence.objects.get().due_at == before


def test_who_disables_a_schedule_while_its_code_is_read_has_the_last_word(monkeypatch):
    schedules.synchronise([make(source="code")])
    [made] = Schedule.objects.all()
    differs = schedules._differs

    def disable() -> None:
        schedules.set_enabled(made.pk, False)
        connection.close()

    somebody = threading.Thread(target=disable)

    def disabled_meanwhile(*args) -> bool:
        if not somebody.ident:
            somebody.start()
            somebody.join(0.5)
        return differs(*args)

    monkeypatch.setattr(schedules, "_differs", disabled_meanwhile)
    schedules.synchronise([make(source="code", priority=3)])
    somebody.join(20)
    made.refresh_from_db()
    assert (made.priority, made.enabled) == (3, False)
