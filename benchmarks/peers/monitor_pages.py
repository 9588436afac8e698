"""The monitor's pages over a long history on PostgreSQL, asked for as a browser asks."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faena_server.settings")

import django
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

django.setup()

from benchmarks.peers.job_list import _FINISHED, _LIVE  # noqa: E402  models need Django to be set up
from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402

from faena.duties import measure, sample  # noqa: E402
from faena.models import Job, Schedule  # noqa: E402

SCHEDULES, OCCURRENCES, AUDITED, ITEMS = 40, 1_000, 100_000, 10_000

_MORE = {
    "failures": """UPDATE faena_job SET failure = 'ValueError in shop/t' || (hashtext(id::text) & 31) || '.py:send',
                          error = '{"type": "ValueError", "message": "row 118: “12,5O” is not a price"}'
                    WHERE state = 'failed'""",
    "schedules": """INSERT INTO faena_schedule (name, source, task, args, kwargs, queue, options, kind, every, crontab,
                          event, time_zone, starts, overlap, misfire, catch_up, jitter, enabled, problem, next_due)
                    SELECT 'schedule ' || i, 'people', 'shop.task' || i, '[]', '{}', '', '{}', 'interval', 120, '', '',
                           'UTC', now() - interval '9 days', 'skip', 'once', 10, 0, true, '', now() + interval '1 min'
                      FROM generate_series(1, %(schedules)s) AS i""",
    "occurrences": """INSERT INTO faena_occurrence (schedule_id, due_at, written, outcome, reason, detail, job_id)
                      SELECT s.id, now() - i * interval '2 minutes', now(), 'fired', '', '', gen_random_uuid()
                        FROM faena_schedule AS s, generate_series(1, %(occurrences)s) AS i""",
    "audit": """INSERT INTO faena_auditentry (at, actor, action, job_id, address)
                SELECT now() - i * interval '1 minute', 'person' || i %% 7, 'retry', gen_random_uuid(), '10.0.0.1'
                  FROM generate_series(1, %(audited)s) AS i""",
    "workers": """INSERT INTO faena_worker (name, holder, host, pid, pool, slots, queues, started, seen, cpu, memory)
                  SELECT 'celery@host' || i || '/4711', 'h', 'host' || i, 4711, 'prefork', 8,
                         '["queue' || i %% 5 || '"]', now(), now() + interval '1 day', 50, 200000000
                    FROM generate_series(1, 40) AS i""",
    "minutes": """INSERT INTO faena_minute (minute, queue, completed, failed, cancelled)
                  SELECT date_trunc('minute', now()) - i * interval '1 minute', q, 900, 9, 1
                    FROM generate_series(1, 10080) AS i, unnest(ARRAY['', 'queue0', 'queue1', 'queue2', 'queue3']) AS q
                      ON CONFLICT DO NOTHING""",
    "items": """INSERT INTO faena_jobitem (job_id, key, state, message, at)
                SELECT %(job)s, 'row ' || i, CASE WHEN i %% 9 = 0 THEN 'failed' ELSE 'done' END, 'no price', now()
                  FROM generate_series(1, %(items)s) AS i""",
    "log": """INSERT INTO faena_joblog (job_id, at, level, text, attempt)
              SELECT %(job)s, now(), 'info', 'line ' || i, 0 FROM generate_series(1, %(items)s) AS i""",
    "count": "VACUUM (ANALYZE)",
}


def fill(finished: int, waiting: int) -> None:
    """The finished jobs of the last thirty days, those that wait, and all else that pages show."""
    call_command("migrate", verbosity=0)
    User.objects.create_superuser("ada", password="x")
    with connection.cursor() as cursor:
        cursor.execute(_FINISHED, {"count": finished})
        cursor.execute(_LIVE, {"count": waiting})
        watched = Job.objects.filter(state="running").first()
        values = {"schedules": SCHEDULES, "occurrences": OCCURRENCES, "audited": AUDITED, "items": ITEMS}
        for statement in _MORE.values():
            cursor.execute(statement, values | {"job": str(watched and watched.pk)})
    sample.sample_once()
    measure.measure_once()


def pages() -> dict[str, str]:
    """What is asked for, by name."""
    fortnight_ago = timezone.now() - timedelta(days=14)
    running = Job.objects.filter(state="running").order_by("pk").first()
    failed = Job.objects.filter(state="failed").order_by("-created").first()
    assert running is not None and failed is not None
    return {
        "overview": "/",
        "overview, a week": "/?span=week",
        "jobs": "/jobs/",
        "jobs, of a fortnight ago": f"/jobs/?before={fortnight_ago.isoformat()}~{'0' * 32}".replace("+", "%2B"),
        "jobs, failed": "/jobs/?state=failed",
        "jobs, waiting": "/jobs/?state=pending",
        "jobs, one kind": "/jobs/?kind=shop.task7",
        "jobs, one kind failed": "/jobs/?kind=shop.task1&state=failed",
        "jobs, one queue": "/jobs/?queue=queue3",
        "jobs, a text": "/jobs/?q=order+1234",
        "jobs, a text that is nowhere": "/jobs/?q=zzzzzz",
        "jobs, since a day": f"/jobs/?since={timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M}",
        "jobs, longer than": "/jobs/?longer=5",
        "jobs, live part": "/jobs/list",
        "job, running": f"/jobs/{running.pk}/",
        "job, failed": f"/jobs/{failed.pk}/",
        "failures": "/failures/",
        "queues": "/queues/",
        "workers": "/workers/",
        "schedules": "/schedules/",
        "schedule": f"/schedules/{Schedule.objects.values_list('pk', flat=True)[0]}/",
        "alerts": "/alerts/",
        "audit": "/audit/",
        "audit, one person": "/audit/?actor=person3",
        "settings": "/settings/",
    }


def times(rounds: int) -> str:
    """Milliseconds of each page, `rounds` times, as JSON."""
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(User.objects.get(username="ada"))
    taken: dict[str, list[float]] = {}
    for name, address in pages().items():
        for turn in range(rounds + 2):
            started = time.perf_counter()
            answer = browser.get(address)
            spent = (time.perf_counter() - started) * 1000
            assert answer.status_code == 200, (name, answer.status_code)
            if turn > 1:  # templates are compiled and caches are warm
                taken.setdefault(name, []).append(spent)
    return json.dumps(taken)
