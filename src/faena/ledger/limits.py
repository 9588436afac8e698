"""At most N running jobs per limit key, and at most N starts of it in any window of a length; across all workers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from faena.errors import ConfigurationError
from faena.ledger import sql

#: Starts are counted one by one at each claim, so a rate allows no more than this many.
MOST = 1000
#: The longest window of a rate; permits older than this are forgotten.
LONGEST = timedelta(days=31)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many starts in any window of so many seconds. As text: `20/300s`."""

    count: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds}s"

    @classmethod
    def parse(cls, text: str) -> Rate:
        """The rate that "60/m", "20/5m", "10/s" or "100/h" says.

        Raises:
            ConfigurationError: it is written otherwise, it allows none or more than 1000, or looks back over 31 days.
        """
        found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,7})?\s*([smhd])\s*", text)
        if not found or int(found[1]) < 1 or (found[2] and int(found[2]) < 1):
            raise ConfigurationError(f"rate={text!r}: write a number of starts per time, such as '60/m' or '20/5m'.")
        count, seconds = int(found[1]), int(found[2] or 1) * _SECONDS[found[3]]
        if count > MOST:
            raise ConfigurationError(
                f"rate={text!r} allows {count} starts, and they are counted one by one, at most {MOST}: "
                "write fewer in a shorter period, such as '100/m' instead of '6000/h'."
            )
        if seconds > LONGEST.total_seconds():
            raise ConfigurationError(
                f"rate={text!r} looks back further than {LONGEST.days} days, when starts are forgotten: "
                f"write a shorter period, such as '100/{LONGEST.days}d'."
            )
        return cls(count, seconds)


# SQL over the row `faena_job` (its columns, or those of a row that is named so).


def _allowed() -> str:
    """How many starts the row's rate allows."""
    text = "substring(faena_job.rate FROM '^[0-9]+')" if sql.is_postgresql() else "faena_job.rate"
    return f"CAST({text} AS integer)"


def _window_start() -> str:
    """When the window of the row's rate that ends now began."""
    if sql.is_postgresql():
        seconds = "CAST(substring(faena_job.rate FROM '/([0-9]+)s') AS integer)"
        return f"(clock_timestamp() - make_interval(secs => {seconds}))"
    seconds = "CAST(substr(faena_job.rate, instr(faena_job.rate, '/') + 1) AS integer)"
    return f"(strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-' || {seconds} || ' seconds') || '000')"


def permits_left() -> str:
    """SQL: how many more may start now under the row's rate; NULL without one."""
    return f"""({_allowed()} - (
        SELECT count(*) FROM faena_permit AS permit
         WHERE permit.key = faena_job.limit_key AND permit.taken > {_window_start()}))"""


def places_left() -> str:
    """SQL: how many more may run now under the row's limit; NULL without one."""
    return f"""(faena_job."limit" - (
        SELECT count(*) FROM faena_job AS other
         WHERE other.limit_key = faena_job.limit_key AND other.state IN {sql.IN_HELD}))"""


def _before() -> str:
    """SQL: how many wait for the same places and come first: a higher priority, or the same and older.

    Of the same queue only: nobody may ever take what waits in another. In the order of the index by queue, so that
    of a long queue only what is before the row is looked at; counting stops at `MOST`.
    """
    same = """SELECT 1 FROM faena_job AS other WHERE other.queue = faena_job.queue AND other.state = 'pending'
                 AND other.limit_key = faena_job.limit_key"""
    return f"""(SELECT count(*) FROM (
        {same} AND other.priority > faena_job.priority AND other.run_at <= {sql.now()}
         UNION ALL
        {same} AND other.priority = faena_job.priority AND other.run_at <= faena_job.run_at
               AND (other.run_at < faena_job.run_at OR other.id < faena_job.id)
         LIMIT {MOST}) AS ahead)"""


def has_place() -> str:
    """SQL: the row's limit and rate have a place for it and for all that come before it."""
    nothing = 2**31 - 1
    return f"""(faena_job.limit_key IS NULL OR {_before()} <
        {"LEAST" if sql.is_postgresql() else "MIN"}(
            COALESCE({places_left()}, {nothing}), COALESCE({permits_left()}, {nothing})))"""


@contextmanager
def unlocked() -> Iterator[str]:
    """For jobs without a limit: no lock, no condition."""
    yield "TRUE" if sql.is_postgresql() else "1"


@contextmanager
def locked(job_id: UUID) -> Iterator[str]:
    """Yields the SQL condition that limit and rate have a place for the job, true until the claim is committed."""
    with transaction.atomic():
        found = sql.rows("SELECT limit_key FROM faena_job WHERE id = %s", [sql.key(job_id)])
        if found and found[0][0] is not None:
            _lock(found[0][0])
        yield has_place()


def _lock(key: str) -> None:
    """Two starts of one key would both count before either shows: they take turns until the transaction ends.

    Its own statement, because a statement does not see what was committed after it began.
    """
    if sql.is_postgresql():
        sql.rows("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def note_start(key: str) -> None:
    """Take a permit. For a transaction that holds the lock.

    Of a key only the last `MOST` permits can count, for whichever rates share it; those before are forgotten.
    """
    sql.execute(
        """DELETE FROM faena_permit WHERE key = %s
              AND taken < (SELECT taken FROM faena_permit WHERE key = %s ORDER BY taken DESC LIMIT 1 OFFSET %s)""",
        [key, key, MOST - 1],
    )
    sql.execute(f"INSERT INTO faena_permit (key, taken) VALUES (%s, {sql.now()})", [key])


def forget_once() -> int:
    """Remove the permits that no rate looks back to; how many."""
    return sql.execute(f"DELETE FROM faena_permit WHERE taken < {sql.now(-LONGEST)}")


def acquire(key: str, rate: str, timeout: float | None = None) -> None:
    """Take one permit of this rate, waiting for one if need be: for what may be done only so often by all together.

        limits.acquire("panaccess:login", "20/5m")

    Every process that asks for the same key shares the rate; write the same rate everywhere.

    Args:
        timeout: how many seconds to wait at most; None waits as long as it takes.

    Raises:
        TimeoutError: no permit became free in time. None was taken.
        ConfigurationError: the rate is written wrong.
        RuntimeError: inside a transaction, whose end the others would have to wait for.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while (wait := take(key, rate)) > 0:
        if deadline is not None and time.monotonic() + wait > deadline:
            raise TimeoutError(f"No permit of {key!r} ({rate}) within {timeout} s; the next is free in {wait:.1f} s.")
        time.sleep(wait)


def take(key: str, rate: str) -> float:
    """Take a permit and return 0; or take none and say after how many seconds the next one is free.

    Raises:
        ConfigurationError, RuntimeError: as `acquire`.
    """
    allowed = Rate.parse(rate)
    with transaction.atomic(durable=True):
        _lock(key)
        found = sql.rows(
            f"""SELECT taken, {sql.now()} FROM faena_permit WHERE key = %s AND taken > {_ago(allowed.seconds)}
                 ORDER BY taken DESC LIMIT 1 OFFSET %s""",
            [key, allowed.count - 1],
        )
        if not found:
            note_start(key)
            return 0.0
    taken, now = map(sql.as_time, found[0])
    return max(0.001, allowed.seconds - (now - taken).total_seconds())


def _ago(seconds: int) -> str:
    return sql.now(-timedelta(seconds=seconds))
