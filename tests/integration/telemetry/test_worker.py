"""The document's own commands, with a real worker and a real, if made, PanAccess."""

from __future__ import annotations

import subprocess
from itertools import pairwise

import pytest

from faena.models import Job
from faena_systems.telemetry.errors import ServiceError
from faena_systems.telemetry.models import MergedTelemetricOTT, TelemetryRecordEntry
from TelemetriaDelancer.tasks import sync_and_merge_telemetry_chain, sync_telemetry_task
from tests.support.stack import PROGRAMS, ROOT
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def worker(operator):
    return operator.a_worker()


def test_the_chain_synchronises_and_merges_and_its_result_is_the_merges(operator):
    result = sync_and_merge_telemetry_chain.delay()
    merged = result.get(timeout=60)
    state = operator.panaccess.control()
    assert TelemetryRecordEntry.objects.count() == state["rows"]
    assert merged["merged_records"] == MergedTelemetricOTT.objects.count() > 0
    assert state["calls"]["login"] <= 2


def test_the_next_cycle_brings_what_has_arrived_and_nothing_else(operator):
    sync_and_merge_telemetry_chain.delay().get(timeout=60)
    before = TelemetryRecordEntry.objects.count()
    operator.panaccess.control(arrive=98)
    result = sync_telemetry_task.delay().get(timeout=60)
    assert (result["total_downloaded"], result["saved_records"], result["skipped_records"]) == (98, 98, 0)
    assert (result["success"], result["task"], result["errors"]) == (True, "sync_telemetry_task", 0)
    assert result["highest_id_after"] == operator.panaccess.control()["highest_id"]
    assert TelemetryRecordEntry.objects.count() == before + 98


def test_a_failure_is_tried_again_a_minute_later(operator):
    operator.panaccess.control(arrive=5, fault={"kind": "html", "times": 4})
    sent = sync_and_merge_telemetry_chain.delay()
    waiting = eventually(lambda: Job.objects.filter(pk=sent.id, state="pending", attempt=1).first())
    assert "text/html" in waiting.error["message"]
    assert 30 < (waiting.run_at - waiting.started).total_seconds() < 90
    errors = operator.folder / "logs/panaccess.log"
    eventually(lambda: "[CELERY] sync_and_merge_telemetry_chain: PanAccess sent" in errors.read_text())
    # Whoever asks for another one meanwhile gets this one.
    assert sync_and_merge_telemetry_chain.delay().id == sent.id
    Job.objects.filter(pk=waiting.pk).update(run_at=waiting.started)
    assert sent.get(timeout=60)["total_processed"] >= 0


def test_after_three_retries_it_is_failed_and_logged_and_the_next_cycle_runs(operator):
    operator.panaccess.control(arrive=7, fault={"kind": "error", "times": 16})
    sent = sync_and_merge_telemetry_chain.delay()
    for attempt in range(1, 4):
        retry = Job.objects.filter(pk=sent.id, state="pending", attempt=attempt)
        job = eventually(retry.first, what=f"retry {attempt}")
        Job.objects.filter(pk=job.pk).update(run_at=job.started)
    failed = operator.until(job.pk, "failed")
    assert (failed.error["type"], len(failed.errors)) == ("ServiceError", 3)
    with pytest.raises(ServiceError):
        sent.get(timeout=60)
    errors = (operator.folder / "logs/errors.log").read_text()
    assert "[CELERY] sync_and_merge_telemetry_chain failed: PanAccess failed: Internal error" in errors
    sync_and_merge_telemetry_chain.delay().get(timeout=60)
    assert TelemetryRecordEntry.objects.count() == operator.panaccess.control()["rows"]


def test_by_the_clock_one_cycle_at_a_time(operator):
    chains = Job.objects.filter(created_by="schedule sync-and-merge-telemetry", state="completed")
    operator.kill_workers()
    operator.sync_seconds = 1
    operator.worker()
    operator.panaccess.control(arrive=11)
    eventually(lambda: TelemetryRecordEntry.objects.count() == operator.panaccess.control()["rows"])
    eventually(lambda: chains.count() >= 2)
    spans = sorted(chains.values_list("created", "finished"))
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(spans))
    operator.sync_seconds = 0
    operator.kill_workers()


def test_the_documents_name_of_the_app(operator):
    def celery(*arguments: str) -> str:
        command = [PROGRAMS / "celery", "-A", "TelemetriaDelancer", *arguments]
        ran = subprocess.run(command, env=operator.env, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    assert "1 node online" in celery("inspect", "active")
    job_id = celery("call", "TelemetriaDelancer.tasks.merge_ott_task").split()[-1]
    assert "unmatched_records" in celery("result", job_id)
