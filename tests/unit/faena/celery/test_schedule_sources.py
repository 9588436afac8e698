"""Celery's `beat_schedule`, as its users write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery.beat import BeatLazyFunc, ScheduleEntry
from celery.schedules import crontab, schedule, solar
from celery.utils.time import LocalTimezone

from faena import checks
from faena.celery import loading, schedule_sources
from faena.models import Schedule
from faena_server import app
from tests.support import jobs

pytestmark = pytest.mark.usefixtures("ledger")

TASK = jobs.add.name


@pytest.fixture
def entries(monkeypatch):
    """Set the app's `beat_schedule`, and read it."""
    loading.load(app)  # it configures logging, which would take the handlers of pytest away in the middle of a test

    def read(**given) -> list[Schedule]:
        monkeypatch.setitem(app.conf, "beat_schedule", given)
        return schedule_sources.read(app)

    return read


def entry(when, **values) -> dict:
    return {"task": TASK, "schedule": when, "args": (1, 2)} | values


@pytest.mark.parametrize(
    ("when", "kind", "values"),
    [
        (120.0, "interval", {"every": 120}),
        (30, "interval", {"every": 30}),
        (timedelta(hours=2), "interval", {"every": 7200}),
        (schedule(timedelta(minutes=5)), "interval", {"every": 300}),
        (crontab(), "crontab", {"crontab": "* * * * *"}),
        (crontab(hour=8, minute=0, day_of_week="mon"), "crontab", {"crontab": "0 8 * * mon"}),
        (crontab(minute={15, 0}, hour=[9, 8], month_of_year="*/3"), "crontab", {"crontab": "0,15 8,9 * */3 *"}),
        (crontab("0", "4", day_of_month="1, 15"), "crontab", {"crontab": "0 4 1,15 * *"}),
        (solar("sunset", -33.4, -70.6), "solar", {"event": "sunset", "latitude": -33.4, "longitude": -70.6}),
    ],
)
def test_every_kind_of_timing(entries, when, kind, values):
    [made] = entries(one=entry(when))
    assert (made.name, made.problem, made.kind) == ("one", "", kind)
    assert {name: getattr(made, name) for name in values} == values
    assert (made.task, made.args, made.source, made.time_zone) == (TASK, [1, 2], "code", str(app.timezone))


def test_a_crontab_with_a_zone_of_its_own_and_a_host_whose_zone_has_no_name(entries):
    own = crontab(0, 8)
    own.tz = ZoneInfo("America/Santiago")
    local = crontab(0, 8)
    local.tz = LocalTimezone()
    assert [each.time_zone for each in entries(own=entry(own), local=entry(local))] == ["America/Santiago", "UTC"]


def test_relative_intervals_begin_at_whole_units(entries):
    [made] = entries(one=entry(timedelta(hours=1), relative=True))
    assert (made.starts.minute, made.starts.second) == (0, 0)
    assert made.starts <= datetime.now(UTC)


def test_options(entries):
    options = {"queue": "reports", "priority": 7, "expires": 60, "headers": {"tenant": "a"}, "ignore_result": True}
    [made] = entries(one=entry(1, options=options, kwargs=None))
    assert (made.queue, made.priority, made.expires, made.problem) == ("reports", 7, 60, "")
    assert made.options == {"headers": {"tenant": "a"}, "ignore_result": True}
    own = {"overlap": "queue", "misfire": "all", "jitter": 5, "time_zone": "America/Santiago"}
    [made] = entries(one=entry(crontab(), options={"faena": own}))
    assert (made.overlap, made.misfire, made.jitter, made.time_zone) == ("queue", "all", 5, "America/Santiago")
    assert made.options == {}


def test_what_add_periodic_task_adds(entries, monkeypatch):
    monkeypatch.setitem(app.conf, "beat_schedule", {})
    app.add_periodic_task(10.0, jobs.add.s(1, 2), name="added", expires=5)
    [made] = schedule_sources.read(app)
    assert (made.name, made.every, made.args, made.expires, made.problem) == ("added", 10, [1, 2], 5, "")


def test_an_entry_object(entries):
    [made] = entries(one=ScheduleEntry("one", TASK, schedule=schedule(5), args=(1, 2), app=app))
    assert (made.problem, made.every, made.task) == ("", 5, TASK)


class Odd(schedule):
    pass


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"task": "tests.support.jobs.ad"}, "did you mean tests.support.jobs.add?"),
        ({"args": (1,)}, "missing 1 required"),
        ({"args": (BeatLazyFunc(datetime.now), 2)}, "JSON"),
        ({"schedule": "soon"}, "is no schedule"),
        ({"schedule": Odd(5)}, "is no schedule"),
        ({"schedule": 0}, "at least a tenth of a second"),
        ({"options": {"expires": datetime(2100, 1, 1, tzinfo=UTC)}}, "number of seconds"),
        ({"options": {"faena": {"overlapp": "skip"}}}, "overlapp"),
        ({"options": {"faena": {"time_zone": "Mars"}}}, "time zone"),
    ],
)
def test_a_bad_entry_has_its_problem_and_kills_no_other(entries, given, said, caplog):
    found = entries(bad=entry(1) | given, good=entry(1))
    assert said in found[0].problem
    schedule_sources.synchronise(app)
    assert "The schedule bad cannot fire" in caplog.text
    rows = {each.name: each for each in Schedule.objects.all()}
    assert said in rows["bad"].problem
    assert (rows["bad"].next_due, rows["good"].problem) == (None, "")
    assert rows["good"].next_due
    [error] = checks.check_schedules()
    assert (error.id, said in error.msg) == ("faena.E002", True)


def test_entries_without_what_they_need(entries):
    found = entries(a={"task": TASK}, b={"schedule": 5}, c=None)
    assert [bool(each.problem) for each in found] == [True, True, True]
    schedule_sources.synchronise(app)
    assert Schedule.objects.count() == 3


def test_with_another_scheduler_they_are_its_business(entries, monkeypatch):
    entries(one=entry(5), bad=entry(1, task="x"))
    monkeypatch.setitem(app.conf, "beat_scheduler", "celery.beat:PersistentScheduler")
    assert schedule_sources.synchronise(app) == []
    assert checks.check_schedules() == []


def test_without_entries_there_is_nothing_to_say(entries):
    entries()
    assert checks.check_schedules() == []
