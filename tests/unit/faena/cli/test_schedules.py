from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.db import connection
from django.utils import timezone

from faena import occurrences
from faena.cli.main import cli
from faena.ledger import schedules, sql
from faena.models import AuditEntry, Job, Schedule
from tests.support import jobs

pytestmark = pytest.mark.usefixtures("ledger")


def faena(*words: object, code: int = 0) -> Result:
    ran = CliRunner().invoke(cli, ["schedules", *map(str, words)])
    assert ran.exit_code == code, (ran.output, ran.exception)
    assert "Traceback" not in ran.output
    return ran


def told(*words: object) -> Any:
    return json.loads(faena(*words, "--json").stdout)


@pytest.fixture
def nightly() -> Schedule:
    return schedules.save(
        Schedule(
            name="nightly",
            task=jobs.add.name,
            args=[1, 2],
            kind="crontab",
            crontab="0 8 * * mon",
            time_zone="America/Santiago",
        )
    )


def test_the_list(nightly):
    schedules.run_now(nightly.pk)
    [facts] = told("list")
    assert (facts["name"], facts["when"]) == ("nightly", "Mondays at 08:00 (America/Santiago)")
    assert facts["last"].endswith(" fired")
    shown = faena("list").stdout
    assert "Mondays at 08:00" in shown
    assert "tests.support.jobs.add" in shown


def test_an_empty_list_says_where_to_begin():
    assert "docs/schedules.md" in faena("list").stderr
    assert told("list") == []


def test_one_with_what_comes_and_what_came(nightly):
    schedules.run_now(nightly.pk)
    schedules.skip(nightly.pk)
    facts = told("show", "nightly")
    assert [each["skipped"] for each in facts["to_come"]] == [True] + [False] * 9
    assert facts["history"][0]["job"] == str(Job.objects.get().pk)
    shown = faena("show", "nightly").stdout
    assert shown.count("08:00:00 -0") >= 10
    assert shown.count("  skipped") == 1


def test_run(nightly):
    assert told("run", "nightly")["job"] == str(Job.objects.get().pk)
    assert "the one before was not over" in faena("run", "nightly", code=2).stderr
    assert AuditEntry.objects.filter(action="run schedule").count() == 1


def test_skip_the_next_or_one_by_its_time_and_take_it_back(nightly):
    second = occurrences.to_come(nightly)[1].due_at
    faena("skip", "nightly")
    faena("skip", "nightly", "--at", second.astimezone(nightly.zone).strftime("%Y-%m-%d %H:%M:%S"))
    assert [each.skipped for each in occurrences.to_come(nightly, 3)] == [True, True, False]
    assert "is not skipped" in faena("skip", "nightly", "--undo").stdout
    assert [each.skipped for each in occurrences.to_come(nightly, 3)] == [False, True, False]
    faena("skip", "nightly", "--undo")
    assert "No occurrence" in faena("skip", "nightly", "--undo", code=2).stderr
    assert "not due then" in faena("skip", "nightly", "--at", "2030-01-01 00:00:00", code=2).stderr


def test_disable_and_enable(nightly):
    assert told("disable", "nightly") == {"schedule": "nightly", "enabled": False, "next": None}
    assert told("list")[0]["next"] == "disabled"
    assert "enabled, next" in faena("enable", "nightly").stdout
    assert Schedule.objects.get().next_due == nightly.next_due


def test_a_name_that_is_none(nightly):
    assert "did you mean 'nightly'?" in faena("run", "nigtly", code=2).stderr


def test_those_that_do_not_fire_say_why(nightly):
    Schedule.objects.update(problem="Unknown task x.", next_due=None)
    assert told("list")[0]["next"] == "cannot fire: Unknown task x."


# --- django-celery-beat ------------------------------------------------------------------------

#: As its migrations make them; the task's columns that older versions do not have come last.
TABLES = {
    "intervalschedule": "id integer PRIMARY KEY, every integer, period varchar(24)",
    "crontabschedule": (
        "id integer PRIMARY KEY, minute varchar(240), hour varchar(96), day_of_week varchar(64),"
        " day_of_month varchar(124), month_of_year varchar(64), timezone varchar(63)"
    ),
    "solarschedule": "id integer PRIMARY KEY, event varchar(24), latitude decimal(9,6), longitude decimal(9,6)",
    "clockedschedule": "id integer PRIMARY KEY, clocked_time {moment}",
    "periodictask": (
        "id integer PRIMARY KEY, name varchar(200), task varchar(200), args text, kwargs text, queue varchar(200),"
        " exchange varchar(200), routing_key varchar(200), expires {moment}, enabled {boolean},"
        " last_run_at {moment}, total_run_count integer, date_changed {moment}, description text,"
        " crontab_id integer, interval_id integer, solar_id integer, one_off {boolean}, start_time {moment},"
        " priority integer, headers text, clocked_id integer, expire_seconds integer"
    ),
}


@pytest.fixture
def theirs(ledger):
    """The tables of django-celery-beat; a function that writes a row."""
    postgresql = connection.vendor == "postgresql"
    types = {"moment": "timestamptz" if postgresql else "datetime", "boolean": "boolean" if postgresql else "bool"}

    def write(table: str, **values: object) -> None:
        holes = ", ".join("%s" for _ in values)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO django_celery_beat_{table} ({', '.join(values)}) VALUES ({holes})",
                [sql.moment(each) if isinstance(each, datetime) else each for each in values.values()],
            )

    with connection.cursor() as cursor:
        for table, columns in TABLES.items():
            cursor.execute(f"CREATE TABLE django_celery_beat_{table} ({columns.format(**types)})")
    yield write
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE django_celery_beat_{table}")


def task(number: int, **values: object) -> dict:
    usual = {"id": number, "task": jobs.add.name, "args": "[1, 2]", "kwargs": "{}", "headers": "{}"}
    return usual | {"enabled": True, "one_off": False} | values


def test_what_django_celery_beat_has_is_taken_over(theirs):
    at = timezone.now().replace(microsecond=0)
    theirs("intervalschedule", id=1, every=2, period="minutes")
    theirs("crontabschedule", id=1, minute="0", hour="8", day_of_week="1", day_of_month="*", month_of_year="*",
           timezone="Europe/Madrid")  # fmt: skip
    theirs("solarschedule", id=1, event="sunset", latitude=-33.4, longitude=-70.6)
    theirs("clockedschedule", id=1, clocked_time=at.replace(year=2099))
    theirs("periodictask", **task(1, name="interval", interval_id=1, last_run_at=at, priority=5, expire_seconds=60))
    theirs("periodictask", **task(2, name="crontab", crontab_id=1, queue="reports", headers='{"tenant": "a"}'))
    theirs("periodictask", **task(3, name="solar", solar_id=1, enabled=False))
    theirs("periodictask", **task(4, name="clocked", clocked_id=1, one_off=True))
    theirs("periodictask", **task(5, name="one crontab", crontab_id=1, one_off=True))
    theirs("periodictask", **task(6, name="unknown", crontab_id=1, task="gone"))
    theirs("periodictask", **task(7, name="no json", crontab_id=1, args="[1,"))
    theirs("periodictask", **task(8, name="no timing"))
    theirs("periodictask", **task(9, name="celery.backend_cleanup", crontab_id=1))
    said = told("import-django-celery-beat")
    assert said["imported"] == ["interval", "crontab", "solar", "clocked", "one crontab"]
    assert set(said["refused"]) == {"unknown", "no json", "no timing"}
    assert "Unknown task gone." in said["refused"]["unknown"]
    found = {each.name: each for each in Schedule.objects.all()}
    interval, crontab = found["interval"], found["crontab"]
    assert (interval.every, interval.starts, interval.priority, interval.expires) == (120, at, 5, 60)
    assert (crontab.crontab, crontab.time_zone, crontab.queue) == ("0 8 * * 1", "Europe/Madrid", "reports")
    assert crontab.options == {"headers": {"tenant": "a"}}
    assert (found["solar"].latitude, found["solar"].enabled) == (-33.4, False)
    assert found["clocked"].next_due.year == 2099
    assert (found["one crontab"].kind, found["one crontab"].at) == ("once", crontab.next_due)


def test_a_second_import_changes_nothing(theirs):
    theirs("intervalschedule", id=1, every=2, period="minutes")
    theirs("periodictask", **task(1, name="interval", interval_id=1))
    assert "1 imported, 0 refused" in faena("import-django-celery-beat").stdout
    ran = faena("import-django-celery-beat")
    assert "0 imported, 1 refused" in ran.stdout
    assert "already exists" in ran.stderr


def test_without_its_tables_it_says_so():
    assert "no tables of django-celery-beat" in faena("import-django-celery-beat", code=2).stderr
