from __future__ import annotations

from contextlib import nullcontext

import pytest
from django.db import connection, transaction
from django.utils import timezone

from faena.errors import Invalid, LeaseLost, Stopped
from faena.ledger import hold as people
from faena.ledger import settle, sql
from faena.models import Job, JobItem, JobLog
from faena.run import BUFFER, LooseRun, Run
from faena.states import Stop

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def job_id(make_job):
    return make_job()


@pytest.fixture
def begin(job_id, take):
    """Begin an execution of the job, or the next one."""
    return lambda: Run(take(job_id))


@pytest.fixture
def crash(job_id):
    """Die: nothing that was not committed is left, and another worker may claim the job."""

    def die(run: Run) -> None:
        if connection.in_atomic_block:
            connection.close()
            connection.connect()
        settle.crash(job_id, run.hold.fence, "died")

    return die


def write(n: object) -> None:
    """Work of the body's own on the same database."""
    JobLog.objects.create(job_id="0" * 32, at=timezone.now(), level="work", text=str(n))


def written() -> list[int]:
    return [int(text) for text in JobLog.objects.filter(level="work").order_by("id").values_list("text", flat=True)]


def save_always(monkeypatch) -> None:
    monkeypatch.setattr("faena.run.SAVE_SECONDS", -1)


def test_rows_are_counted(begin, row, job_id):
    run = begin()
    assert list(run.each("abc")) == ["a", "b", "c"]
    job = row(job_id)
    assert (job.done, job.total, job.percent) == (3, 3, 100)
    assert run.summary(more=1) == {"done": 3, "failed": 0, "skipped": 0, "total": 3, "more": 1}


def test_after_a_crash_rows_go_on_at_the_last_save(begin, crash, monkeypatch):
    save_always(monkeypatch)
    run = begin()
    for n in run.each(range(10)):
        write(n)
        if n == 4:
            break
    crash(run)
    for n in begin().each(range(10)):
        write(n)
    assert written() == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9]


def test_without_a_save_they_start_over_and_so_do_the_counts(begin, crash, row, job_id):
    run = begin()
    for n in run.each(range(10)):
        if n == 4:
            break
    crash(run)
    list(begin().each(range(10)))
    assert row(job_id).done == 10


@pytest.mark.parametrize("at", range(0, 12, 3))
def test_batches_happen_exactly_once_whenever_the_crash_comes(begin, crash, row, job_id, at):
    run = begin()
    for batch in run.each(iter(range(10)), batch=3, total=10):
        for n in batch:
            write(n)
        if at in batch:
            crash(run)  # inside the transaction of this batch
            break
    else:
        crash(run)
    run._loops.clear()
    for batch in begin().each(iter(range(10)), batch=3, total=10):
        for n in batch:
            write(n)
    assert written() == list(range(10))
    assert (row(job_id).done, row(job_id).total) == (10, 10)


def test_an_error_in_a_batch_restores_place_counts_and_items(begin, row, job_id):
    run = begin()
    run.item("kept", "done", count=False)
    with pytest.raises(ZeroDivisionError):
        for batch in run.each(range(9), batch=3):
            run.reject("kept", "replaced")
            run.item(batch[0], "skipped")
            run.cursor["seen"] = batch[0]
            if batch[0] == 3:
                raise ZeroDivisionError
    run.close()
    assert (run.hold.done, run.hold.failed, run.hold.skipped) == (1, 1, 1)
    assert run.cursor == {"seen": 0}
    assert {item.key: (item.state, item.message) for item in JobItem.objects.all()} == {
        "kept": ("failed", "replaced"),
        "0": ("skipped", ""),
    }
    assert not connection.in_atomic_block


def test_a_body_that_catches_an_error_of_its_batch_is_outside_of_it_again(begin, row, job_id):
    run = begin()
    try:
        for _ in run.each(range(10), batch=5):
            raise ValueError("bad")
    except ValueError:
        assert not connection.in_atomic_block
        sql.execute("UPDATE faena_job SET title = 'noted' WHERE id = %s", [sql.key(job_id)])
    run.close()
    assert row(job_id).title == "noted"


def test_leaving_nested_loops_leaves_no_transaction(begin):
    run = begin()
    for _ in run.each(range(4), batch=2):
        for _ in run.each(range(4), batch=2):
            break
        break
    run.close()
    assert not connection.in_atomic_block


def test_two_loops_count_together(begin, crash, row, job_id, monkeypatch):
    save_always(monkeypatch)
    run = begin()
    list(run.each(range(10)))
    for n in run.each(range(30)):
        if n == 5:
            break
    assert row(job_id).percent == 100 * 15 // 40
    crash(run)
    run = begin()
    assert list(run.each(range(10))) == []
    assert list(run.each(range(30))) == list(range(5, 30))
    assert (row(job_id).done, row(job_id).total) == (40, 40)


@pytest.mark.parametrize("outer", [{}, {"batch": 1}])
def test_a_loop_within_a_loop_goes_on_in_the_row_it_was_in(begin, crash, row, job_id, monkeypatch, outer):
    save_always(monkeypatch)

    def go(run: Run, until: int) -> None:
        list(run.each("xy"))
        for sheet in run.each([10, 20, 30], **outer):
            first = sheet[0] if outer else sheet
            for n in run.each(range(4)):
                write(first + n)
                if first + n == until:
                    return
            list(run.each("z"))

    run = begin()
    go(run, until=22)
    crash(run)
    run._loops.clear()
    go(begin(), until=0)
    assert set(written()) == {10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33}
    assert row(job_id).cursor["loops"] == {"1": 2, "2": 3}


def test_rows_that_failed_are_not_done_as_well(begin, row, job_id):
    run = begin()
    for n in run.each(range(6)):
        if n == 1:
            run.reject(n, "bad")
        if n == 2:
            run.item(n, "skipped")
    job = row(job_id)
    assert (job.done, job.failed, job.skipped, job.percent) == (4, 1, 1, 100)


def test_for_each_records_or_raises(begin, row, job_id):
    run = begin()
    run.for_each(lambda n: 1 / n, [1, 0, 2], key=lambda n: f"row {n}", on_error="record")
    [item] = JobItem.objects.all()
    assert (item.key, item.state, item.message) == ("row 0", "failed", "ZeroDivisionError: division by zero")
    with pytest.raises(ZeroDivisionError):
        run.for_each(lambda n: 1 / n, [0])


@pytest.mark.postgresql
def test_a_database_that_goes_away_is_no_error_of_a_row(begin):
    run = begin()

    def lose_it(n: int) -> None:
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        other.close()
        Job.objects.count()

    from django.db import OperationalError

    with pytest.raises(OperationalError):
        run.for_each(lose_it, range(5), on_error="record")
    connection.close()
    assert run.hold.failed == 0


def test_a_step_is_done_once_per_job(begin, crash):
    run = begin()
    assert run.step("a", lambda: write(1) or {"x": 1}) == {"x": 1}
    crash(run)
    run = begin()
    assert run.step("a", lambda: write(2)) == {"x": 1}
    assert run.step("b", lambda: None) is None
    assert run.step("b", lambda: write(3)) is None
    assert written() == [1]


def test_a_step_that_fails_is_not_done(begin):
    run = begin()
    with pytest.raises(ZeroDivisionError):
        run.step("a", lambda: write(1) or 1 / 0)
    assert written() == []
    assert run.step("a", lambda: 5) == 5


def test_the_bodys_own_place(begin, crash):
    run = begin()
    with run.checkpoint():
        run.cursor["page"] = 7
    run.cursor["page"] = 8
    crash(run)
    assert begin().cursor == {"page": 7}


def test_validating_shows_in_the_state(begin, row, job_id):
    run = begin()
    with run.validating():
        assert row(job_id).state == "validating"
    assert row(job_id).state == "running"
    with pytest.raises(Invalid), run.validating():
        raise Invalid("no")
    assert row(job_id).state == "validating"


@pytest.mark.parametrize(
    ("ask", "stop"),
    [
        (people.pause, Stop.PAUSE),
        (people.cancel, Stop.CANCEL),
        (lambda _: people.hand_over("w1"), Stop.HANDOVER),
    ],
)
@pytest.mark.parametrize("batch", [None, 2])
def test_it_stops_between_two_rows(begin, job_id, row, monkeypatch, ask, stop, batch):
    save_always(monkeypatch)
    run, seen = begin(), []
    with pytest.raises(Stopped) as stopped:
        for each in run.each(range(10), batch=batch) if batch else run.each(range(10)):
            seen.append(each)
            if len(seen) == 2:
                ask(job_id)
    assert stopped.value.stop is stop
    assert len(seen) == 2
    assert row(job_id).done == sum(len(each) if batch else 1 for each in seen)


def test_a_body_cannot_swallow_being_stopped(begin, job_id, monkeypatch):
    save_always(monkeypatch)
    run = begin()
    people.cancel(job_id)
    with pytest.raises(Stopped):
        run.for_each(write, range(3), on_error="record")


def test_a_stale_run_writes_nothing(begin, crash, row, job_id, monkeypatch):
    save_always(monkeypatch)
    stale = begin()
    stale.item("before", "done")
    crash(stale)
    current = begin()
    with pytest.raises(LeaseLost), stale.checkpoint():
        write(1)
    with pytest.raises(LeaseLost):
        list(stale.each(range(3)))
    with pytest.raises(LeaseLost), stale.validating():
        pass
    with pytest.raises(LeaseLost):
        stale.close()
    assert written() == []
    assert not JobItem.objects.exists()
    assert (row(job_id).state, row(job_id).done, row(job_id).fence) == ("running", 0, current.hold.fence)


def test_items_replace_what_was_said_of_their_key(begin):
    run = begin()
    run.item("a", "failed", "first")
    run.close()
    run.item("a", "done", "second", {"n": 1}, seconds=0.5)
    run.close()
    [item] = JobItem.objects.all()
    assert (item.state, item.message, item.output, item.seconds) == ("done", "second", {"n": 1}, 0.5)


def test_many_items_are_written_as_they_come(begin):
    run = begin()
    for n in range(BUFFER + 1):
        run.item(n, "done")
    assert JobItem.objects.count() == BUFFER
    run.close()
    assert JobItem.objects.count() == BUFFER + 1


def test_items_and_lines_of_any_text(begin):
    run = begin()
    run.item("nul\x00" + "x" * 300 + "1", "failed", "half\ud800\x00", {"any": "\x00\ud800", "set": {1}})
    run.item("nul\x00" + "x" * 300 + "2", "failed")
    run.log("nul\x00 half\ud800")
    run.close()
    assert JobItem.objects.count() == 2
    assert all(len(item.key) <= 200 for item in JobItem.objects.all())
    assert JobLog.objects.get().text.startswith("nul")


def test_log_lines_outlive_the_rollback_of_their_batch(begin):
    run = begin()
    with pytest.raises(ZeroDivisionError), run.checkpoint():
        run.log("before it broke", "warning")
        raise ZeroDivisionError
    run.close()
    assert [(line.level, line.text) for line in JobLog.objects.all()] == [("warning", "before it broke")]


def test_progress_of_bodies_that_count_by_themselves(begin, row, job_id, monkeypatch):
    save_always(monkeypatch)
    run = begin()
    run.progress(5, 10)
    assert row(job_id).percent == 50
    run.progress(7)
    assert row(job_id).percent == 70


def test_a_save_extends_the_lease(begin, row, job_id):
    run = begin()
    sql.execute(f"UPDATE faena_job SET lease_until = {sql.now()}")
    with run.checkpoint():
        pass
    assert row(job_id).lease_until > timezone.now()


def test_inside_a_transaction_of_the_body_nothing_is_saved_by_the_way(begin, row, job_id, monkeypatch):
    save_always(monkeypatch)
    run = begin()
    with transaction.atomic():
        run.progress(2)
        run.log("later")
    assert row(job_id).done == 0


@pytest.mark.parametrize(
    "act",
    [
        lambda run: list(run.each("ab")),
        lambda run: list(run.each("ab", batch=1)),
        lambda run: run.for_each(write, "1"),
        lambda run: run.step("once", lambda: write(1)),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
def test_what_a_transaction_of_the_body_may_roll_back_is_not_taken_for_done(begin, act, deep):
    run = begin()
    with run.checkpoint() if deep else nullcontext():
        with pytest.raises(RuntimeError, match="in a transaction"), transaction.atomic():
            act(run)
        act(run)
    run.close()
    assert len(written()) <= 1


def test_a_loose_run_counts_and_writes_nothing(make_job, take):
    run = LooseRun(take(make_job()))
    with run.validating():
        run.log("x")
    for batch in run.each(range(10), batch=4):
        run.item(batch[0], "done", count=False)
    assert run.step("a", lambda: 3) == 3
    run.close()
    assert run.summary()["done"] == 10
    assert not JobItem.objects.exists()
    assert not JobLog.objects.exists()
    assert Job.objects.get().done == 0


def test_who_waits_for_a_permit_hears_that_it_should_stop(begin, job_id, monkeypatch):
    monkeypatch.setattr("faena.run.SAVE_SECONDS", 0.01)
    run = begin()
    run.permit("login", "1/h")
    people.cancel(job_id)
    with pytest.raises(Stopped):
        run.permit("login", "1/h")
