"""The list of jobs over a long history on PostgreSQL, asked for as the monitor asks."""

from __future__ import annotations

import json
import os
import time
import uuid
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faena_server.settings")

import django
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

django.setup()

from faena import queries  # noqa: E402  models need Django to be set up
from faena.queries import JobFilter, Place  # noqa: E402

LIVE = 5_000

_INSERT = """
INSERT INTO faena_job (id, kind, title, queue, priority, args, kwargs, message, state, stop, attempt, max_attempts,
    crashes, max_crashes, fence, worker, holder, done, failed, skipped, errors, failure, tags, created_by,
    created, run_at, dispatched, started, finished, lease_until, result)
SELECT gen_random_uuid(), 'shop.task' || i %% 20, 'Send order ' || i, 'queue' || i %% 5, 0, '[' || i || ']', '{{}}',
       '{{}}', {state}, '', 0, 1, 0, 5, 1, 'celery@host/4711', 'host|4711|1.0', 0, 0, 0, '[]', '', '[]', '',
       {created}, {created}, {created}, {started}, {finished}, {lease}, 'null'
  FROM generate_series(1, %(count)s) AS i"""
_FINISHED = _INSERT.format(
    state="""CASE WHEN i %% 100 = 1 THEN 'failed' WHEN i %% 100 = 2 THEN 'completed_with_errors'
                  WHEN i %% 200 = 3 THEN 'cancelled' ELSE 'completed' END""",
    created="now() - interval '30 days' * (1 - i / %(count)s::float)",
    started="now() - interval '30 days' * (1 - i / %(count)s::float)",
    finished="now() - interval '30 days' * (1 - i / %(count)s::float) + interval '1 second'",
    lease="NULL::timestamptz",
)
_LIVE = _INSERT.format(
    state="CASE WHEN i <= 20 THEN 'running' WHEN i <= 120 THEN 'paused' ELSE 'pending' END",
    created="now()",
    started="CASE WHEN i <= 20 THEN now() END",
    finished="NULL::timestamptz",
    lease="CASE WHEN i <= 20 THEN now() END",
)


def fill(finished: int) -> None:
    """Write the finished jobs of the last thirty days, and some thousand that are live."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(_FINISHED, {"count": finished})
        cursor.execute(_LIVE, {"count": LIVE})
        cursor.execute("VACUUM (ANALYZE) faena_job")  # as autovacuum does within minutes


def ways() -> dict[str, tuple[JobFilter, Place | None]]:
    """How people look at the list."""
    fortnight_ago = Place(timezone.now() - timedelta(days=14), uuid.UUID(int=0))
    return {
        "all": (JobFilter(), None),
        "all, of a fortnight ago": (JobFilter(), fortnight_ago),
        **{state: (JobFilter(state=state), None) for state in queries.TABS},
        "failed, of a fortnight ago": (JobFilter(state="failed"), fortnight_ago),
        "one kind": (JobFilter(kind="shop.task7"), None),
        "one kind, failed": (JobFilter(kind="shop.task1", state="failed"), None),
        "one queue": (JobFilter(queue="queue3"), None),
        "one queue, completed": (JobFilter(queue="queue3", state="completed"), None),
        "a text": (JobFilter(text="order 1234"), None),
        "a text that is nowhere": (JobFilter(text="zzzzzz"), None),
    }


def times(rounds: int) -> str:
    """Milliseconds of the list page's two queries, `rounds` times for each way, as JSON."""
    taken: dict[str, list[float]] = {}
    for name, (wanted, before) in ways().items():
        queries.count_by_tab(wanted)
        for _ in range(rounds):
            started = time.perf_counter()
            queries.job_page(wanted, before)
            queries.count_by_tab(wanted)
            taken.setdefault(name, []).append((time.perf_counter() - started) * 1000)
    return json.dumps(taken)
