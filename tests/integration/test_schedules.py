"""Schedules in real processes: a worker alone, `celery beat` beside it, and a worker with `-B`."""

from __future__ import annotations

import subprocess

import pytest

from faena.models import Job, Occurrence, Schedule
from tests.support.processes import die_with_parent
from tests.support.stack import PROGRAMS, ROOT, Stack
from tests.support.waiting import eventually


@pytest.fixture
def celery(stack: Stack):
    """Start a `celery` program on the app that has a `beat_schedule`; its output."""
    started = []

    def start(*words: str):
        log = stack.folder / f"{words[0]}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [PROGRAMS / "celery", "-A", "tests.support.beat_app", *words, "-l", "INFO"],
                env=stack.env | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT)},
                cwd=stack.folder, stdout=out, stderr=out, start_new_session=True, preexec_fn=die_with_parent,
            )  # fmt: skip
        started.append(process)
        return log.read_text

    yield start
    for each in started:
        each.terminate()
    for each in started:
        each.wait(60)
    Schedule.objects.all().delete()


def fired(count: int) -> list[Occurrence]:
    def enough() -> list[Occurrence]:
        found = list(Occurrence.objects.filter(outcome="fired", schedule__name="often").order_by("due_at"))
        done = Job.objects.filter(pk__in=[each.job_id for each in found], state="completed").count()
        return found if done >= count else []

    return eventually(enough)


def test_workers_need_no_beat(stack, celery):
    said = celery("worker", "-c", "1")
    found = fired(3)
    assert "The schedule wrong cannot fire: Unknown task tests.support.jobs.ad" in said()
    assert Schedule.objects.get(name="monthly").next_due
    job = Job.objects.get(pk=found[0].job_id)
    assert (job.created_by, job.schedule_id) == ("schedule often", found[0].schedule_id)


def test_celery_beat_is_one_more_ticker(stack, celery):
    said = celery("beat", "--max-interval", "2", "-S", "faena.celery.beat:LedgerScheduler")
    eventually(lambda: Occurrence.objects.filter(outcome="fired").exists())
    celery("worker", "-c", "1")
    found = fired(3)
    assert len({each.job_id for each in found}) == len(found)
    banner = said()
    for text in ("scheduler -> faena.celery.beat.LedgerScheduler", "schedules -> ", "maxinterval -> 2.00 seconds"):
        assert text in banner
    assert "The schedule wrong cannot fire" in banner
    assert list(stack.folder.glob("celerybeat-schedule*")) == []


def test_a_worker_with_beat_inside(stack, celery):
    said = celery("worker", "-B", "-c", "1")
    found = fired(2)
    assert len({each.job_id for each in found}) == len(found)
    assert "beat: Starting..." in said()
    assert list(stack.folder.glob("celerybeat-schedule*")) == []
