"""The example projects, started by the very commands of their READMEs, with a worker that is killed on the way."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support import places
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent


class Example:
    """A copy of an example, its README's commands, and the processes that they start."""

    def __init__(self, name: str, database: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=places.scratch()))
        shutil.copytree(ROOT / "examples" / name, self.folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
        self.database = self.folder / database
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        text = (self.folder / "README.md").read_text().replace("8000", str(port))
        self.blocks = [block.splitlines() for block in re.findall(r"```sh\n(.*?)```", text, re.S)]
        self.commands = {line.split()[0]: line for block in self.blocks for line in block}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self.processes: dict[str, subprocess.Popen] = {}

    @property
    def env(self) -> dict[str, str]:
        """The environment of somebody who has installed Faena and set nothing."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("FAENA_", "CELERY_", "DJANGO_", "REDIS_"))
        }
        return clean | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "FAENA_LANGUAGE": "en"}

    def run(self, command: str, **env: str) -> None:
        """Run one command to its end."""
        ran = subprocess.run(
            shlex.split(command), cwd=self.folder, env=self.env | env, capture_output=True, text=True, timeout=120
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def start(self, program: str) -> None:
        """Start the README's command of that program."""
        with (self.folder / f"{program}.log").open("ab") as log:
            self.processes[program] = subprocess.Popen(
                shlex.split(self.commands[program]),
                cwd=self.folder,
                env=self.env,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self, program: str) -> None:
        """kill -9 of it and all its children."""
        os.killpg(self.processes[program].pid, signal.SIGKILL)
        self.processes[program].wait(timeout=30)

    def answers(self) -> bool:
        """Whether the web process does."""
        assert self.processes["uvicorn"].poll() is None, self.logs()
        try:
            return self.client.get("/faena/").status_code < 500
        except httpx.TransportError:
            return False

    def until_done(self, job_id: str) -> object:
        """Wait, by asking the project's own page, until the job has succeeded; its result."""

        def answer() -> dict:
            return self.client.get(f"/jobs/{job_id}").raise_for_status().json()

        eventually(lambda: answer()["state"] == "SUCCESS", what=f"{job_id} succeeded")
        return answer()["result"]

    def rows(self, statement: str, *values: object) -> list[tuple]:
        """Look into the database."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(statement, values).fetchall()

    def kill_in_the_middle_of(self, job_id: str) -> None:
        """Kill the worker once a part of the job is done, and start another."""
        where = "FROM faena_job WHERE id = ? AND state = 'running' AND done > 0"
        eventually(lambda: self.rows(f"SELECT 1 {where}", job_id.replace("-", "")), what="a part is done")
        self.kill("celery")
        self.start("celery")

    def logs(self) -> str:
        """What the processes said."""
        return "\n".join(f"=== {log.name}\n{log.read_text()[-4000:]}" for log in self.folder.glob("*.log"))


_LEFT_OUT = shutil.ignore_patterns("var", "__pycache__")


@pytest.fixture(scope="module")
def started(request) -> Iterator[Example]:
    name, database, setting_up = request.param
    example = Example(name, database)
    try:
        for command in example.blocks[0] if setting_up else []:
            example.run(command)
        example.start("uvicorn")
        example.start("celery")
        eventually(example.answers, what="the web process answers")
        yield example
    finally:
        for program in example.processes:
            example.kill(program)
        print(example.logs())
        example.client.close()


def _on(name: str, database: str, *, setting_up: bool) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("started", [(name, database, setting_up)], indirect=True, ids=[name])


on_django = _on("django_shop", "var/shop.sqlite3", setting_up=True)
on_fastapi = _on("fastapi_shop", "var/faena.sqlite3", setting_up=False)


@on_django
@pytest.mark.xdist_group("django-shop")
def test_an_order_and_its_jobs_on_django(started):
    asked = {"customer": "ana@example.com", "products": ["Yerba", "Mate"]}
    placed = started.client.post("/orders/", json=asked).json()
    confirmed = {"confirmed": True, "total": "20.00"}
    eventually(lambda: started.client.get(f"/orders/{placed['order']}/").json() == confirmed)
    refused = started.client.post("/orders/", json=asked | {"products": ["Facturas"]})
    assert refused.status_code == 400
    assert started.rows("SELECT count(*) FROM orders_order") == [(1,)]
    assert started.rows("SELECT count(*) FROM faena_job") == [(2,)]


@on_django
@pytest.mark.xdist_group("django-shop")
def test_prices_are_raised_once_although_the_worker_is_killed(started):
    job_id = started.client.post("/prices/", json={"percent": 10, "pause": 1.5}).json()["job"]
    started.kill_in_the_middle_of(job_id)
    assert started.until_done(f"{job_id}/")["done"] == 40
    assert started.rows("SELECT DISTINCT round(price, 2) FROM orders_product") == [(11,)]
    assert started.rows("SELECT crashes FROM faena_job WHERE id = ?", job_id.replace("-", "")) == [(1,)]


@on_fastapi
@pytest.mark.xdist_group("fastapi-shop")
def test_enqueue_and_ask_on_fastapi(started):
    job_id = started.client.post("/orders", json=[4.5, 12]).json()["job"]
    assert started.until_done(job_id) == 16.5


@on_fastapi
@pytest.mark.xdist_group("fastapi-shop")
def test_a_catalogue_is_finished_although_the_worker_is_killed(started):
    job_id = started.client.post("/catalogues/spring?pages=10").json()["job"]
    started.kill_in_the_middle_of(job_id)
    assert started.until_done(job_id) == {"done": 10, "failed": 0, "skipped": 0, "total": 10, "name": "spring"}
    assert started.rows("SELECT count(DISTINCT key) FROM faena_jobitem WHERE job_id = ?", job_id.replace("-", "")) == [
        (10,)
    ]


@on_fastapi
@pytest.mark.xdist_group("fastapi-shop")
def test_the_monitor_is_mounted_with_its_files_and_its_sign_in(started):
    assert started.client.post("/orders", json=[4.5, 12]).status_code < 300
    making = re.search(r"`(django-admin createsuperuser .*)`", (started.folder / "README.md").read_text())
    given = "--noinput --username ana --email ana@example.com"
    started.run(f"{making[1]} {given}", DJANGO_SUPERUSER_PASSWORD="yerba-mate-1")
    page = started.client.get("/faena", follow_redirects=True)
    assert page.url.path == "/faena/sign-in/"
    files = re.findall(r'(?:href|src)="(/[^"#]+\.(?:css|js|svg|woff2))', page.text)
    assert len(files) >= 5
    assert {started.client.get(each).status_code for each in files} == {200}
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form = {"username": "ana", "password": "yerba-mate-1", "csrfmiddlewaretoken": token, "next": "/faena/"}
    jobs = started.client.post(page.url.path, data=form, follow_redirects=True)
    assert (jobs.status_code, jobs.url.path) == (200, "/faena/")
    assert 'href="/faena/jobs/' in jobs.text


@pytest.mark.parametrize(
    ("name", "command"), [("django_shop", "python manage.py test"), ("fastapi_shop", "python -m pytest -q")]
)
def test_their_own_tests_pass(name, command):
    Example(name, "").run(command)
