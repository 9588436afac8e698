"""Faena installed in the project's own app: one `@faena.job` that does nothing, recorded like any other."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faena_server.settings")

import faena
from faena_server.celery import app

app.conf.worker_prefetch_multiplier = 64


@faena.job(name="bench.noop")
def noop(run: faena.Run, number: int) -> None:
    """Do nothing."""


def migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def send(count: int) -> None:
    for number in range(count):
        noop.delay(number)


def send_measured(singly: int, in_bulk: int) -> list[float]:
    """Jobs a second: `delay()` one by one, each committed and published; then `enqueue_many` in one call."""
    send(20)
    calls = [(number,) for number in range(in_bulk)]
    return [rate(lambda: send(singly), singly), rate(lambda: faena.enqueue_many(noop, calls), in_bulk)]


def rate(act: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    act()
    return count / (time.perf_counter() - started)
