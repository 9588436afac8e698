"""The processes of one machine's Faena: started together, logged together, ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: How long processes may take to end by themselves. The ledger hands over what they leave.
GRACE_SECONDS = 4.0

#: Called with (process name, line) for every line that a process prints.
OnLine = Callable[[str, str], None]


@dataclass
class Process:
    """One started program."""

    name: str
    command: Sequence[str]
    popen: subprocess.Popen[str]
    reader: threading.Thread = field(repr=False)

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.popen.poll() is None


class Stack:
    """Starts programs in process groups of their own, so that a Ctrl-C reaches only this one."""

    def __init__(self, on_line: OnLine) -> None:
        self.processes: dict[str, Process] = {}
        self._on_line = on_line

    def start(self, name: str, command: Sequence[str]) -> Process:
        """Start a program under this name."""
        popen = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            **_own_group(),
        )
        reader = threading.Thread(target=self._read, args=(name, popen), name=f"log-{name}", daemon=True)
        reader.start()
        self.processes[name] = Process(name, command, popen, reader)
        return self.processes[name]

    def kill(self, name: str) -> None:
        """End a process and its children at once, as a crash would."""
        _signal_group(self.processes[name].popen, getattr(signal, "SIGKILL", signal.SIGTERM))
        self.processes[name].popen.wait()

    def dead(self) -> Process | None:
        """A process that ended by itself, if any."""
        return next((each for each in self.processes.values() if not each.is_alive), None)

    def stop(self) -> None:
        """Ask all to end, and end what has not after the grace time."""
        for process in self.processes.values():
            if process.is_alive:
                _signal_group(process.popen, signal.SIGTERM, leader_only=True)
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.processes.values():
            try:
                process.popen.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._on_line(process.name, "does not end by itself and is ended; its jobs go on at the next start")
            # Also the children of one that ended by itself.
            _signal_group(process.popen, getattr(signal, "SIGKILL", signal.SIGTERM))
            process.popen.wait()
            process.reader.join(timeout=1)

    def _read(self, name: str, popen: subprocess.Popen[str]) -> None:
        for line in popen.stdout or ():
            self._on_line(name, line.rstrip())


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or the next one that is free."""
    for port in range(wanted, wanted + 100):
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise SystemExit(f"No free port between {wanted} and {wanted + 99} on {host}. Choose one with --port.")


def web_command(application: str, host: str, port: int) -> list[str]:
    """The web process: an ASGI application under uvicorn."""
    python = [sys.executable, "-m", "uvicorn", application, "--host", host, "--port", str(port)]
    # Messages are short: compressing them would cost each open socket more memory than it saves.
    sockets = ["--ws-max-size", "65536", "--ws-per-message-deflate", "false"]
    return [*python, *sockets, "--no-access-log", "--lifespan", "off", "--timeout-graceful-shutdown", "2"]


def worker_command(concurrency: int, queues: str | None = None, *, small: bool = False) -> list[str]:
    """A worker process; on Windows with threads, because Celery's process pool does not run there.

    Args:
        small: with threads everywhere: one process instead of `concurrency` + 1, and no time limits.
    """
    pool = ["--pool", "threads"] if small or os.name == "nt" else []
    chosen = ["--queues", queues] if queues else []
    app = os.environ.get("FAENA_APP") or Path(os.environ["DJANGO_SETTINGS_MODULE"].replace(".", "/")).parts[0]
    python = [sys.executable, "-m", "celery", "--quiet", "-A", app, "worker"]
    return [*python, "--concurrency", str(concurrency), "--loglevel", "INFO", *pool, *chosen]


def _own_group() -> dict:
    if os.name == "nt":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]
    return {"start_new_session": True}


def _signal_group(popen: subprocess.Popen[str], number: int, *, leader_only: bool = False) -> None:
    try:
        if os.name == "nt" or leader_only:
            popen.send_signal(number)
        else:
            os.killpg(popen.pid, number)
    except (ProcessLookupError, PermissionError):
        pass
