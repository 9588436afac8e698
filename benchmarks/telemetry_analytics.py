"""How long does each question of the telemetry's analytics take over 1,000,000 merged records?

    .venv/bin/python -m benchmarks.telemetry_analytics [--quick]

Merged records of 734 days, 60 subscribers, 1,725 devices and 261 channels are made in the database (--quick: 100,000),
rolled up, and analyzed. Each question is asked five times about all of the days and about thirty of them, and the best
time counts; the figures are those of the slowest question, and every question's are in ``each_ms``. Beside them stands
the CPU time of this process and of PostgreSQL's (``cpu``), the mean of the five: that is what a quiet machine takes.
``rollup_us_per_row`` is what making the rollups costs for each merged record; ``page_ms`` is the whole page, rendered,
over all days.

Next to it (``plain_ms``) two answers straight from the merged table, without rollups: views by day and hour, and views
by channel, each a plain GROUP BY.

Caveats: nearly every device watches nearly every channel, which is more to count than in life. The tables are vacuumed
and in memory. Two shared cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import psutil
from benchmarks.pricelists import Databases

ROWS, QUICK_ROWS = 1_000_000, 100_000
TIMES = 5
TODAY = date(2026, 11, 25)


def main(rows: int) -> dict[str, Any]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
        for kind in ("sqlite", "postgresql"):
            with Databases(place, kind) as databases:
                found[kind] = in_a_process(databases.new(1), place, rows)
            print(f"{kind}: {json.dumps(found[kind])}")
    return {"rows": rows} | {
        f"{kind}_{name}": value
        for kind, figures in found.items()
        for name, value in figures.items()
        if name != "each_ms"
    }


def in_a_process(database_url: str, place: Path, rows: int) -> dict[str, Any]:
    own = {
        "FAENA_ENV_FILE": os.devnull,
        "FAENA_DATA_DIR": str(place),
        "FAENA_DATABASE_URL": database_url,
        "FAENA_BROKER_URL": "memory://",
        "FAENA_SYSTEMS": "telemetry",
        "FAENA_LOG_LEVEL": "ERROR",
        "FAENA_ALLOWED_HOSTS": "localhost",
        "DJANGO_SETTINGS_MODULE": "faena_server.settings",
    }
    command = [sys.executable, "-m", "benchmarks.telemetry_analytics", "--round", str(rows)]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout.strip().rpartition("\n")[2])


# --- one round, in a process and on a database of its own ----------------------------------------


def one_round(rows: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    from faena.ledger import sql
    from faena_systems.telemetry import analytics as asked
    from faena_systems.telemetry import rollups

    call_command("migrate", verbosity=0)
    fill(rows)
    seconds = timed(rollups.rebuild)
    sql.execute("VACUUM ANALYZE" if sql.is_postgresql() else "ANALYZE")
    everything, month = asked.Period(date(2024, 12, 28), date(2026, 12, 31)), asked.Period.last(30, date(2026, 10, 31))
    answers = {
        period: {name: milliseconds(ask, period) for name, ask in questions().items()} for period in (everything, month)
    }
    if sql.is_postgresql():
        sql.execute("SET max_parallel_workers_per_gather = 0")  # the CPU time of others would not be counted
    cpu = {name: cpu_milliseconds(ask, everything) for name, ask in questions().items()}
    return {
        "slowest_ms": max(answers[everything].values()),
        "slowest_cpu_ms": max(cpu.values()),
        "slowest_month_ms": max(answers[month].values()),
        "page_ms": milliseconds(draw),
        "plain_ms": milliseconds(plainly),
        "rollup_us_per_row": round(seconds / rows * 1e6, 1),
        "each_ms": {name: [answers[everything][name], cpu[name]] for name in cpu},
    }


def questions() -> dict[str, Callable[[Any], Any]]:
    from faena_systems.telemetry import analytics as asked

    return {
        "summary": asked.summary,
        "comparison": lambda period: asked.compare(period, period),
        "top channels": asked.top_channels,
        "audience of 20": asked.audience,
        "audience of 50": lambda period: asked.audience(period, 50),
        "average duration": asked.average_duration,
        "peak hours": asked.peak_hours,
        "time slots": asked.time_slots,
        "daily": asked.series,
        "monthly": lambda period: asked.series(period, asked.By.MONTH),
        "day over day": asked.day_over_day,
        "anomalies": lambda period: asked.anomalies(period, TODAY),
        "retention": asked.retention,
        "segments": asked.segments,
        "coverage": lambda _period: asked.coverage(TODAY),
    }


def draw() -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get_or_create(username="bench")[0])
    assert client.get("/telemetria/?since=2024-12-28&until=2026-12-31&compare=none").status_code == 200


def plainly() -> None:
    from faena.ledger import sql

    merged = "telemetry_mergedtelemetricott"
    for columns in ('"dataDate", "timeDate"', '"dataId"'):
        sql.rows(f"""SELECT {columns}, count(*), sum("dataDuration") FROM {merged} GROUP BY {columns}""")


def milliseconds(act: Callable[..., Any], *arguments: Any) -> float:
    return round(min(timed(act, *arguments) for _ in range(TIMES)) * 1000, 1)


def cpu_milliseconds(act: Callable[..., Any], *arguments: Any) -> float:
    before = cpu_seconds()
    for _ in range(TIMES):
        act(*arguments)
    return round((cpu_seconds() - before) / TIMES * 1000, 1)


def cpu_seconds() -> float:
    """What this process has used so far, and the server process of its connection."""
    from faena.ledger import sql

    if not sql.is_postgresql():
        return time.process_time()
    [(pid,)] = sql.rows("SELECT pg_backend_pid()")
    times = psutil.Process(pid).cpu_times()
    return time.process_time() + times.user + times.system


def timed(act: Callable[..., Any], *arguments: Any) -> float:
    started = time.perf_counter()
    act(*arguments)
    return time.perf_counter() - started


def fill(rows: int) -> None:
    """Make merged records inside the database, their days in the order of their ids. The same ones every time."""
    from faena.ledger import sql

    # Fractions of multiples of the golden ratio, of √2 and of √3 are spread evenly.
    a, b, c = (f"(i * {step} %% 4294967296 / 4294967296.0)" for step in (2654435761, 1779033703, 3144134277))
    if sql.is_postgresql():
        whole, numbers = "floor({})::bigint", f"generate_series(1::bigint, {rows}) AS i"
        day = f"date '2024-12-28' + ((i - 1) * 734 / {rows})::int"
    else:
        whole = "CAST({} AS integer)"
        numbers = f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i FROM n)"
        day = f"date('2024-12-28', '+' || ((i - 1) * 734 / {rows}) || ' days')"
    channel, device = whole.format(f"261 * {a} * {a}"), whole.format(f"1725 * {b}")
    hour, seconds = whole.format(f"24 * {c}"), whole.format(f"30000 * {a} * {b} * {c}")
    sql.execute(
        f"""INSERT INTO telemetry_mergedtelemetricott ("recordId", "actionId", "dataId", "dataName", "dataDuration",
            "deviceId", "smartcardId", "subscriberCode", "timestamp", "dataDate", "timeDate", data)
        SELECT i * 2, 8, 1000 + channel, 'Canal ' || channel, seconds, 50000 + device, '70000' || device,
            'SUB' || device %% 60, '2026-01-01 00:00:00', day, hour,
            '{{"streamId":1,"streamName":"Canal","duration":2100,"appId":1,"appName":"Android TV"}}'
        FROM (SELECT i, {channel} AS channel, {device} AS device, {hour} AS hour, {seconds} AS seconds, {day} AS day
            FROM {numbers}) AS made"""
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--round", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    print(json.dumps(one_round(options.round) if options.round else main(QUICK_ROWS if options.quick else ROWS)))
