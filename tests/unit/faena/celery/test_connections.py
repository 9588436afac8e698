from __future__ import annotations

import pytest
from celery import signals
from django.db import connection

from faena_server import app
from tests.support import jobs

pytestmark = pytest.mark.django_db(transaction=True)


def after(task) -> bool:
    """Whether the database connection is still open after such a task."""
    connection.ensure_connection()
    signals.task_postrun.send(sender=task, task_id="1", task=task)
    return connection.connection is not None


def test_a_worker_keeps_its_database_connection_from_job_to_job():
    connection.close()  # not one that has its age from other tests
    assert after(jobs.add)


def test_a_connection_past_its_age_is_closed():
    connection.ensure_connection()
    connection.close_at = 0.0
    assert not after(jobs.add)


def test_a_task_that_is_not_recorded_leaves_none_that_may_be_dead_by_the_next(monkeypatch):
    monkeypatch.setitem(app.amqp._recorded, jobs.add.name, False)
    assert not after(jobs.add)
