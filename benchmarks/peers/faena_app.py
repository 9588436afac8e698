"""Faena installed in the project's own app: one task that is recorded as a job, and one that is not."""

from __future__ import annotations

import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faena_server.settings")

from benchmarks.peers import counting

from faena_server.celery import app

app.conf.worker_prefetch_multiplier = int(os.environ.get("BENCH_PREFETCH", "64"))


@app.task(faena=False, ignore_result=True)
def unrecorded() -> None:
    counting.count()


@app.task
def recorded() -> None:
    counting.count()


@app.task
def slow(job: int) -> None:
    counting.sleep(job)


def send_slow(count: int) -> None:
    for number in range(count):
        slow.delay(number)


def kept() -> int:
    """Jobs that the ledger still has to run."""
    import django

    django.setup()
    from faena.models import Job
    from faena.states import LIVE

    return Job.objects.filter(state__in=LIVE).count()


def send(count: int) -> None:
    if "recorded" in os.environ.get("BENCH_KIND", ""):
        from faena import enqueue_many

        enqueue_many(recorded, [()] * count)
    else:
        with app.producer_pool.acquire(block=True) as producer, producer.batch():
            for _ in range(count):
                unrecorded.apply_async(producer=producer, retry=False)


def bulk_publish_rate(count: int) -> float:
    """Messages a second: one call of `enqueue_many` with tasks that are not recorded."""
    from faena import enqueue_many

    enqueue_many(unrecorded, [()] * 20)
    started = time.perf_counter()
    enqueue_many(unrecorded, [()] * count)
    return count / (time.perf_counter() - started)


def migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
