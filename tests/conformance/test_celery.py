"""Plain Celery on each broker: workers with every pool, and the commands people type."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Broker, until

ROOT = Path(__file__).parents[2]
POOLS = {"prefork": ["-P", "prefork", "-c", "2"], "threads": ["-P", "threads", "-c", "2"], "solo": ["-P", "solo"]}


class Plain:
    """The plain application on one broker: its producer is this process, the rest are subprocesses."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.broker, self.folder = broker, folder
        self.environment = {
            **os.environ,
            "PLAIN_BROKER": broker.url,
            "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
            "PYTHONUNBUFFERED": "1",
        }
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)  # set by pytest-django; Celery would load the server
        self.workers: list[subprocess.Popen[str]] = []

    def start(self, name: str, *options: str) -> tuple[subprocess.Popen[str], Path]:
        log = self.folder / f"{name}.log"
        arguments = ["worker", "-n", f"{name}@test", "-l", "info", "-f", str(log), *options]
        with (self.folder / f"{name}.out").open("w") as out:
            worker = subprocess.Popen(
                self._command(*arguments), env=self.environment, stdout=out, stderr=out, cwd=self.folder
            )
        self.workers.append(worker)
        until(lambda: worker.poll() is not None or (log.exists() and " ready." in log.read_text()), 30)
        assert worker.poll() is None, log.read_text()
        return worker, log

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            self._command(*arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def send(self, task: str, *calls: tuple[object, ...]) -> None:
        code = f"from tests.conformance.plain_celery import {task} as t\nfor args in {list(calls)!r}: t.delay(*args)"
        subprocess.run([sys.executable, "-c", code], env=self.environment, check=True, cwd=self.folder)

    def ready(self) -> int:
        with self.broker.connect() as connection:
            return connection.default_channel._size("celery")

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "celery", "-A", "tests.conformance.plain_celery", *arguments]


@pytest.fixture
def plain(request: pytest.FixtureRequest, broker: Broker, tmp_path: Path):
    broker.needs("shared")
    if broker.name == "kombu-redis" and "once" not in request.node.name:
        pytest.skip("kombu's own: one worker is enough to see that the suite is fair")
    plain = Plain(broker, tmp_path)
    yield plain
    for worker in plain.workers:
        worker.kill()
        worker.wait()


@pytest.mark.parametrize("pool", POOLS)
def test_tasks_run_once_and_the_worker_answers(plain, broker, tmp_path, pool):
    if broker.name == "kombu-redis" and pool != "prefork":
        pytest.skip("kombu's own, tried with one pool to save time")
    worker, log = plain.start("w", *POOLS[pool])
    out = tmp_path / "lines"
    plain.send("append", *[(str(out), str(number)) for number in range(30)])
    until(lambda: out.exists() and len(out.read_text().split()) == 30)
    assert sorted(map(int, out.read_text().split())) == list(range(30))
    to = ("-d", "w@test")
    assert "pong" in plain.run("inspect", *to, "ping")
    if pool == "prefork":  # each command is a process of its own, and slow to start
        assert "plain_celery.append" in plain.run("inspect", *to, "registered")
        limit = ("rate_limit", "tests.conformance.plain_celery.append", "9/s")
        assert "new rate limit set" in plain.run("control", *to, *limit)
    worker.terminate()
    assert worker.wait(20) == 0
    assert "Traceback" not in log.read_text()


def test_a_busy_prefork_worker_answers_and_gives_back_what_it_holds(plain, tmp_path):
    worker, _ = plain.start("w", *POOLS["prefork"])
    go = tmp_path / "go"
    plain.send("wait_for", *[(str(go),)] * 12)
    until(lambda: plain.ready() <= 4)  # prefetch: 2 processes, 4 each
    assert plain.run("inspect", "-d", "w@test", "active").count("'worker_pid'") == 2
    worker.terminate()
    until(lambda: "Warm shutdown" in (tmp_path / "w.out").read_text())
    go.touch()
    assert worker.wait(20) == 0
    assert plain.ready() == 10  # the two that ran are done, all others are back
    out = tmp_path / "lines"
    plain.send("append", (str(out), "after"))
    plain.start("heir", *POOLS["prefork"])
    until(lambda: out.exists() and plain.ready() == 0)


def test_tasks_publish_from_children_that_come_and_go(plain, tmp_path):
    _, log = plain.start("w", *POOLS["prefork"], "--max-tasks-per-child", "1")
    out = tmp_path / "lines"
    plain.send("pass_on", *[(str(out), str(number)) for number in range(8)])
    until(lambda: out.exists() and len(out.read_text().split()) == 8)
    assert "Traceback" not in log.read_text()


def test_killed_workers_tasks_run_elsewhere(plain, broker, tmp_path):
    broker.needs("recovers")
    worker, _ = plain.start("w", *POOLS["solo"])
    go = tmp_path / "go"
    out = tmp_path / "lines"
    plain.send("wait_for", (str(go),))
    until(lambda: "wait_for" in (tmp_path / "w.log").read_text().split("ready.")[-1])
    plain.send("append", (str(out), "queued behind it"))
    worker.send_signal(signal.SIGKILL)
    go.touch()
    _, log = plain.start("heir", *POOLS["solo"])
    until(lambda: log.read_text().count("succeeded") == 2)


def test_purge_and_events(plain, broker, tmp_path):
    plain.send("append", *[(str(tmp_path / "lines"), "x")] * 5)
    assert "Purged 5 messages" in plain.run("purge", "-f")
    assert plain.ready() == 0
    plain.start("w", *POOLS["solo"])
    dump = tmp_path / "events"
    with dump.open("w") as file:
        watcher = subprocess.Popen(plain._command("events", "--dump"), env=plain.environment, cwd=tmp_path, stdout=file)
    plain.workers.append(watcher)
    until(lambda: "heartbeat" in dump.read_text())
    plain.send("append", (str(tmp_path / "lines"), "x"))
    until(lambda: " succeeded" in dump.read_text())
    watcher.terminate()
    assert watcher.wait(20) is not None


@pytest.mark.parametrize("broker", ["sqlite"], indirect=True)  # looks into the file
def test_queues_of_dead_clients_do_not_stay(plain, broker):
    worker, _ = plain.start("w", *POOLS["solo"])
    plain.run("inspect", "ping")
    worker.terminate()
    worker.wait(20)
    with broker.connect() as connection:
        tables = ("queues", "consumers", "subscriptions", "messages")
        left = {name: connection.transport.store.file.read(f"SELECT * FROM {name}") for name in tables}
    assert [row[0] for row in left.pop("queues")] == ["celery"]
    assert not any(left.values())


@pytest.mark.parametrize("broker", ["sqlite"], indirect=True)
@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_worker_survives_the_deletion_of_the_broker_file(plain, tmp_path, pool):
    _, log = plain.start("w", *POOLS[pool])
    for file in tmp_path.glob("broker.sqlite3*"):
        file.unlink()
    until(lambda: "was deleted or replaced" in log.read_text())
    out = tmp_path / "lines"
    plain.send("append", (str(out), "x"))
    until(out.exists)
