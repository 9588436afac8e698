"""How long from `delay()` to the first line of the task, and how many messages a second can be sent?

    .venv/bin/python -m benchmarks.latency [--quick]

One idle solo worker, one task every 20 ms, 500 tasks (--quick: 150): milliseconds from just before `delay()` to
the task's first line, measured in two processes of one machine. Before that, what the idle worker costs: the share of
a CPU it takes, its round trips per second to the redis-server and the bytes it sends there. The same plain app on
Faena's Redis transport, with its broker in a SQLite file (`sqlite_*`), and on kombu's own transport (`celery_*`).

Then publishing, three rounds in which the sides take turns, the best of each: 5,000 `delay()` one after the other
(--quick: 1,500), and in bulk: `enqueue_many` of a task that is not recorded, for plain Celery kombu's
`producer.batch()` around messages of its `as_task_v2`.

Caveat: on a busy machine the p99 is the machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis
from benchmarks.peers.counting import LATENCIES
from benchmarks.peers.machine import Workers, environment, redis_server, run, until
from benchmarks.throughput import celery

#: The kernel counts CPU in hundredths of a second: over 10 s that is a tenth of a percent.
IDLE_FOR = 10.0
ROUNDS = 3


@dataclass(frozen=True)
class Side:
    """The plain app on one broker, and the app whose way to publish in bulk is measured."""

    environment: dict[str, str]
    bulk_module: str = "faena_app"


def sides(url: str, folder: Path) -> dict[str, Side]:
    project = {
        "DJANGO_SETTINGS_MODULE": "faena_server.settings",
        "FAENA_ENV_FILE": os.devnull,
        "FAENA_DATA_DIR": str(folder),
        "FAENA_SYSTEMS": "",
        "BENCH_TRANSPORT": "faena",
        "BENCH_PREFETCH": "4",
    }
    file = f"sqlite:///{folder / 'broker.sqlite3'}"
    return {
        "": Side(environment(url, **project, FAENA_BROKER_URL=f"{url}/0")),
        "sqlite_": Side(environment(url, **project, FAENA_BROKER_URL=file, BENCH_BROKER=file)),
        "celery_": Side(environment(url, BENCH_PREFETCH="4"), "plain_app"),
    }


def starting(side: Side, url: str, tasks: int, log: Path) -> dict[str, float]:
    """Milliseconds until a task starts, and what the worker takes while there is none."""
    command = celery("plain_app", "-P", "solo")
    with redis.Redis.from_url(f"{url}/1") as client, Workers(command, side.environment, log) as workers:
        client.flushall()
        run("plain_app", "send_spaced", side.environment, 20)
        until(lambda: client.llen(LATENCIES) == 20, check=workers.check)
        client.delete(LATENCIES)
        idle = idling(client, workers.processes[0].pid)
        run("plain_app", "send_spaced", side.environment, tasks)
        until(lambda: client.llen(LATENCIES) == tasks, check=workers.check)
        taken = sorted(float(value) * 1000 for value in client.lrange(LATENCIES, 0, -1))  # type: ignore[union-attr]
    return {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[int(len(taken) * 0.99)], **idle}


def idling(client: redis.Redis, pid: int) -> dict[str, float]:
    """Watch an idle worker for a few seconds."""
    process = psutil.Process(pid)
    time.sleep(1)
    before, cpu = client.info("stats"), sum(process.cpu_times()[:2])
    time.sleep(IDLE_FOR)
    after, spent = client.info("stats"), sum(process.cpu_times()[:2]) - cpu
    # One of the round trips is the question itself.
    trips = after["total_reads_processed"] - before["total_reads_processed"] - 1
    received = after["total_net_input_bytes"] - before["total_net_input_bytes"]
    return {
        "idle_round_trips_per_s": trips / IDLE_FOR,
        "idle_bytes_per_s": received / IDLE_FOR,
        "idle_cpu_percent": 100 * spent / IDLE_FOR,
    }


def publishing(side: Side, messages: int) -> dict[str, float]:
    return {
        "publish_per_s": float(run("plain_app", "publish_rate", side.environment, messages)),
        "bulk_publish_per_s": float(run(side.bulk_module, "bulk_publish_rate", side.environment, 4 * messages)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer tasks, about a minute")
    quick = parser.parse_args().quick
    tasks, messages = (150, 1_500) if quick else (500, 5_000)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name, redis_server(Path(name)) as url:
        all_sides = sides(url, Path(name))
        for prefix, side in all_sides.items():
            found = starting(side, url, tasks, Path(name) / f"{prefix}worker.log")
            figures |= {prefix + key: value for key, value in found.items()}
        for _ in range(ROUNDS):
            for prefix, side in all_sides.items():
                for key, rate in publishing(side, messages).items():
                    figures[prefix + key] = max(figures.get(prefix + key, 0.0), rate)
    report(figures)


def report(figures: dict[str, float]) -> None:
    for key in (key for key in figures if not key.startswith(("sqlite_", "celery_"))):
        ours, in_file, theirs = (figures[prefix + key] for prefix in ("", "sqlite_", "celery_"))
        print(f"{key:>22}: {ours:10.1f}   in a file {in_file:10.1f}   plain Celery {theirs:10.1f}")
    one, bulk = (figures[key] / figures["celery_publish_per_s"] for key in ("publish_per_s", "bulk_publish_per_s"))
    print(f"publishing: {one:.1f} × plain Celery one by one (goal 2), {bulk:.1f} × in bulk (goal 15)")
    print(json.dumps({key: round(value, 2) for key, value in figures.items()}))


if __name__ == "__main__":
    main()
