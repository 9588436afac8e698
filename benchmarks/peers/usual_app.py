"""The usual site's Celery app: Redis is the broker, and keeps the results."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.peers.usual_site")

from benchmarks.peers import counting
from celery import Celery

app = Celery("usual", broker=f"{counting.URL}/0", backend=f"{counting.URL}/0")
app.conf.broker_connection_retry_on_startup = True
app.conf.beat_schedule = {"nightly": {"task": "usual.noop", "schedule": 86_400.0}}
app.conf.worker_send_task_events = True


@app.task(name="usual.noop")
def noop() -> None:
    counting.count()


def send(count: int) -> None:
    for _ in range(count):
        noop.delay()


def migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
