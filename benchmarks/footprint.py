"""How much memory, and how much of a CPU, does a whole installation take while there is nothing to do?

    .venv/bin/python -m benchmarks.footprint [--quick]

Three installations, one after the other; each serves some pages, runs 50 no-ops, rests for 10 s (--quick: 5 s) and is
then measured with all its processes, for 20 s (--quick: 10 s):

- `faena`: `faena up` as it comes, no system but the core: supervisor, web, a prefork worker with two processes; broker,
  schedules and monitor are inside.
- `small`: the same with FAENA_PROFILE=small, the jobs in two threads of one process.
- `usual`: a Django site with its admin under the same web server, a Celery worker with two processes, beat, Flower and
  redis-server. Nothing supervises them, and the web server has one process as Faena's has (gunicorn adds a master).

`*_mb`: resident memory (RSS) of all processes in MB of 1,000,000 bytes, in which what processes share counts once for
each; `*_pss_mb`: each shared page in equal parts, which is what the machine really gives. `*_cpu_percent`: of one CPU.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import redis
from benchmarks.peers.counting import KEY
from benchmarks.peers.machine import ROOT, environment, redis_server, run, until

TASKS = 50
PAGES = ("/", "/failures/")


@contextlib.contextmanager
def programs(commands: dict[str, list[str]], env: dict[str, str], folder: Path) -> Iterator[list[psutil.Process]]:
    """Run programs, each with a log of its own, until the end of the block."""
    started = []
    try:
        for name, command in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                started.append(
                    psutil.Popen(
                        command,
                        env=env,
                        cwd=ROOT,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        yield started
    finally:
        for process in started:
            # The supervisor ends what it started, in groups of their own.
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(timeout=20)
            except psutil.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def faena(url: str, folder: Path, profile: str) -> Iterator[list[psutil.Process]]:
    """`faena up` that has done a little."""
    env = environment(
        url,
        DJANGO_SETTINGS_MODULE="faena_server.settings",
        FAENA_ENV_FILE=os.devnull,
        FAENA_DATA_DIR=str(folder),
        FAENA_SYSTEMS="",
        FAENA_APP="benchmarks.peers.ledger_app",
        FAENA_PROFILE=profile,
        COLUMNS="200",
    )
    command = [str(Path(sys.executable).parent / "faena"), "up", "--port", str(free_port())]
    with programs({"up": command}, env, folder) as started:
        log = folder / "up.log"
        until(lambda: " ready." in log.read_text() and "http" in log.read_text(), check=lambda: alive(started, folder))
        address = re.search(r"http://\S+", log.read_text())
        assert address
        visit(address[0], PAGES)
        run("ledger_app", "send", env, TASKS)
        with contextlib.closing(sqlite3.connect(folder / "faena.sqlite3")) as ledger:
            sql = "SELECT count(*) FROM faena_job WHERE state = 'completed'"
            until(lambda: ledger.execute(sql).fetchone()[0] >= TASKS)
        yield started


@contextlib.contextmanager
def usual(url: str, folder: Path) -> Iterator[list[psutil.Process]]:
    """The usual set of programs, which have done the same."""
    env = environment(
        url,
        DJANGO_SETTINGS_MODULE="benchmarks.peers.usual_site",
        BENCH_FOLDER=str(folder),
        FLOWER_UNAUTHENTICATED_API="true",
    )
    web, flower = free_port(), free_port()
    app = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.usual_app"]
    site = "benchmarks.peers.usual_site:application"
    uvicorn = [sys.executable, "-m", "uvicorn", site, "--port", str(web), "--lifespan", "off"]
    run("usual_app", "migrate", env)
    commands = {
        "web": uvicorn,
        "worker": [*app, "worker", "--concurrency", "2", "--loglevel", "INFO"],
        "beat": [*app, "beat", "--schedule", str(folder / "beat")],
        "flower": [*app, "flower", f"--port={flower}", "--address=127.0.0.1"],
    }
    with programs(commands, env, folder) as started, redis.Redis.from_url(f"{url}/1") as client:
        until(lambda: " ready." in (folder / "worker.log").read_text(), check=lambda: alive(started, folder))
        visit(f"http://127.0.0.1:{web}/admin/login/", ["/admin/login/"] * len(PAGES))
        run("usual_app", "send", env, TASKS)
        until(lambda: int(client.get(KEY) or 0) >= TASKS)  # type: ignore[arg-type]
        visit(f"http://127.0.0.1:{flower}/", ["/workers", "/tasks", "/broker"])
        server = redis.Redis.from_url(url).info("server")["process_id"]  # type: ignore[index]
        yield [*started, psutil.Process(server)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alive(started: list[psutil.Process], folder: Path) -> None:
    if not all(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in started):
        raise RuntimeError("\n".join(log.read_text()[-2000:] for log in folder.glob("*.log")))


def visit(address: str, paths: list[str] | tuple[str, ...]) -> None:
    """Open an address as a browser does, then other pages of that site."""
    with httpx.Client(follow_redirects=True, timeout=30) as browser:

        def opened() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return browser.get(address).raise_for_status().is_success
            return False

        until(opened)
        for path in paths:
            browser.get(str(httpx.URL(address).join(path))).raise_for_status()


def measure(started: list[psutil.Process], rest: float, watch: float) -> dict[str, float]:
    """MB and percent of a CPU, of these processes and their children."""
    time.sleep(rest)
    members = [member for process in started for member in (process, *process.children(recursive=True))]
    before = sum(sum(member.cpu_times()[:2]) for member in members)
    time.sleep(watch)
    spent = sum(sum(member.cpu_times()[:2]) for member in members) - before
    memory = [member.memory_full_info() for member in members]
    return {
        "mb": sum(each.rss for each in memory) / 1e6,
        "pss_mb": sum(each.pss for each in memory) / 1e6,
        "processes": len(members),
        "cpu_percent": 100 * spent / watch,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="look for less long, under a minute")
    times = (5.0, 10.0) if parser.parse_args().quick else (10.0, 20.0)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name, redis_server(Path(name)) as url:
        for side in ("faena", "small", "usual"):
            folder = Path(name) / side
            folder.mkdir()
            ready = usual(url, folder) if side == "usual" else faena(url, folder, side.replace("faena", "normal"))
            with ready as started:
                found = measure(started, *times)
            figures |= {f"{side}_{key}": round(value, 1) for key, value in found.items()}
            print(
                f"{side:>6}: {found['mb']:4.0f} MB in {found['processes']:.0f} processes, "
                f"{found['pss_mb']:4.0f} MB with what they share counted once, {found['cpu_percent']:.1f} % of a CPU",
                flush=True,
            )
    print(f"Faena takes {figures['faena_mb'] / figures['usual_mb']:.2f} of the usual (goal 0.5)")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
