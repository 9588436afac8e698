"""Run: what a job's body holds. It counts, reports, remembers where it is, and stops when it is asked to."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal, TypeVar, overload
from uuid import UUID
from weakref import ref

from django.db import connection, transaction

from faena import conf
from faena.errors import LeaseLost, Stopped
from faena.ledger import limits, sql
from faena.ledger.claim import Hold
from faena.ledger.records import Item, Line, write_items, write_lines
from faena.states import ItemState, State, Stop

logger = logging.getLogger("faena.job")
T = TypeVar("T")

#: A body that goes row by row saves its place after this many seconds, and hears then that it should stop.
SAVE_SECONDS = 1.0
#: Items and log lines wait for the next save, up to this many.
BUFFER = 500
#: SQLite has one writer, and whoever waits for it looks only every 0.1 s. So a job that writes almost without a
#: break leaves the file alone for that long after so many seconds; else nobody could enqueue, beat or pause it.
WRITING_SECONDS = 1.5
BREATH_SECONDS = 0.1


@dataclass(slots=True)
class _Counts:
    """What a rolled-back checkpoint must restore."""

    done: int
    failed: int
    skipped: int
    total: int | None
    cursor: str
    items: dict[str, Item]


class Run:
    """One execution of a job. A body gets it as its first argument."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        self._items: dict[str, Item] = {}
        self._lines: list[Line] = []
        #: Weakly: a loop that is left must end, and roll its list back, before the body goes on.
        self._loops: list[ref[Generator]] = []
        #: How many loops the body has begun, by the row that it had of another one meanwhile.
        self._begun: Counter[str] = Counter()
        #: Those rows, outermost first.
        self._rows: list[str] = []
        self._saved_at = time.monotonic()
        self._writing_since = self._wrote_until = 0.0
        self._totals: dict[str, int] = {}
        #: Transactions of the caller's: of `run_now` inside one, and of Django's TestCase.
        self._outer_transactions = _open_transactions()
        #: Checkpoints that the body is in: transactions too.
        self._checkpoints = 0

    # --- what the body may ask -----------------------------------------------------------------

    @property
    def id(self) -> UUID:
        """The job's id, which is Celery's task id."""
        return self.hold.job_id

    @property
    def has_counts(self) -> bool:
        """Whether the body counted anything."""
        return bool(self.hold.done or self.hold.failed or self.hold.skipped)

    @property
    def attempt(self) -> int:
        """0 on the first attempt, +1 at each retry."""
        return self.hold.attempt

    @property
    def cursor(self) -> dict[str, Any]:
        """A dict of JSON values of the body's own, saved with every checkpoint and there again after a crash."""
        return self.hold.cursor.setdefault("own", {})

    def summary(self, **more: Any) -> dict[str, Any]:
        """The counts, for `return run.summary()`; with failed items the job is completed_with_errors."""
        hold = self.hold
        return {"done": hold.done, "failed": hold.failed, "skipped": hold.skipped, "total": hold.total} | more

    # --- going through the work ----------------------------------------------------------------

    @overload
    def each(self, rows: Iterable[T], *, total: int | None = None) -> Iterator[T]: ...

    @overload
    def each(self, rows: Iterable[T], *, batch: int, total: int | None = None) -> Iterator[list[T]]: ...

    def each(self, rows: Iterable[T], *, batch: int | None = None, total: int | None = None) -> Iterator:
        """Go through the rows, past those that an earlier execution has done; they must come in the same order.

        One by one it saves its place every second; after a crash the rows since the last save come again. With
        `batch=500` it hands lists of that size and wraps each in `checkpoint()`: what the body writes to the
        database for one list commits together with the place in `rows`, so that after a crash at any moment
        it has happened exactly once. Leaving the loop inside a list rolls that list back.

        Args:
            total: how many rows there are, if `rows` has no length.

        Raises:
            Stopped: between two rows or lists, when the job was paused, cancelled or handed over.
            LeaseLost: another worker has taken the job over.
            RuntimeError: inside a transaction of the body's own, with which rows would be rolled back that the job
                takes for done.
        """
        place = self._skip(rows, total)
        loop = self._each(place) if batch is None else self._batches(place, batch)
        self._loops.append(ref(loop))
        return loop

    def for_each(
        self,
        body: Callable[[T], Any],
        rows: Iterable[T],
        *,
        key: Callable[[T], object] = str,
        on_error: Literal["raise", "record"] = "raise",
        total: int | None = None,
    ) -> None:
        """Call `body` for every row. With `on_error="record"` one bad row is an item with its error, and the
        job goes on.

        Args:
            key: names the row in its item.

        Raises:
            Stopped, LeaseLost: as `each`; and what `body` raises, unless it is recorded.
        """
        for row in self.each(rows, total=total):
            try:
                body(row)
            except Exception as error:
                # A database that went away is no fault of the row, and the next rows would fail with it.
                if on_error == "raise" or sql.lost_connection(error):
                    raise
                self.reject(key(row), f"{type(error).__name__}: {error}")

    def step(self, name: str, act: Callable[[], T]) -> T:
        """Do `act` once per job, whatever happens: later executions get its result back.

        `act` runs inside `checkpoint()` and returns something JSON can hold.
        """
        steps = self.hold.cursor.setdefault("steps", {})
        if name not in steps:
            with self.checkpoint():
                steps[name] = act()
        return steps[name]

    @contextmanager
    def checkpoint(self) -> Iterator[None]:
        """Commit the block's own database work together with the job's place and counts.

        A row of `each` that the body is at is not done yet: after a crash it comes again, and the block with it. To
        commit a row with its place take `run.each(rows, batch=1)`.

        Raises:
            LeaseLost: another worker has taken the job over; the block's work is rolled back.
            Stopped: after the commit, when the job was asked to stop.
            RuntimeError: inside a transaction of the body's own, which may yet roll the block back.
        """
        self._refuse_own_transaction()
        before = self._counts()
        began = time.monotonic()
        self._checkpoints += 1
        try:
            with transaction.atomic():
                yield
                stop = self._save()
        except BaseException:
            self._restore(before)
            raise
        finally:
            self._checkpoints -= 1
        self._breathe(began)
        self._items.clear()
        self._write_lines()
        self._heed(stop)

    def permit(self, key: str, rate: str) -> None:
        """Wait until all processes together may do once more what `key` names, such as ("panaccess:login", "20/5m").

        Write the same rate everywhere. Not inside a transaction, whose end the others would have to wait for.

        Raises:
            Stopped: the job was asked to stop meanwhile; no permit was taken.
            ConfigurationError: the rate is written wrong.
            RuntimeError: inside a transaction.
        """
        while (wait := limits.take(key, rate)) > 0:
            time.sleep(min(wait, SAVE_SECONDS))
            self._save_now_and_then()

    @contextmanager
    def validating(self) -> Iterator[None]:
        """The state VALIDATING while the block checks the input. Raise `Invalid` to end the job, no retries."""
        self._enter(State.VALIDATING)
        yield
        self._enter(State.RUNNING)

    # --- what people see -----------------------------------------------------------------------

    def item(
        self,
        key: object,
        state: ItemState | str,
        message: str = "",
        output: Any = None,
        *,
        seconds: float | None = None,
        count: bool = True,
    ) -> None:
        """Record how one part of the job came out. Saying it again for the same key replaces it.

        Args:
            count: add it to the counts; for items of state done inside `each`, which counts rows itself, False.
        """
        state = ItemState(state)
        text = sql.short(str(key), 200)
        self._items[text] = Item(
            key=text,
            state=state,
            message=message,
            output=output,
            at=_now(),
            seconds=seconds,
        )
        if count:
            self.count(**{state.value: 1})
        if len(self._items) >= BUFFER and not self._is_in_transaction:
            self._flush_items()

    def reject(self, key: object, message: str, output: Any = None) -> None:
        """Record a part that failed; the job will be completed_with_errors."""
        self.item(key, ItemState.FAILED, message, output)

    def count(self, done: int = 0, failed: int = 0, skipped: int = 0) -> None:
        """Add to the counts."""
        self.hold.done += done
        self.hold.failed += failed
        self.hold.skipped += skipped

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the job is, for bodies that count by themselves."""
        self.hold.done = done
        self.hold.total = self.hold.total if total is None else total
        self._save_now_and_then()

    def log(self, text: str, level: Literal["debug", "info", "warning", "error"] = "info") -> None:
        """A line in the job's own log and in logging."""
        logger.log(logging.getLevelName(level.upper()), "[%s] %s", self.id, text)
        self._lines.append(Line(_now(), level, text, self.attempt))
        if len(self._lines) >= BUFFER:
            self._write_lines()

    # --- inside --------------------------------------------------------------------------------

    def close(self) -> None:
        """End loops that the body left, and write what is still buffered. Called when the body has ended."""
        for loop in reversed(self._loops):
            if (left := loop()) is not None:
                left.close()
        self._leave_transactions()
        self._write_lines()
        if self._items:
            self._flush_items()

    @property
    def _is_in_transaction(self) -> bool:
        """Whether the body is inside a transaction of its own."""
        return _open_transactions() > self._outer_transactions

    def _refuse_own_transaction(self) -> None:
        """Rolled back, it would take work with it whose place the job keeps, and which would never be done."""
        if _open_transactions() > self._outer_transactions + self._checkpoints:
            raise RuntimeError(
                "run.each(…), run.step(…) and run.checkpoint() do not work in a transaction of the body's own, as it "
                "may yet be rolled back. Begin it in the loop, or take run.each(…, batch=…): each list is one."
            )

    def _leave_transactions(self) -> None:
        """Roll back what the body left open, or the settlement would be rolled back with it."""
        left_autocommit = connection.connection is not None and not connection.autocommit
        if not self._outer_transactions and (connection.in_atomic_block or left_autocommit):
            logger.warning("Job %s left a database transaction open; it is rolled back.", self.id)
            connection.close()
            connection.connect()

    def _flush_items(self) -> None:
        """Write the items under the fence; without the counts, as this may be in the middle of a row."""
        with transaction.atomic():
            held = sql.execute(
                f"UPDATE faena_job SET lease_until = {sql.now(conf.get().LEASE)}"
                f" WHERE id = %s AND fence = %s AND state IN {sql.IN_HELD}",
                [sql.key(self.id), self.hold.fence],
            )
            if not held:
                self._items.clear()
                raise LeaseLost(self.id)
            write_items(self.id, self._items.values())
        self._items.clear()

    def _skip(self, rows: Iterable[T], total: int | None) -> tuple[str, Iterator[T]]:
        """Name this loop by its order in the body, or in the row it is begun in; leave out what it has done before."""
        within = self._rows[-1] if self._rows else ""
        self._begun[within] += 1
        name = f"{within}{self._begun[within]}"
        if total is None and isinstance(rows, Sized):
            total = len(rows)
        if total is not None:
            self._totals[name] = total
            self.hold.total = sum(self._totals.values())
        places = self.hold.cursor.setdefault("loops", {})
        return name, islice(iter(rows), places.setdefault(name, 0), None)

    def _each(self, loop: tuple[str, Iterator[T]]) -> Generator[T, None, None]:
        name, rows = loop
        places = self.hold.cursor["loops"]
        for row in rows:
            self._refuse_own_transaction()
            self._save_now_and_then()
            failed_before = self.hold.failed + self.hold.skipped
            with self._having_row_of(name):
                yield row
            places[name] += 1
            # A row that the body rejected or skipped is counted as that already.
            self.count(done=0 if self.hold.failed + self.hold.skipped > failed_before else 1)
        with self.checkpoint():
            pass

    def _batches(self, loop: tuple[str, Iterator[T]], size: int) -> Generator[list[T], None, None]:
        name, rows = loop
        places = self.hold.cursor["loops"]
        while batch := list(islice(rows, size)):
            with self.checkpoint():
                bad_before = self.hold.failed + self.hold.skipped
                with self._having_row_of(name):
                    yield batch
                places[name] += len(batch)
                self.count(done=len(batch) - (self.hold.failed + self.hold.skipped - bad_before))

    @contextmanager
    def _having_row_of(self, name: str) -> Iterator[None]:
        """The body has the loop's next row: the places of loops that it begins meanwhile end with that row."""
        places = self.hold.cursor["loops"]
        row = f"{name}.{places[name]}."
        self._rows.append(row)
        try:
            yield
        finally:
            self._rows.remove(row)
            begun = self._begun.pop(row, 0)
        if begun:
            for inner in [each for each in places if each.startswith(row)]:
                del places[inner]

    def _save_now_and_then(self) -> None:
        if time.monotonic() - self._saved_at >= SAVE_SECONDS and not self._is_in_transaction:
            with self.checkpoint():
                pass

    def _save(self) -> Stop:
        """Write place, counts and items under the fence; what the job is asked to do."""
        hold = self.hold
        found = sql.rows(
            f"""UPDATE faena_job SET cursor = %s, done = %s, failed = %s, skipped = %s, total = %s,
                       lease_until = {sql.now(conf.get().LEASE)}
                 WHERE id = %s AND fence = %s AND state IN {sql.IN_HELD} RETURNING stop""",
            [hold.place, hold.done, hold.failed, hold.skipped, hold.total, sql.key(hold.job_id), hold.fence],
        )  # fmt: skip
        if not found:
            raise LeaseLost(hold.job_id)
        if self._items:
            write_items(self.id, self._items.values())
        self._saved_at = time.monotonic()
        return Stop(found[0][0])

    def _breathe(self, began: float) -> None:
        """Let others write, if this job has kept them from it for long."""
        if connection.vendor != "sqlite" or connection.in_atomic_block:
            return
        now = time.monotonic()
        if began - self._wrote_until >= BREATH_SECONDS:
            self._writing_since = began
        if now - self._writing_since >= WRITING_SECONDS:
            time.sleep(BREATH_SECONDS)
        self._wrote_until = now

    def _heed(self, stop: Stop) -> None:
        if stop is not Stop.NONE:
            raise Stopped(stop)

    def _enter(self, state: State) -> None:
        changed = sql.execute(
            f"UPDATE faena_job SET state = %s WHERE id = %s AND fence = %s AND state IN {sql.IN_HELD}",
            [state, sql.key(self.id), self.hold.fence],
        )
        if not changed:
            raise LeaseLost(self.id)

    def _write_lines(self) -> None:
        # Not inside a transaction of the body's: what it says must outlive a rollback.
        if self._lines and not self._is_in_transaction:
            write_lines(self.id, self._lines)
            self._lines.clear()

    def _counts(self) -> _Counts:
        hold = self.hold
        cursor = json.dumps(hold.cursor)
        return _Counts(hold.done, hold.failed, hold.skipped, hold.total, cursor, dict(self._items))

    def _restore(self, before: _Counts) -> None:
        hold = self.hold
        hold.done, hold.failed, hold.skipped = before.done, before.failed, before.skipped
        hold.total = before.total
        restored = json.loads(before.cursor)
        for name in list(hold.cursor):
            if name not in restored:
                del hold.cursor[name]
        for name, value in restored.items():
            if isinstance(value, dict) and isinstance(hold.cursor.get(name), dict):
                # In place: the loops and the body hold on to these dicts.
                hold.cursor[name].clear()
                hold.cursor[name].update(value)
            else:
                hold.cursor[name] = value
        self._items = before.items


class LooseRun(Run):
    """A run without a row: for Celery's eager mode and direct calls, where nothing is recorded."""

    def _save(self) -> Stop:
        self._saved_at = time.monotonic()
        return Stop.NONE

    def _enter(self, state: State) -> None:
        pass

    def _flush_items(self) -> None:
        self._items.clear()

    def _leave_transactions(self) -> None:
        pass

    def _write_lines(self) -> None:
        self._lines.clear()


def _open_transactions() -> int:
    """How many `atomic()` blocks this thread is in."""
    return len(connection.savepoint_ids) + connection.in_atomic_block


def _now() -> datetime:
    return datetime.now().astimezone()
