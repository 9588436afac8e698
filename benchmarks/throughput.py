"""How many tasks a second, with two worker processes on one machine?

    .venv/bin/python -m benchmarks.throughput [--quick] [--only SIDE,SIDE]

20,000 tasks (--quick: 3,000) that each do one INCR. The workers of each side are started, given a warm-up, and
frozen; the tasks are enqueued; the clock runs from the thaw to the last INCR. So no start-up time and no
enqueueing is in the figure. All sides run one after the other on the same redis-server, each with two worker
processes and at the settings its documentation names for speed; nobody stores results.

Sides: `faena` (an installed app, task not recorded) and `faena_recorded` (each task a job in a SQLite ledger,
claimed and settled) with two solo workers; `faena_sqlite` (not recorded, the SQLite broker); `faena_prefork`
(plain app on our transport, -P prefork -c 2); `celery_prefork` (-P prefork -c 2) and `celery_solo2` (two solo
workers) with kombu's own transport; `huey` and `huey_sqlite` (-k process -w 2); `dramatiq` (2 processes with 8
threads); `taskiq` (2 workers, lists, which do not acknowledge).

Beside it the CPU time of the workers for each task (`*_cpu_us`), which other work on the machine hardly changes.

Caveats: no-ops measure the engine, not your tasks; on two cores the redis-server shares them with the workers.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import tempfile
import time
from pathlib import Path

import redis
from benchmarks.peers.counting import KEY
from benchmarks.peers.machine import HOW_TO_GET_THEM, Workers, environment, redis_server, run, until

TASKS, QUICK_TASKS, WARM_UP = 20_000, 3_000, 100
LEAN = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "warning"]


def celery(app: str, *options: str, workers: int = 1) -> list[list[str]]:
    base = ["celery", "-A", f"benchmarks.peers.{app}", "worker", *LEAN, *options]
    return [[*base, "-n", f"w{number}@bench"] for number in range(workers)]


def sides(url: str, folder: Path) -> dict[str, tuple[str, dict[str, str], list[list[str]]]]:
    """Each side: module, environment, worker commands."""
    solo2 = celery("faena_app", "-P", "solo", workers=2)
    project = {
        "DJANGO_SETTINGS_MODULE": "faena_server.settings",
        "FAENA_ENV_FILE": os.devnull,
        "FAENA_DATA_DIR": str(folder),
        "FAENA_DATABASE_URL": f"sqlite:///{folder / 'ledger.sqlite3'}",
        "FAENA_BROKER_URL": f"{url}/0",
        "FAENA_SYSTEMS": "",
    }
    in_file = {"FAENA_BROKER_URL": f"sqlite:///{folder / 'broker.sqlite3'}"}
    huey = [["huey.bin.huey_consumer", "benchmarks.peers.huey_app.app", "-k", "process", "-w", "2", "-n", "-q"]]
    dramatiq = [["dramatiq", "benchmarks.peers.dramatiq_app", "--processes", "2", "--threads", "8"]]
    taskiq = [["taskiq", "worker", "benchmarks.peers.taskiq_app:app", "--workers", "2", "--log-level", "WARNING"]]
    return {
        "faena": ("faena_app", project, solo2),
        "faena_recorded": ("faena_app", {**project, "BENCH_KIND": "recorded"}, solo2),
        "faena_sqlite": ("faena_app", {**project, **in_file}, solo2),
        "faena_prefork": ("plain_app", {"BENCH_TRANSPORT": "faena"}, celery("plain_app", "-P", "prefork", "-c", "2")),
        "celery_prefork": ("plain_app", {}, celery("plain_app", "-P", "prefork", "-c", "2")),
        "celery_solo2": ("plain_app", {}, celery("plain_app", "-P", "solo", workers=2)),
        "huey": ("huey_app", {}, huey),
        "huey_sqlite": ("huey_app", {"BENCH_SQLITE": str(folder / "huey.sqlite3")}, huey),
        "dramatiq": ("dramatiq_app", {}, dramatiq),
        "taskiq": ("taskiq_app", {}, taskiq),
    }


def measure(module: str, env: dict[str, str], commands: list[list[str]], tasks: int, log: Path) -> tuple[float, float]:
    """Return tasks per second, and the workers' CPU microseconds per task."""
    counter = redis.Redis.from_url(f"{env['BENCH_REDIS']}/1")
    counter.flushall()
    if "FAENA_DATABASE_URL" in env:
        run(module, "migrate", env)

    def done() -> int:
        return int(counter.get(KEY) or 0)  # type: ignore[arg-type]

    with Workers(commands, env, log) as workers:
        run(module, "send", env, WARM_UP)
        until(lambda: done() == WARM_UP, check=workers.check)
        time.sleep(1.5)  # the second process may need a little longer to start than the first
        workers.signal(signal.SIGSTOP)
        run(module, "send", env, tasks)
        started, spent = time.monotonic(), workers.cpu()
        workers.signal(signal.SIGCONT)
        until(lambda: done() >= WARM_UP + tasks, check=workers.check)
        return tasks / (time.monotonic() - started), (workers.cpu() - spent) / tasks * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer tasks, under a minute")
    parser.add_argument("--only", default="", help="sides to run, with commas")
    options = parser.parse_args()
    tasks = QUICK_TASKS if options.quick else TASKS
    figures: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name, redis_server(Path(name)) as url:
        folder = Path(name)
        for side, (module, own, commands) in sides(url, folder).items():
            if options.only and side not in options.only.split(","):
                continue
            library = module.removesuffix("_app")
            if library in ("huey", "dramatiq", "taskiq") and importlib.util.find_spec(library) is None:
                print(f"{side:>16}: not installed. {HOW_TO_GET_THEM}")
                figures[f"{side}_per_s"] = None
                continue
            # A side that fails must not take the others' figures with it.
            try:
                rate, cpu = measure(module, environment(url, **own), commands, tasks, folder / f"{side}.log")
            except (RuntimeError, TimeoutError) as error:
                print(f"{side:>16}: failed: {error}", flush=True)
                figures[f"{side}_per_s"] = None
                continue
            figures |= {f"{side}_per_s": round(rate), f"{side}_cpu_us": round(cpu)}
            print(f"{side:>16}: {rate:6.0f} tasks/s, {cpu:5.0f} µs of CPU for each", flush=True)
    compare(figures)
    print(json.dumps(figures))


def compare(figures: dict[str, float | None]) -> None:
    ours, celery_prefork = figures.get("faena_per_s"), figures.get("celery_prefork_per_s")
    peers = [figures.get(f"{name}_per_s") or 0 for name in ("huey", "dramatiq", "taskiq")]
    if ours and celery_prefork:
        print(f"{ours / celery_prefork:.1f} × plain Celery prefork (goal 6)")
    if ours and any(peers):
        print(f"{ours / max(peers):.2f} × the best of Huey, Dramatiq and Taskiq (goal 1.5)")


if __name__ == "__main__":
    main()
