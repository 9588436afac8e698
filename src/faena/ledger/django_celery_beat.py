"""Schedules from the tables of django-celery-beat, read by SQL: the package need not be installed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from faena.ledger import sql
from faena.models import Schedule
from faena.models.schedule import Kind

_TASKS = "django_celery_beat_periodictask"
_TIMINGS = ("interval", "crontab", "solar", "clocked")
#: What Celery's own beat adds by itself.
_CELERYS_OWN = {"celery.backend_cleanup"}

Row = dict[str, Any]


def are_there() -> bool:
    """Whether this database has the tables."""
    return _TASKS in connection.introspection.table_names()


def read() -> list[Schedule]:
    """Its periodic tasks as unsaved schedules. Timings that make no sense are found when these are saved."""
    timings = {name: {row["id"]: row for row in _table(f"django_celery_beat_{name}schedule")} for name in _TIMINGS}
    return [_schedule(row, timings) for row in _table(_TASKS) if row["name"] not in _CELERYS_OWN]


def _table(name: str) -> list[Row]:
    """All rows, whatever columns its version has."""
    if name not in connection.introspection.table_names():
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {name} ORDER BY id")
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _schedule(row: Row, timings: dict[str, dict[int, Row]]) -> Schedule:
    made = Schedule(
        name=sql.short(row["name"], 255),
        task=row["task"],
        args=_json(row["args"] or "[]"),
        kwargs=_json(row["kwargs"] or "{}"),
        queue=row.get("queue") or "",
        priority=row.get("priority"),
        expires=row.get("expire_seconds"),
        options=_options(row),
        enabled=bool(row["enabled"]),
        ends=_moment(row.get("expires")),
    )
    # An interval goes on in the rhythm in which it last ran.
    made.starts = _moment(row.get("start_time")) or _moment(row.get("last_run_at")) or made.starts
    for name in _TIMINGS:
        if (key := row.get(f"{name}_id")) is not None and key in timings[name]:
            _SETTERS[name](made, timings[name][key])
            break
    return _as_once(made) if row.get("one_off") else made


def _options(row: Row) -> dict[str, Any]:
    headers = _json(row.get("headers") or "{}")
    given = {"exchange": row.get("exchange"), "routing_key": row.get("routing_key"), "headers": headers}
    return {name: value for name, value in given.items() if value}


def _interval(made: Schedule, row: Row) -> None:
    made.kind, made.every = Kind.INTERVAL, timedelta(**{row["period"]: row["every"]}).total_seconds()


def _crontab(made: Schedule, row: Row) -> None:
    fields = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    made.kind, made.crontab = Kind.CRONTAB, " ".join(str(row[name]).replace(" ", "") for name in fields)
    made.time_zone = str(row.get("timezone") or made.time_zone)


def _solar(made: Schedule, row: Row) -> None:
    made.kind, made.event = Kind.SOLAR, row["event"]
    made.latitude, made.longitude = float(row["latitude"]), float(row["longitude"])


def _clocked(made: Schedule, row: Row) -> None:
    made.kind, made.at = Kind.ONCE, _moment(row["clocked_time"])


_SETTERS = {"interval": _interval, "crontab": _crontab, "solar": _solar, "clocked": _clocked}


def _as_once(made: Schedule) -> Schedule:
    """Of a `one_off` task with a timing the next time counts."""
    if made.kind and made.kind != Kind.ONCE and not made.find_problems():
        made.at = made.timing.next_after(timezone.now())
        made.kind = Kind.ONCE
    return made


def _json(text: str) -> Any:
    """The value; text that is no JSON stays text, and is refused when it is saved."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _moment(value: Any) -> datetime | None:
    return None if value is None else sql.as_time(value)
