"""Retries, logs and what is scheduled."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest
from celery.exceptions import Retry

from faena.testing import eager
from faena_sandbox.panaccess.behaviour import Fault
from faena_systems.telemetry import checks, schedules
from faena_systems.telemetry.errors import NotConfigured, ServiceError
from faena_systems.telemetry.models import MergedTelemetricOTT
from faena_systems.telemetry.tasks import (
    merge_ott_task,
    sync_and_merge_telemetry_chain,
    sync_telemetry_task,
    told,
)

TASKS = [sync_telemetry_task, merge_ott_task, sync_and_merge_telemetry_chain]


def test_the_documented_names():
    import TelemetriaDelancer.tasks as documented

    assert [task.name for task in TASKS] == [
        "TelemetriaDelancer.tasks.sync_telemetry_task",
        "TelemetriaDelancer.tasks.merge_ott_task",
        "TelemetriaDelancer.tasks.sync_and_merge_telemetry_chain",
    ]
    assert [getattr(documented, task.name.rpartition(".")[2]) for task in TASKS] == TASKS


@pytest.mark.parametrize("task", TASKS[:2])
def test_three_retries_a_minute_apart(task):
    assert (task.max_retries, task.default_retry_delay) == (3, 60)


class Attempt:
    id = "a job"

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt


@pytest.mark.parametrize(
    ("attempt", "error", "level"),
    [
        (0, ServiceError("busy"), logging.WARNING),
        (2, ServiceError("busy"), logging.WARNING),
        (3, ServiceError("busy"), logging.ERROR),
        (0, NotConfigured(["PANACCESS_URL"]), logging.ERROR),
    ],
)
def test_only_the_last_failure_is_an_error(caplog, attempt, error, level):
    with pytest.raises(type(error)), told(Attempt(attempt), "sync_telemetry_task"):
        raise error
    [record] = caplog.records
    assert record.levelno == level
    assert record.getMessage().startswith("[CELERY] sync_telemetry_task")
    assert str(error) in record.getMessage()


def test_an_error_can_be_made_again_from_what_the_ledger_keeps():
    for error in (ServiceError("busy", "e1"), NotConfigured(["PANACCESS_URL"])):
        assert str(type(error)(*error.args)) == str(error)


@pytest.fixture
def configured(panaccess):
    return panaccess


def test_scheduled_where_panaccess_is_configured(configured, monkeypatch):
    assert schedules.beat_schedule() == {"sync-and-merge-telemetry": {"task": TASKS[2].name, "schedule": 120.0}}
    monkeypatch.setenv("TELEMETRY_SYNC_SECONDS", "60")
    assert schedules.beat_schedule()["sync-and-merge-telemetry"]["schedule"] == 60.0
    monkeypatch.setenv("TELEMETRY_SYNC_SECONDS", "0")
    assert schedules.beat_schedule() == {}
    assert checks.check_configured() == checks.check_half_configured() == []


def test_not_scheduled_without_and_the_check_says_why(unconfigured, monkeypatch):
    assert schedules.beat_schedule() == {}
    assert checks.check_half_configured() == []
    [info] = checks.check_configured()
    assert (info.id, "PANACCESS_URL" in info.msg) == ("telemetry.I001", True)
    monkeypatch.setenv("PANACCESS_URL", "http://localhost/")
    assert checks.check_configured() == []
    [warning] = checks.check_half_configured()
    assert (warning.id, "PANACCESS_URL" in warning.msg) == ("telemetry.W001", False)


def test_the_project_puts_it_into_beat_schedule(panaccess):
    script = "from django.conf import settings; print(settings.CELERY_BEAT_SCHEDULE)"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "faena_server.settings", "FAENA_SYSTEMS": "telemetry"}
    ran = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert TASKS[2].name in ran.stdout


@pytest.mark.django_db(transaction=True)
def test_a_synchronisation_that_fails_is_tried_again_later(panaccess):
    panaccess.faults.append(Fault("error", times=4))
    with pytest.raises((ServiceError, Retry)):
        sync_telemetry_task()


@pytest.mark.django_db(transaction=True)
def test_the_chain_in_eager_mode(panaccess):
    panaccess.dataset.rows = 40
    with eager():
        sync_and_merge_telemetry_chain.delay()
    assert MergedTelemetricOTT.objects.count() > 0
