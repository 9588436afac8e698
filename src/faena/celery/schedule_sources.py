"""Celery's `beat_schedule` setting, read into schedules of the ledger."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery import Celery, schedules
from celery.beat import ScheduleEntry
from kombu.utils.json import dumps, loads

from faena import registry
from faena.celery.install import SCHEDULER
from faena.celery.known_tasks import KnownTasks
from faena.ledger import schedules as ledger
from faena.ledger import sql
from faena.models import Schedule
from faena.models.schedule import Kind, Source, default_zone
from faena.timing import BadTiming

logger = logging.getLogger(__name__)

#: In an entry's `options`: what Faena's schedules can besides.
OWN = "faena"
_OWN_OPTIONS = {"overlap", "misfire", "catch_up", "jitter", "time_zone"}
_COLUMNS = ("queue", "priority", "expires")


def synchronise(app: Celery) -> list[Schedule]:
    """Write what the setting says into the ledger, and report entries that can never fire; all of them."""
    if app.conf.beat_scheduler != SCHEDULER:
        return []  # they are that scheduler's business
    declared = read(app)
    done = ledger.synchronise(declared)
    if done.added or done.changed or done.removed:
        logger.info("Schedules of the code: %d added, %d changed, %d removed.", done.added, done.changed, done.removed)
    for each in declared:
        if each.problem:
            logger.error("The schedule %s cannot fire: %s", each.name, each.problem)
    return declared


def problems_of_setting() -> list[tuple[str, str]]:
    """The entries of the installed app's setting that can never fire, with the reason."""
    if not isinstance(registry.tasks, KnownTasks) or registry.tasks.app.conf.beat_scheduler != SCHEDULER:
        return []
    app = registry.tasks.app
    app.finalize(auto=True)  # entries that are added then are entries too
    return [(each.name, each.problem) for each in read(app) if each.problem]


def read(app: Celery) -> list[Schedule]:
    """The entries of the setting as unsaved schedules, those that can never fire with their `problem`."""
    return [_read_one(app, str(name), entry) for name, entry in (app.conf.beat_schedule or {}).items()]


def _read_one(app: Celery, name: str, entry: Any) -> Schedule:
    made = Schedule(name=sql.short(name, 255), source=Source.CODE, kind=Kind.ONCE, time_zone=_zone_name(app.timezone))
    try:
        entry = vars(entry) if isinstance(entry, ScheduleEntry) else entry
        made.task = entry["task"]
        made.args, made.kwargs = _as_json(list(entry.get("args") or ())), _as_json(dict(entry.get("kwargs") or {}))
        _set_options(made, dict(entry.get("options") or {}))
        _set_timing(made, entry["schedule"], bool(entry.get("relative")))
        problems = made.find_problems()
    except BadTiming as bad:
        problems = {bad.field: str(bad)}
    except KeyError as missing:
        problems = {"entry": f"It has no {missing}."}
    except (TypeError, ValueError) as error:
        problems = {"entry": str(error)}
    made.problem = " ".join(problems.values())
    return made


def _as_json(value: Any) -> Any:
    try:
        return loads(dumps(value))
    except TypeError as error:
        raise ValueError(
            f"Its arguments must be JSON: {error}. What is to be computed at the time, the task computes."
        ) from None


def _set_options(made: Schedule, options: dict[str, Any]) -> None:
    own = options.pop(OWN, {})
    if unknown := set(own) - _OWN_OPTIONS:
        raise ValueError(
            f"Unknown in options['{OWN}']: {', '.join(unknown)}; known: {', '.join(sorted(_OWN_OPTIONS))}."
        )
    for name, value in own.items():
        setattr(made, name, value)
    columns = {name: options.pop(name) for name in _COLUMNS if options.get(name) is not None}
    made.queue = str(getattr(columns.get("queue", ""), "name", columns.get("queue", "")))
    made.priority = columns.get("priority")
    made.expires = _seconds(columns.get("expires"))
    made.options = _as_json(options)


def _seconds(expires: Any) -> float | None:
    if isinstance(expires, datetime):
        raise ValueError("options['expires'] is a number of seconds: a moment would come once for all.")
    return expires.total_seconds() if isinstance(expires, timedelta) else expires


def _set_timing(made: Schedule, given: Any, relative: bool) -> None:
    """Put Celery's schedule object into columns."""
    if isinstance(given, int | float | timedelta):
        given = schedules.schedule(given, relative)
    match given:
        case schedules.crontab():
            made.kind, made.crontab = Kind.CRONTAB, _line(given)
            made.time_zone = _zone_name(vars(given).get("tz", made.time_zone))
        case schedules.solar():
            made.kind, made.event = Kind.SOLAR, given.event
            made.latitude, made.longitude = given.lat, given.lon
        case schedules.schedule() if type(given) is schedules.schedule:
            made.kind, made.every = Kind.INTERVAL, given.run_every.total_seconds()
            if given.relative:
                made.starts = _rounded(made.starts.astimezone(made.zone), given.run_every)
        case _:
            raise BadTiming("entry", f"{given!r} is no schedule: write seconds, a timedelta, crontab(…) or solar(…).")


def _zone_name(zone: Any) -> str:
    """The name of a zone as Celery has it; the project's own where it is the host's, which has no name."""
    try:
        return ZoneInfo(str(zone)).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return default_zone()


def _line(crontab: schedules.crontab) -> str:
    """The crontab's line, from what it was made of."""
    minute, hour, day_of_week, day_of_month, month = (_field(each) for each in crontab.__reduce__()[1])
    return f"{minute} {hour} {day_of_month} {month} {day_of_week}"


def _field(given: Any) -> str:
    if isinstance(given, str):
        return given.replace(" ", "")
    return ",".join(str(each) for each in sorted(given)) if not isinstance(given, int) else str(given)


def _rounded(moment: datetime, every: timedelta) -> datetime:
    """As Celery rounds the times of a schedule with `relative=True`: to the interval's largest unit."""
    units: Mapping[str, int] = {"hour": 86400, "minute": 3600, "second": 60, "microsecond": 1}
    smaller: dict[str, Any] = {unit: 0 for unit, least in units.items() if every.total_seconds() >= least}
    return moment.replace(**smaller)
