from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from uuid6 import uuid7

from faena.cli.main import cli
from faena.ledger import leases, workers
from faena.ledger.workers import Standing
from faena.models import AuditEntry, Queue

pytestmark = pytest.mark.usefixtures("ledger")


def run(*words: str, code: int = 0) -> str:
    ran = CliRunner().invoke(cli, words)
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran.output


@pytest.fixture
def worker():
    workers.beat(Standing("w1@here/1", leases.me(), "here", 1, "prefork", 4, ["celery", "mail"]))


def test_queues_are_listed_with_what_waits_and_who_listens(make_job, take, worker):
    make_job(queue="reports"), make_job()
    take(make_job())
    run("queues", "pause", "mail")
    found = {each["name"]: each for each in json.loads(run("queues", "list", "--json"))}
    assert {name: (each["waiting"], each["running"], each["workers"]) for name, each in found.items()} == {
        "celery": (1, 1, 1), "mail": (0, 0, 1), "reports": (1, 0, 0),
    }  # fmt: skip
    assert found["mail"]["paused"]
    assert not found["celery"]["paused"]
    assert "reports" in run("queues", "list")


def test_pausing_and_resuming_say_what_they_did_and_are_audited():
    assert run("queues", "pause", "mail") == "The queue mail is paused.\n"
    assert Queue.objects.get().paused
    assert "already" in run("queues", "pause", "mail")
    assert json.loads(run("queues", "resume", "mail", "--json")) == {"queue": "mail", "changed": True}
    assert "was not paused" in run("queues", "resume", "mail")
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["pause queue", "resume queue"]


def test_workers_are_listed(worker):
    [found] = json.loads(run("workers", "--json"))
    assert (found["name"], found["slots"], found["queues"]) == ("w1@here/1", 4, ["celery", "mail"])
    assert "celery, mail" in run("workers")


def test_where_there_is_nothing_it_says_so():
    assert "No queue" in run("queues", "list")
    assert "No worker" in run("workers")


def test_why(make_job):
    job_id = make_job(title="The report")
    said = run("why", str(job_id))
    assert "The report" in said
    assert "No worker is running." in said
    assert "Start one: celery -A" in said
    told = json.loads(run("why", str(job_id), "--json"))
    assert (told["state"], told["why"]["code"]) == ("pending", "no_worker")


def test_why_of_no_job():
    assert "There is no job" in run("why", str(uuid7()), code=2)
    assert "is not a job's id" in run("why", "7", code=2)
