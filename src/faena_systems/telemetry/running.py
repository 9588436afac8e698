"""Synchronise and merge here and now, showing how far it is: for a terminal."""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from faena.celery import holding
from faena.celery.heartbeat import Heartbeat
from faena.duties.reap import reap_once
from faena.errors import AlreadyLive
from faena.models import Job

from .tasks import telemetry_run

LOOK_EVERY_SECONDS = 0.2


class Failed(Exception):
    """The run did not complete; the message says why."""


def run(console: Console, **options: int) -> dict[str, dict[str, Any]]:
    """Run ``telemetry_run`` as a job of this process, with a bar; return its result.

    Where another process is at it, wait for that; where one was that is gone, go on in its place.

    Raises:
        Failed: with the reason.
    """
    with bar(console):
        try:
            job_id = UUID(telemetry_run.run_now(**options).id)
        except AlreadyLive as live:
            job_id = live.job_id
            follow(job_id)
    job = Job.objects.get(pk=job_id)
    error: Any = job.error or {}
    result: Any = job.result
    if not result:
        raise Failed(error.get("message") or str(job.get_state_display()))
    return result


def follow(job_id: UUID) -> None:
    """Wait for the end of a job; run it here if its process is gone."""
    if not holding.worker():
        holding.be_worker(f"{platform.node()}/{os.getpid()}")
    while not (job := Job.objects.get(pk=job_id)).is_finished:
        # Where no worker runs, nobody else takes back the job of a process that was killed.
        reap_once()
        asked: Any = job.kwargs
        with Heartbeat(lambda: [job_id], holding.worker()), holding.running_here(str(job_id)):
            telemetry_run.apply(kwargs=asked, task_id=str(job_id), throw=False)
        time.sleep(LOOK_EVERY_SECONDS)


@contextmanager
def bar(console: Console) -> Iterator[None]:
    """Show how far the latest run is."""
    columns = [TextColumn("  {task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), TimeElapsedColumn()]
    over = threading.Event()
    with quiet_console(), Progress(*columns, console=console) as progress:
        shown = progress.add_task("PanAccess → OTT", total=None)

        def look() -> None:
            found = Job.objects.filter(kind=telemetry_run.name).order_by("-pk").first()
            if found is not None:
                progress.update(shown, completed=found.done + found.skipped + found.failed, total=found.total)

        def look_on() -> None:
            while not over.wait(LOOK_EVERY_SECONDS):
                look()
            connection.close()

        watcher = threading.Thread(target=look_on, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()
            look()


@contextmanager
def quiet_console() -> Iterator[None]:
    """Let only warnings through to the terminal, where the bar is; the log files get everything."""
    handlers = [(handler, handler.level) for handler in logging.root.handlers if handler.name == "console"]
    for handler, _level in handlers:
        handler.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for handler, level in handlers:
            handler.setLevel(level)
