from __future__ import annotations

import json
from datetime import timedelta

import pytest
from celery import Celery
from click.testing import CliRunner, Result
from django.db import connection
from django.utils import timezone

from faena import accounting
from faena.celery.amqp import CeleryBroker
from faena.cli.main import cli
from faena.ledger import doorbell, leases, sql, tally
from faena.models import Job, Lease, Worker

pytestmark = pytest.mark.usefixtures("ledger")


def run(*words: str, code: int) -> Result:
    ran = CliRunner().invoke(cli, ["doctor", *words])
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran


def findings(code: int = 0) -> dict[str, dict]:
    return {each["what"]: each for each in json.loads(run("--json", code=code).stdout)}


@pytest.fixture
def worker():
    def make(*queues: str, seconds_ago: float = 0) -> None:
        now = timezone.now()
        Worker.objects.create(
            name=f"w{'-'.join(queues)}@here/1", holder="here|1|1", host="here", pid=1, pool="prefork", slots=2,
            queues=list(queues), started=now, seen=now - timedelta(seconds=seconds_ago),
        )  # fmt: skip

    yield make
    Worker.objects.all().delete()


def test_all_is_well(worker, make_job):
    worker("celery")
    leases.take("keeper", timedelta(seconds=8))
    make_job()
    found = findings()
    assert list(found) == ["database", "tables", "settings", "broker", "workers", "keeper", "queues", "clock", "books"]
    assert {each["level"] for each in found.values()} == {"ok"}
    assert "✔ books" in run(code=0).stdout


def test_nobody_works(worker):
    worker("celery", seconds_ago=60)
    Lease.objects.create(name="keeper", holder="there|1|1", until=timezone.now() - timedelta(minutes=1))
    found = findings()
    assert [name for name, each in found.items() if each["level"] == "warn"] == ["workers", "keeper"]
    assert all(each["advice"] for each in found.values() if each["level"] != "ok")


def test_a_queue_that_nobody_listens_on(worker, make_job):
    worker("celery")
    make_job(queue="celery")
    make_job(queue="typo")
    make_job(queue="later", run_at=timezone.now() + timedelta(days=1))
    queues = findings()["queues"]
    assert queues["level"] == "warn"
    assert "typo (1 waiting)" in queues["found"]
    assert "later" not in queues["found"]
    assert "`celery -A tests worker -Q typo`" in queues["advice"]


def test_a_broker_that_is_down(broker_down):
    broker = findings(code=1)["broker"]
    assert broker["level"] == "fail"
    assert "does not answer" in broker["found"]


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("amqp://guest:se/cret@localhost//", ["se/", "'se'", "cret"]),
        ("redis://:hun#ter2@localhost", ["hun", "ter2"]),
        ("redis://bob:7/hunter2@localhost", ["hunter2", "bob"]),
        ("redis://bob:hunter2@localhost:1/0", ["hunter2", "bob"]),
    ],
)
def test_no_piece_of_a_password_is_told(monkeypatch, url, secrets):
    app = Celery(set_as_current=False, broker=url)
    monkeypatch.setattr(doorbell, "broker", CeleryBroker(app))
    monkeypatch.setattr(doorbell.broker, "depth", lambda queue: app.connection_for_write().as_uri() and 1 / 0)
    broker = findings(code=1)["broker"]
    assert "does not answer" in broker["found"]
    assert [each for each in secrets if each in str(broker)] == []


def test_no_celery_app(monkeypatch):
    monkeypatch.setattr(doorbell, "broker", doorbell._Silent())
    assert "faena.install(app)" in findings(code=1)["broker"]["advice"]


def test_a_clock_that_is_wrong(monkeypatch):
    now = sql.database_now()
    monkeypatch.setattr(sql, "database_now", lambda: now - timedelta(minutes=7))
    clock = findings()["clock"]
    assert (clock["level"], "ahead of" in clock["found"]) == ("warn", True)


def test_a_database_that_cannot_be_reached(monkeypatch):
    def gone() -> None:
        raise connection.Database.OperationalError("gone")

    connection.close()
    with monkeypatch.context() as patched:
        patched.setattr(connection, "connect", gone)
        found = findings(code=1)
    assert (found["database"]["level"], list(found)) == ("fail", ["database", "settings", "broker"])


def test_books_that_balance(make_job):
    make_job()
    shown = run("--books", code=0).stdout
    assert "The books balance" in shown
    plain = json.loads(run("--books", "--json", code=0).stdout)
    assert (plain["accepted"], plain["by_state"]["pending"], plain["difference"]) == (1, 1, 0)


def test_books_with_a_job_missing(make_job):
    make_job()
    Job.objects.all().delete()
    assert "1 jobs are missing" in run("--books", code=1).stdout
    assert findings(code=1)["books"]["level"] == "fail"


def test_books_with_a_job_too_many(make_job):
    make_job()
    sql.execute("DELETE FROM faena_tally")
    assert "1 jobs more are here than were accepted" in run("--books", code=1).stdout


def test_books_that_nobody_keeps():
    sql.execute(f"DROP TRIGGER {accounting.TRIGGER}" + (" ON faena_job" if sql.is_postgresql() else ""))
    try:
        assert "migrate" in run("--books", code=1).stdout
    finally:
        tally.begin_counting()


def test_rows_changed_by_hand(make_job):
    make_job()
    sql.execute("UPDATE faena_job SET stop = 'pause'")
    shown = run("--books", code=1).stdout
    assert "1 jobs are waiting and asked to stop" in shown
    assert "by hand" in shown
