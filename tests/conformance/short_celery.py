"""A plain Celery application whose workers take its tasks by Faena's strategy; each step leaves a line in a file."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery, Task, signals
from celery.exceptions import Ignore, Reject

from tests.conformance.schemes import register

register()


class ShortTask(Task):
    """What `LedgerTask` says too."""

    Strategy = "faena.celery.strategy:default"


app = Celery("short", broker=os.environ.get("PLAIN_BROKER"), task_cls=ShortTask)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)


def line(text: str) -> None:
    with Path(os.environ["SHORT_LINES"]).open("a") as file:
        file.write(f"{text}\n")


@app.task
def note(text: str) -> None:
    line(text)


@app.task
def limited(text: str) -> None:
    line(text)


@app.task(bind=True, acks_late=True)
def show(self: Task, rows: list[int], **named: str) -> None:
    rows.append(0)
    line(f"show {rows} {named} {dict(self.request.headers or {})} {self.request.delivery_info['redelivered']}")


@app.task
def fail() -> None:
    raise ValueError("bad luck")


@app.task(bind=True)
def again(self: Task) -> None:
    if not self.request.retries:
        raise self.retry(countdown=0.2)
    line("again")


@app.task(bind=True, acks_late=True)
def refuse(self: Task) -> None:
    redelivered = self.request.delivery_info["redelivered"]
    line(f"refuse {redelivered}")
    raise Reject("no", requeue=not redelivered)


@app.task
def ignore() -> None:
    raise Ignore


@signals.task_received.connect
@signals.task_prerun.connect
@signals.task_postrun.connect
@signals.task_success.connect
@signals.task_failure.connect
@signals.task_retry.connect
@signals.task_revoked.connect
def noticed(signal: signals.Signal, sender: object = None, request: object = None, **_: object) -> None:
    line(f"{signal.name} {getattr(request, 'name', None) or getattr(sender, 'name', '')}")
