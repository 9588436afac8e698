"""A whole installation for one test: a database, a broker, and real worker processes that may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from django.core.management import call_command
from django.db import connection

from faena.ledger import leases
from faena.models import Job
from tests.support import places, pointing
from tests.support.processes import die_with_parent
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
APP = "tests.support.worker_app"


class Worker:
    """One `celery worker` in a session of its own."""

    def __init__(self, name: str, env: dict[str, str], log: Path, options: Sequence[str]) -> None:
        self.name, self.log = name, log
        command = [PROGRAMS / "celery", "-A", APP, "worker", "-n", f"{name}@tests", "-l", "INFO", *options]
        self._file = log.open("ab")
        self.process = subprocess.Popen(
            command,
            env=env,
            cwd=ROOT,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )

    @property
    def is_ready(self) -> bool:
        """It takes jobs."""
        assert self.process.poll() is None, f"{self.name} ended by itself:\n{self.log.read_text()[-4000:]}"
        return " ready." in self.log.read_text()

    def children(self) -> list[psutil.Process]:
        """Its pool processes."""
        return psutil.Process(self.process.pid).children()

    def signal(self, number: int) -> None:
        """Send a signal to the worker and its pool."""
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """kill -9 of everything it consists of, as when the power goes; returns when all are gone."""
        if self.process.poll() is None:
            pool = self.children()
            self.signal(signal.SIGKILL)
            psutil.wait_procs(pool, timeout=30)
        self.process.wait(timeout=30)
        self._file.close()

    def stop(self, timeout: float = 60) -> None:
        """A warm shutdown, as SIGTERM asks for."""
        self.process.terminate()
        self.process.wait(timeout=timeout)
        self._file.close()


class Stack:
    """`sqlite` or `postgresql`, `sqlite` or `redis`. This process is pointed at it too: `.delay()` enqueues here."""

    def __init__(self, database: str, broker: str, database_url: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="stack-", dir=places.scratch()))
        self.database_url = database_url or places.database_url(database)
        self.redis = places.Redis(self.folder).start() if broker == "redis" else None
        self.broker_file = self.folder / "broker.sqlite3"
        self.broker_url = self.redis.url if self.redis else f"sqlite:///{self.broker_file}"
        self.workers: list[Worker] = []
        self._before = pointing.use_database(self.database_url), pointing.use_broker(self.broker_url)
        call_command("migrate", verbosity=0)

    @property
    def files(self) -> list[str]:
        """The SQLite files that its processes write."""
        urls = [self.database_url, self.broker_url]
        return [url.removeprefix("sqlite:///") for url in urls if url.startswith("sqlite:///")]

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        own = {
            "DJANGO_SETTINGS_MODULE": "faena_server.settings",
            "FAENA_ENV_FILE": os.devnull,
            "FAENA_DATA_DIR": str(self.folder),
            "FAENA_DATABASE_URL": self.database_url,
            "FAENA_BROKER_URL": self.broker_url,
            "FAENA_SYSTEMS": "",
            "FAENA_LOG_LEVEL": "INFO",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "PYTHONFAULTHANDLER": "1",
        }
        return os.environ | own

    def worker(self, *options: str, pool: str = "prefork", concurrency: int = 2, ready: bool = True) -> Worker:
        """Start a worker."""
        name = f"w{len(self.workers) + 1}"
        given = ["-P", pool, "-c", str(concurrency), *options]
        started = Worker(name, self.env, self.folder / f"{name}.log", given)
        self.workers.append(started)
        if ready:
            eventually(lambda: started.is_ready, what=f"{name} is ready")
        return started

    def a_worker(self) -> Worker:
        """A running prefork worker, whichever."""
        return next((each for each in self.workers if each.process.poll() is None), None) or self.worker()

    def celery(self, *arguments: str, app: str = APP) -> str:
        """What a `celery` command in another terminal prints."""
        command = [PROGRAMS / "celery", "-A", app, *arguments]
        ran = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def job(self, job_id: object) -> Job:
        """The job as it stands now."""
        return Job.objects.get(pk=str(job_id))

    def until(self, job_id: object, *states: str, timeout: float = 60) -> Job:
        """Wait until the job is in one of these states."""

        def reached() -> Job | None:
            return Job.objects.filter(pk=str(job_id), state__in=states).first()

        return eventually(reached, timeout, f"job {job_id} is {' or '.join(states)}")

    def until_each(self, job_ids: Sequence[Any], state: str, timeout: float = 60) -> None:
        """Wait until all these jobs are in that state."""
        wanted = Job.objects.filter(pk__in=[str(each) for each in job_ids], state=state)
        eventually(lambda: wanted.count() == len(job_ids), timeout, f"{len(job_ids)} jobs are {state}")

    def kill_workers(self) -> None:
        """kill -9 whatever runs."""
        for each in self.workers:
            each.kill()

    def close(self) -> None:
        """End every process, and point this one back."""
        self.kill_workers()
        if self.redis:
            self.redis.kill()
        database, broker = self._before
        pointing.use_broker(broker)
        connection.close()
        pointing.use_database_settings(database)

    def logs(self) -> str:
        """The last words of every worker."""
        words = {each.name: each.log.read_text().partition(" ready.")[2][-6000:] for each in self.workers}
        return "\n".join(f"=== {name}\n{text}" for name, text in words.items())


def holder_pid(job: Job) -> int:
    """The process that runs the job."""
    assert leases.is_alive(job.holder)
    return int(job.holder.rsplit("|", 2)[1])
