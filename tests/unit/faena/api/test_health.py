from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from faena import metrics
from faena.api import health
from faena.ledger import sql
from faena.ledger.workers import Standing, beat
from faena.models import FinishedCount, Job, Queue
from tests.unit.faena.api.conftest import Caller


@pytest.fixture(autouse=True)
def fresh_books(monkeypatch):
    monkeypatch.setattr(metrics, "_last_books", None)


class Samples:
    """What was answered: `found("name", label=value)`."""

    def __init__(self, answer) -> None:
        families = text_string_to_metric_families(answer.content.decode())
        self._found = {
            (each.name, *sorted(each.labels.items())): each.value for one in families for each in one.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._found[(f"faena_{name}", *sorted(labels.items()))]


def finish(job_id: object, state: str = "completed", ago: int = 60, took: float = 2.0) -> None:
    sql.execute(
        f"""UPDATE faena_job SET state = %s, started = {sql.now(timedelta(seconds=-ago - took))},
               finished = {sql.now(timedelta(seconds=-ago))} WHERE id = %s""",
        [state, sql.key(job_id)],  # type: ignore[arg-type]
    )


def test_it_lives_for_everybody():
    answer = Client().get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"live": True})
    assert Client().post("/health/live").status_code == 405


def test_it_is_ready_and_says_what_is_amiss():
    said = Client().get("/health/ready").json()
    assert said["ready"] is True
    amiss = {each["name"]: each["detail"] for each in said["checks"] if not each["ok"]}
    assert set(amiss) == {"keeper", "workers"}
    beat(Standing("celery@here/1", "h|1|1", "here", 1, "solo", 1, ["celery"]))
    assert "workers" not in {each["name"] for each in Client().get("/health/ready").json()["checks"] if not each["ok"]}


def test_without_its_database_it_is_not_ready(monkeypatch):
    def fail():
        raise DatabaseError("host=secret")

    monkeypatch.setattr(health, "_CHECKS", [("database", True, fail)])
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert "secret" not in answer.content.decode()


def test_metrics_are_for_viewers(viewer):
    assert Client().get("/metrics").status_code == 401
    assert Caller("faena_wrong").get("/metrics").status_code == 401
    assert viewer.get("/metrics")["Content-Type"].startswith("text/plain")
    client = Client()
    client.force_login(User.objects.create_user("vera", password="look-only-1"))
    assert client.get("/metrics").status_code == 200


def test_they_count_what_ended_however_often_they_are_asked(viewer, make_job):
    for state in ("completed", "completed", "failed"):
        finish(make_job(kind="a.b", queue="mail"), state)
    for _ in range(2):
        found = Samples(viewer.get("/metrics"))
        assert found("jobs_finished_total", kind="a.b", queue="mail", outcome="completed") == 2
        assert found("jobs_finished_total", kind="a.b", queue="mail", outcome="failed") == 1
        assert found("job_duration_seconds_count", kind="a.b", queue="mail") == 3
        assert found("job_duration_seconds_bucket", kind="a.b", queue="mail", le="1.0") == 0
        assert found("job_duration_seconds_bucket", kind="a.b", queue="mail", le="5.0") == 3
    assert 5.9 < found("job_duration_seconds_sum", kind="a.b", queue="mail") < 6.1


def test_counters_stay_when_jobs_are_pruned(viewer, make_job):
    finish(make_job(), ago=60)
    metrics.count_finished_once()
    Job.objects.all().delete()
    FinishedCount.objects.update(until=sql.database_now() - timedelta(seconds=40))
    finish(make_job(), ago=30)
    found = Samples(viewer.get("/metrics"))
    assert found("jobs_finished_total", kind="tests.nothing", queue="celery", outcome="completed") == 2


def test_many_are_counted_in_stretches(make_job, monkeypatch):
    monkeypatch.setattr(metrics, "MOST", 2)
    for n in range(7):
        finish(make_job(), ago=100 - n)
    counted = [metrics.count_finished_once() for _ in range(4)]
    assert counted == [3, 3, 1, 0]
    assert FinishedCount.objects.get().number == 7


def test_kinds_beyond_the_ceiling_are_others(make_job, monkeypatch):
    monkeypatch.setattr(metrics, "SERIES", 1)
    finish(make_job(kind="first"), ago=90)
    metrics.count_finished_once()
    FinishedCount.objects.update(until=sql.database_now() - timedelta(seconds=80))
    for kind in ("second", "third"):
        finish(make_job(kind=kind))
    metrics.count_finished_once()
    assert set(FinishedCount.objects.values_list("kind", "number")) == {("first", 1), ("other", 2)}


def test_they_say_what_is_now(viewer, make_job, take):
    take(make_job(queue="mail"))
    make_job(queue="mail")
    Queue.objects.create(name="mail", paused=sql.database_now(), paused_by="ana")
    beat(Standing("celery@here/1", "h|1|1", "here", 1, "solo", 1, ["mail"]))
    found = Samples(viewer.get("/metrics"))
    assert found("jobs", queue="mail", state="waiting") == 1
    assert found("jobs", queue="mail", state="running") == 1
    assert found("queue_paused", queue="mail") == 1
    assert found("queue_workers", queue="mail") == 1
    assert found("oldest_wait_seconds", queue="mail") >= 0
    assert (found("workers"), found("books_balanced"), found("jobs_accepted_total")) == (1, 1, 2)
