"""Sample: count the jobs that ended, minute by minute, for the charts and the alerts."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from faena.ledger import sql
from faena.models import Minute

#: So long ago a count may begin, and so long it is kept.
FURTHEST = timedelta(days=1)
KEPT = timedelta(days=7)
#: A job that ended in the last second of a minute may be committed a little later.
SETTLING = timedelta(seconds=10)

_COLUMN = {"completed": 0, "completed_with_errors": 0, "failed": 1, "cancelled": 2}


def sample_once(now: datetime | None = None) -> int:
    """Count every minute since the last one counted, that one and the current one too; how many rows were written."""
    now = now or sql.database_now()
    since = _begin(now)
    counted: dict[tuple[datetime, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for minute, queue, state, number in _ended(since):
        at = sql.as_time(minute).astimezone(UTC)
        for name in (queue, ""):
            counted[at, name][_COLUMN[state]] += number
    counted.setdefault((_minute(now), ""), [0, 0, 0])
    Minute.objects.bulk_create(
        [
            Minute(minute=at, queue=queue, completed=c, failed=f, cancelled=x)
            for (at, queue), (c, f, x) in counted.items()
        ],
        update_conflicts=True,
        unique_fields=["queue", "minute"],
        update_fields=["completed", "failed", "cancelled"],
        batch_size=500,
    )
    return len(counted)


def forget_once(now: datetime | None = None) -> int:
    """Delete what is too old; how many rows."""
    return Minute.objects.filter(minute__lt=(now or sql.database_now()) - KEPT).delete()[0]


def _begin(now: datetime) -> datetime:
    last = Minute.objects.order_by("-minute").values_list("minute", flat=True).first()
    if last is None:
        return _minute(now - FURTHEST)
    return max(_minute(now - FURTHEST), min(last, _minute(now - SETTLING)))


def _ended(since: datetime) -> list[tuple]:
    on_sqlite = "strftime('%%Y-%%m-%%d %%H:%%M:00', finished)"
    minute = "date_trunc('minute', finished)" if sql.is_postgresql() else on_sqlite
    # SQLite uses a partial index only where the statement repeats its condition, word by word.
    return sql.rows(
        f"""SELECT {minute}, queue, state, count(*) FROM faena_job
             WHERE state IN {sql.IN_FINISHED} AND finished >= %s GROUP BY 1, 2, 3""",
        [sql.moment(since)],
    )


def _minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)
