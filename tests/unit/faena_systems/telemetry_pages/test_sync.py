"""How the synchronisation stands, as the page says it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from uuid6 import uuid7

from faena.ledger.enqueue import NewJob, insert
from faena.models import AuditEntry, Job, Schedule
from faena_systems.telemetry import standing, tasks
from faena_systems.telemetry.models import MergedTelemetricOTT, Watermark

from .conftest import INICIO

pytestmark = pytest.mark.django_db
SYNC = f"{INICIO}sync"


def job(kind: str, state: str, **values: object) -> Job:
    """A job of that kind and state."""
    made = NewJob(id=uuid7(), kind=kind, queue="celery")
    insert([made])
    now = timezone.now()
    times = {"lease_until": now, "started": now} if state == "running" else {"finished": now}
    Job.objects.filter(pk=made.id).update(state=state, **times, **values)
    return Job.objects.get(pk=made.id)


def test_it_looks_for_the_tasks_under_their_names():
    assert tasks.sync_telemetry_task.name == standing.SYNC
    assert tasks.merge_ott_task.name == standing.MERGE
    assert tasks.sync_and_merge_telemetry_chain.name == standing.CHAIN


def test_before_the_first_run(web):
    text = web.get(SYNC).text
    assert "Not synchronised yet" in text
    assert "not by itself" in text
    assert "<html" not in text


@pytest.mark.parametrize(
    ("sync", "merge", "said"),
    [
        ("running", "completed", "Downloading new records"),
        ("completed", "running", "Merging new records"),
        ("completed", "completed", "Everything is downloaded and merged"),
        ("failed", "completed", "The last download failed"),
        ("completed", "failed", "The last merge failed"),
    ],
)
def test_what_ran_last_is_said_and_linked(web, sync, merge, said):
    jobs = {"sync": job(standing.SYNC, sync), "merge": job(standing.MERGE, merge)}
    text = web.get(SYNC).text
    assert said in text
    about = "merge" if "erg" in said and "and" not in said else "sync"
    assert f'class="sync-state" href="/jobs/{jobs[about].pk}/"' in text


def test_a_failure_says_why(web):
    job(standing.SYNC, "failed", error={"type": "Unreachable", "message": "PanAccess did not answer <in time>."})
    assert "PanAccess did not answer &lt;in time&gt;." in web.get(SYNC).text


def test_how_far_it_came_and_when_it_runs_again(web):
    Watermark.objects.update_or_create(of="sync", defaults={"recordId": 655_229})
    Watermark.objects.update_or_create(of="merge", defaults={"recordId": 655_001})
    Schedule.objects.filter(task=standing.CHAIN).delete()
    due = timezone.now() + timedelta(seconds=90)
    Schedule.objects.create(name="tests", task=standing.CHAIN, kind="interval", every=120, next_due=due)
    text = web.get(SYNC).text
    assert "655229" in text
    assert "655001" in text
    assert "a minute from now" in text.replace("\xa0", " ")


def test_a_schedule_with_a_problem_says_it(web):
    Schedule.objects.filter(task=standing.CHAIN).delete()
    Schedule.objects.create(name="tests", task=standing.CHAIN, kind="interval", every=120, problem="No such task.")
    assert "No such task." in web.get(SYNC).text


def test_a_page_that_waits_loads_again_as_soon_as_there_are_views(web):
    assert f'hx-get="{SYNC}?waiting"' in web.get(INICIO).text
    assert web.get(f"{SYNC}?waiting").status_code == 200
    MergedTelemetricOTT.objects.create(recordId=1, actionId=8, dataId=1)
    answer = web.get(f"{SYNC}?waiting")
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_operators_start_one_and_a_second_click_does_not_start_another(operator):
    assert "Synchronise now" in operator.get(INICIO).text
    for _ in range(2):
        answer = operator.post(f"{INICIO}synchronisations", follow=True)
        assert "The synchronisation was started." in answer.text
    chain = Job.objects.get(kind=standing.CHAIN)
    assert set(AuditEntry.objects.values_list("action", "job_id")) == {("synchronise", chain.pk)}


def test_viewers_start_none(web):
    assert "Synchronise now" not in web.get(INICIO).text
    assert web.post(f"{INICIO}synchronisations").status_code == 403
    assert not Job.objects.filter(kind=standing.CHAIN).exists()


def test_without_panaccess_there_is_nothing_to_start(operator, monkeypatch):
    monkeypatch.delenv("PANACCESS_URL")
    assert "Synchronise now" not in operator.get(INICIO).text
