"""What does a kill -9 of the worker cost?

    .venv/bin/python -m benchmarks.crash [--quick]

40 jobs of one second are enqueued and one prefork worker with four slots takes them; three seconds later its whole
process group is killed with -9 and a new worker is started at once. Then everyone waits until all 40 are done, or
for 130 s (--quick: 38 s). The four sides run at the same time: the jobs only sleep.

Sides: Faena on Redis and on its SQLite broker (recorded jobs, nothing configured); plain Celery as it comes; plain
Celery at its best settings (acks_late, reject_on_worker_lost, prefetch 1, a visibility timeout of 30 s and kombu's
restore sweep every second).

`lost`: jobs that are not done and wait nowhere; `stuck`: jobs that are not done but that the broker still keeps for
the dead worker. `live_reruns`: jobs that ended twice, or that began again while they were running. `recovery`:
seconds from the kill until the last job that it interrupted runs again.

Caveat: a visibility timeout of 30 s makes Celery run every job that lasts longer than that twice.
"""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from benchmarks.peers.counting import STEPS
from benchmarks.peers.machine import Workers, environment, redis_server, run, until
from benchmarks.throughput import celery

JOBS, SLOTS, KILL_AFTER = 40, 4, 3.0
PATIENCE, QUICK_PATIENCE = 130, 38
#: What a second execution of a finished job would need to show.
AFTERMATH = 3.0
BEST = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "broker_transport_options": {
        "visibility_timeout": 30,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
}


@dataclass(frozen=True, slots=True)
class Step:
    """One job began or ended."""

    what: str
    job: int
    at: float


def sides(url: str, folder: Path) -> dict[str, tuple[str, dict[str, str]]]:
    """Each side: module and environment. Each has a broker of its own."""
    project = {
        "DJANGO_SETTINGS_MODULE": "faena_server.settings",
        "FAENA_ENV_FILE": "/dev/null",
        "FAENA_SYSTEMS": "",
        "BENCH_PREFETCH": "4",
    }
    return {
        "faena": ("faena_app", {**project, "FAENA_DATA_DIR": str(folder / "a"), "FAENA_BROKER_URL": f"{url}/2"}),
        "faena_sqlite": ("faena_app", {**project, "FAENA_DATA_DIR": str(folder / "b")}),
        "celery_default": ("plain_app", {"BENCH_BROKER": f"{url}/3", "BENCH_PREFETCH": "4"}),
        "celery_best": ("plain_app", {"BENCH_BROKER": f"{url}/4", "BENCH_SETTINGS": json.dumps(BEST)}),
    }


def measure(module: str, env: dict[str, str], patience: float, log: Path) -> dict[str, Any]:
    """Run one side; its figures."""
    if "FAENA_DATA_DIR" in env:
        run(module, "migrate", env)
    client = redis.Redis.from_url(f"{env['BENCH_REDIS']}/1")

    def steps() -> list[Step]:
        return [Step(*json.loads(line)) for line in client.lrange(env["BENCH_STEPS"], 0, -1)]  # type: ignore[union-attr]

    def ended() -> set[int]:
        return {step.job for step in steps() if step.what == "end"}

    worker = celery(module, "-P", "prefork", "-c", str(SLOTS), workers=2)
    with Workers(worker[:1], env, log) as first:
        run(module, "send_slow", env, JOBS)
        until(lambda: len(steps()) >= SLOTS, check=first.check)
        time.sleep(KILL_AFTER)
        first.signal(signal.SIGKILL)
        killed = time.time()
    interrupted = {step.job for step in steps()} - ended()
    with Workers(worker[1:], env, log) as second:
        with suppress(TimeoutError):
            until(lambda: len(ended()) == JOBS, timeout=patience, check=second.check)
        time.sleep(AFTERMATH)
    return figures(steps(), interrupted, killed, stuck=JOBS - len(ended()) and int(run(module, "kept", env)))


def figures(steps: list[Step], interrupted: set[int], killed: float, stuck: int) -> dict[str, Any]:
    ends = Counter(step.job for step in steps if step.what == "end")
    back = {step.job: step.at - killed for step in reversed(steps) if step.what == "start" and step.at > killed}
    recovered = [back[job] for job in interrupted if job in back]
    begun_after_the_end = {
        step.job
        for step in steps
        if step.what == "start" and any(e.what == "end" and e.job == step.job and e.at < step.at for e in steps)
    }
    return {
        "interrupted": len(interrupted),
        "done": len(ends),
        "stuck": stuck,
        "lost": JOBS - len(ends) - stuck,
        "live_reruns": len({job for job, count in ends.items() if count > 1} | begun_after_the_end),
        "recovery_s": round(max(recovered), 1) if len(recovered) == len(interrupted) and recovered else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="wait for less long, about a minute")
    patience = QUICK_PATIENCE if parser.parse_args().quick else PATIENCE
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name, redis_server(Path(name)) as url:
        folder = Path(name)
        with ThreadPoolExecutor() as pool:
            running = {
                side: pool.submit(
                    measure,
                    module,
                    environment(url, BENCH_STEPS=f"{STEPS}:{side}", **own),
                    patience,
                    folder / f"{side}.log",
                )
                for side, (module, own) in sides(url, folder).items()
            }
            found = {side: future.result() for side, future in running.items()}
    for side, one in found.items():
        print(f"{side:>15}: " + ", ".join(f"{key} {value}" for key, value in one.items()))
    ours = [found["faena"], found["faena_sqlite"]]
    print(
        json.dumps(
            {
                "lost": sum(one["lost"] + one["stuck"] for one in ours),
                "live_reruns": sum(one["live_reruns"] for one in ours),
                "recovery_max_s": max((one["recovery_s"] or float("inf")) for one in ours),
                "celery_default_lost": found["celery_default"]["lost"],
                "celery_default_stuck": found["celery_default"]["stuck"],
                "celery_best_lost": found["celery_best"]["lost"],
                "celery_best_stuck": found["celery_best"]["stuck"],
                "celery_best_recovery_s": found["celery_best"]["recovery_s"],
            }
        )
    )


if __name__ == "__main__":
    main()
