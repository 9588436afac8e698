"""The books, also while many processes write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from uuid6 import uuid7

from faena import accounting
from faena.ledger import enqueue, hold, settle, sql, tally
from faena.ledger.enqueue import NewJob
from faena.ledger.settle import Done, Error, Failed
from faena.models import Job, Tally

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.usefixtures("ledger")


def news(count: int) -> list[NewJob]:
    return [NewJob(id=uuid7(), kind="k", queue="celery") for _ in range(count)]


@pytest.fixture
def without_trigger():
    drop = f"DROP TRIGGER {accounting.TRIGGER}" + (" ON faena_job" if sql.is_postgresql() else "")
    sql.execute(drop)
    yield
    tally.begin_counting()


def test_empty_books_balance():
    books = accounting.check()
    assert (books.accepted, books.pruned, books.present, books.difference) == (0, 0, 0, 0)
    assert books.is_balanced


def test_every_way_to_write_a_row_is_counted(make_job, take):
    make_job()
    again = news(3)
    enqueue.insert(again)
    enqueue.insert(again)  # are there already
    Job.objects.create(kind="k", queue="q")
    Job.objects.bulk_create([Job(kind="k", queue="q") for _ in range(4)], ignore_conflicts=True)
    books = accounting.check()
    assert (books.accepted, books.present, books.by_state["pending"]) == (9, 9, 9)
    settle.settle(take(again[0].id), Done(None))
    settle.settle(take(again[1].id), Failed(Error("E", "m")))
    hold.pause(again[2].id)
    books = accounting.check()
    assert {state: number for state, number in books.by_state.items() if number} == {
        "pending": 6,
        "completed": 1,
        "failed": 1,
        "paused": 1,
    }
    assert books.is_balanced


def test_what_is_rolled_back_was_not_accepted(make_job):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue.insert(news(2))
        raise ZeroDivisionError
    assert accounting.check().accepted == 0


def test_a_row_that_somebody_deletes_is_missed(make_job):
    make_job()
    Job.objects.get(pk=make_job()).delete()
    books = accounting.check()
    assert (books.accepted, books.present, books.difference, books.is_balanced) == (2, 1, 1, False)


def test_without_its_trigger_the_books_do_not_balance(make_job, without_trigger):
    books = accounting.check()
    assert (books.difference, books.is_counting, books.is_balanced) == (0, False, False)


def test_jobs_from_before_the_trigger_are_counted_in(make_job, without_trigger):
    for _ in range(3):
        make_job()
    assert accounting.check().difference == -3
    tally.begin_counting()
    assert accounting.check().is_balanced
    tally.begin_counting()
    make_job()
    assert (accounting.check().accepted, accounting.check().is_balanced) == (4, True)


def test_making_the_trigger_again_hides_no_loss(make_job, without_trigger):
    tally.begin_counting()
    make_job()
    sql.execute("DELETE FROM faena_job")
    sql.execute(f"DROP TRIGGER {accounting.TRIGGER}" + (" ON faena_job" if sql.is_postgresql() else ""))
    tally.begin_counting()
    assert accounting.check().difference == 1


def test_another_database_is_left_alone(without_trigger):
    tally.begin_counting(using="other")
    assert not accounting.check().is_counting


def test_adding_up_changes_nothing(make_job):
    for _ in range(5):
        make_job()
        tally.note_pruned(1)
    before = Tally.objects.count()
    assert tally.compact_once(batch=before - 1) == before - 1
    tally.compact_once()
    assert Tally.objects.count() == 1
    assert tally.compact_once() == 0
    make_job()
    assert (accounting.check().accepted, accounting.check().pruned) == (6, 5)


@pytest.mark.parametrize(
    ("sets", "name"),
    [
        ("stop = 'pause'", "waiting and asked to stop"),
        ("finished = created", "live with a time of its end"),
        ("lease_until = created", "waiting under a lease"),
    ],
)
def test_rows_as_no_job_can_be_are_named(make_job, sets, name):
    make_job()
    sql.execute(f"UPDATE faena_job SET {sets}")
    books = accounting.check()
    assert {key for key, number in books.impossible.items() if number} == {name}
    assert (books.difference, books.is_balanced) == (0, False)


@pytest.mark.postgresql
def test_what_a_constraint_would_forbid_is_seen_as_well(make_job):
    make_job()
    names = ("faena_job_held_has_lease", "faena_job_finished_has_time", "faena_job_state_known")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        for name in names:
            sql.execute(f"ALTER TABLE faena_job DROP CONSTRAINT {name}")
        for state in ("running", "failed", "lost"):
            sql.execute("UPDATE faena_job SET state = %s", [state])
            assert sum(accounting.check().impossible.values()) == 1
        raise ZeroDivisionError


def test_the_books_balance_at_every_moment(tmp_path):
    """Three processes enqueue, run, prune and add up while this one looks, again and again."""
    command = [sys.executable, "-m", "tests.unit.faena.churn"]
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "faena_server.settings",
        "FAENA_DATABASE_URL": _database_url(),
        "FAENA_DATA_DIR": str(tmp_path),
        "FAENA_BROKER_URL": "memory://",
        "FAENA_SYSTEMS": "",
        "PYTHONPATH": "src",
    }
    processes = [subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    looks = 0
    try:
        while any(each.poll() is None for each in processes):
            books = accounting.check()
            assert books.is_balanced, books
            looks += books.accepted > 0
    finally:
        counted = [each.communicate(timeout=60)[0] for each in processes]
    assert [each.returncode for each in processes] == [0, 0, 0]
    books = accounting.check()
    assert books.is_balanced
    assert books.accepted == sum(map(int, counted))
    assert 0 < books.pruned < books.accepted
    assert looks > 20


def _database_url() -> str:
    settings = connection.settings_dict
    if not sql.is_postgresql():
        return f"sqlite:///{settings['NAME']}"
    return f"postgresql://{settings['USER']}@{quote(settings['HOST'], safe='')}/{settings['NAME']}"
