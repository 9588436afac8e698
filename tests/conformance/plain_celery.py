"""A plain Celery application, without anything of Faena's but the broker."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

from tests.conformance.schemes import register

register()
app = Celery("plain", broker=os.environ.get("PLAIN_BROKER"))
app.conf.update(
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_send_task_events=True,
    worker_pool_restarts=True,
    task_send_sent_event=True,
)


@app.task
def append(path: str, text: str) -> None:
    """Add a line to a file: one short write, so that lines of several processes stay whole."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@app.task(acks_late=True)
def wait_for(path: str) -> None:
    """Stay busy until a file exists."""
    while not Path(path).exists():
        time.sleep(0.02)


@app.task
def pass_on(path: str, text: str) -> None:
    """Publish from inside a task, which in a prefork worker means: from a forked child."""
    append.delay(path, text)
