"""How many jobs end per minute: what the keeper has counted, as equal steps for charts and as rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from faena.models import Minute

#: Steps of one chart, at most.
CEILING = 200


@dataclass(frozen=True, slots=True)
class Step:
    """Jobs that ended from `at` on, for one step of a chart."""

    at: datetime
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def ended(self) -> int:
        """All of them."""
        return self.completed + self.failed + self.cancelled


@dataclass(frozen=True, slots=True)
class Rate:
    """Jobs that ended per minute, and the share of those that failed in per cent (None: none ended)."""

    ended: int
    failed: int
    per_minute: float
    failure_percent: float | None


def steps(span: timedelta, step: timedelta, now: datetime | None = None, queue: str = "") -> list[Step]:
    """The last `span` in whole steps, oldest first; those in which nothing ended are there too.

    Args:
        step: a number of whole minutes.
    """
    now = now or timezone.now()
    length = int(step.total_seconds())
    last = int(now.timestamp()) // length * length
    starts = [last - length * n for n in range(min(CEILING, int(span / step)))][::-1]
    found = dict.fromkeys(starts, (0, 0, 0))
    for bucket, completed, failed, cancelled in _sums(length, starts[0], queue):
        found[int(bucket) * length] = (int(completed), int(failed), int(cancelled))
    return [Step(datetime.fromtimestamp(start, UTC), *found[start]) for start in starts]


def _sums(length: int, since: int, queue: str) -> list[tuple[float, int, int, int]]:
    """By number of the step since 1970, what ended in it. Added up by the database: a week has ten thousand minutes."""
    on_sqlite = connection.vendor == "sqlite"
    seconds = "CAST(strftime('%%s', minute) AS INTEGER)" if on_sqlite else "floor(extract(epoch FROM minute))::bigint"
    begin = connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(since, UTC))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {seconds} / {length:d}, sum(completed), sum(failed), sum(cancelled) FROM faena_minute
                 WHERE queue = %s AND minute >= %s GROUP BY 1""",
            [queue, begin],
        )
        return cursor.fetchall()


def by_queue(span: timedelta, step: timedelta, now: datetime | None = None) -> dict[str, list[int]]:
    """How many jobs of each queue ended in each step of the last `span`, oldest first."""
    now = now or timezone.now()
    length, count = int(step.total_seconds()), min(CEILING, int(span / step))
    first = int(now.timestamp()) // length * length - length * (count - 1)
    rows = Minute.objects.filter(minute__gte=datetime.fromtimestamp(first, UTC)).exclude(queue="")
    found: dict[str, list[int]] = {}
    for queue, minute, *numbers in rows.values_list("queue", "minute", "completed", "failed", "cancelled"):
        place = (int(minute.timestamp()) - first) // length
        if place < count:
            found.setdefault(queue, [0] * count)[place] += sum(numbers)
    return found


def rates(minutes: int, now: datetime | None = None) -> dict[str, Rate]:
    """The rate of the last so many minutes by queue, and of all together under the empty name."""
    since = (now or timezone.now()) - timedelta(minutes=minutes)
    sums = Minute.objects.filter(minute__gt=since - timedelta(minutes=1)).order_by().values_list("queue")
    found = sums.annotate(done=Sum("completed"), bad=Sum("failed"), off=Sum("cancelled"))
    return {queue: _rate(done + bad + off, bad, minutes) for queue, done, bad, off in found}


def rate_of(found: Sequence[Step]) -> Rate:
    """The rate over these steps of a minute each."""
    return _rate(sum(each.ended for each in found), sum(each.failed for each in found), len(found))


def _rate(ended: int, failed: int, minutes: int) -> Rate:
    return Rate(ended, failed, ended / max(1, minutes), 100 * failed / ended if ended else None)
