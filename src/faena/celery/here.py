"""Run a job in the process that asks for it, recorded like any other."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

from celery import Task
from celery.result import EagerResult
from uuid6 import uuid7

from faena.celery import holding, message
from faena.celery.heartbeat import Heartbeat
from faena.ledger import enqueue


def run_now(task: Task, args: Sequence[Any], kwargs: dict[str, Any]) -> EagerResult:
    """Write the row, claim it, run the body and settle it, all here.

    Returns:
        Celery's EagerResult. Its state is IGNORED when the job may not run now (its limit is full, it was
        paused or cancelled): its row says why, and a worker runs it later.

    Raises:
        AlreadyLive: a unique job of the same key is live.
    """
    job_id = uuid7()
    if not holding.worker():
        holding.be_worker(f"{platform.node()}/{os.getpid()}")
    amqp = task.app.amqp
    built = amqp.create_task_message(str(job_id), task.name, args, kwargs, root_id=str(job_id))
    queue = getattr(task, "queue", None) or task.app.conf.task_default_queue
    enqueue.insert([message.new_job(task.name, built, {}, queue, amqp.declaration_of(task.name))])
    with Heartbeat(lambda: [job_id], holding.worker()), holding.running_here(str(job_id)):
        return task.apply(args, kwargs, task_id=str(job_id), throw=False)
