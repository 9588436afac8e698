"""How long from `delay()` to the first line of the task, and how many messages a second can be sent?

    .venv/bin/python -m benchmarks.latency [--quick]

One idle solo worker, one task every 20 ms, 500 tasks (--quick: 150): milliseconds from just before `delay()` to
the task's first line, measured in two processes of one machine. Then publishing: 5,000 `delay()` one after the
other (--quick: 1,500), and in bulk: complete Celery messages in kombu's `producer.batch()`. The same app with
kombu's own transport next to it, and the same again with our broker in a SQLite file (`sqlite_*`). Also what an idle
worker costs: the share of a CPU it takes, its round trips per second to the redis-server and the bytes it sends there.

Caveat: on a busy machine the p99 is the machine's.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import psutil
import redis
from benchmarks.peers.counting import LATENCIES
from benchmarks.peers.machine import Workers, environment, redis_server, run, until
from benchmarks.throughput import celery

#: The kernel counts CPU in hundredths of a second: over 10 s that is a tenth of a percent.
IDLE_FOR = 10.0


def measure(url: str, own: dict[str, str], tasks: int, messages: int, log: Path) -> dict[str, float]:
    env = environment(url, BENCH_PREFETCH="4", **own)
    with redis.Redis.from_url(f"{url}/1") as client, Workers(celery("plain_app", "-P", "solo"), env, log) as workers:
        client.flushall()
        run("plain_app", "send_spaced", env, 20)
        until(lambda: client.llen(LATENCIES) == 20, check=workers.check)
        client.delete(LATENCIES)
        idle = idling(client, workers.processes[0].pid)
        run("plain_app", "send_spaced", env, tasks)
        until(lambda: client.llen(LATENCIES) == tasks, check=workers.check)
        taken = sorted(float(value) * 1000 for value in client.lrange(LATENCIES, 0, -1))  # type: ignore[union-attr]
    figures = {"p50_ms": taken[len(taken) // 2], "p99_ms": taken[int(len(taken) * 0.99)], **idle}
    figures["publish_per_s"] = max(float(run("plain_app", "publish_rate", env, messages)) for _ in range(2))
    figures["bulk_publish_per_s"] = max(float(run("plain_app", "bulk_publish_rate", env, 4 * messages)) for _ in "12")
    return figures


def idling(client: redis.Redis, pid: int) -> dict[str, float]:
    """Watch an idle worker for a few seconds."""
    process = psutil.Process(pid)
    time.sleep(1)
    before, cpu = client.info("stats"), sum(process.cpu_times()[:2])
    time.sleep(IDLE_FOR)
    after, spent = client.info("stats"), sum(process.cpu_times()[:2]) - cpu
    # One of them is our own question.
    trips = after["total_reads_processed"] - before["total_reads_processed"] - 1
    received = after["total_net_input_bytes"] - before["total_net_input_bytes"]
    return {
        "idle_round_trips_per_s": trips / IDLE_FOR,
        "idle_bytes_per_s": received / IDLE_FOR,
        "idle_cpu_percent": 100 * spent / IDLE_FOR,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer tasks, under a minute")
    quick = parser.parse_args().quick
    size = (150, 1_500) if quick else (500, 5_000)
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name, redis_server(Path(name)) as url:
        ours = measure(url, {"BENCH_TRANSPORT": "faena"}, *size, Path(name) / "ours.log")
        file = {"BENCH_TRANSPORT": "faena", "BENCH_BROKER": f"sqlite:///{Path(name) / 'broker.sqlite3'}"}
        in_file = measure(url, file, *size, Path(name) / "sqlite.log")
        theirs = measure(url, {}, *size, Path(name) / "theirs.log")
    for key in ours:
        print(f"{key:>22}: {ours[key]:10.1f}   in a file {in_file[key]:10.1f}   plain Celery {theirs[key]:10.1f}")
    figures = ours | _named("sqlite", in_file) | _named("celery", theirs)
    print(
        f"publishing: {ours['publish_per_s'] / theirs['publish_per_s']:.1f} × plain Celery one by one (goal 2), "
        f"{ours['bulk_publish_per_s'] / theirs['publish_per_s']:.1f} × in bulk (goal 15)"
    )
    print(json.dumps({key: round(value, 2) for key, value in figures.items()}))


def _named(side: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{side}_{key}": value for key, value in figures.items()}


if __name__ == "__main__":
    main()
