from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from faena.cli import project
from faena.cli.main import cli

FAENA = Path(sys.executable).parent / "faena"
TASKS = """
from celery import Celery
import faena

app = Celery("shop")
faena.install(app)

@app.task
def fails(why):
    raise KeyError(why)

@faena.job(queue="imports")
def imports(run):
    return None
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("DJANGO_SETTINGS_MODULE", "FAENA_APP", "PYTHONPATH"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_a_django_project_is_known_by_its_manage_py(folder):
    (folder / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")')
    assert project.choose(None)
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "shop.settings"


@pytest.mark.parametrize(("app", "settings"), [("tasks", "faena.standalone.settings"), (None, "faena_server.settings")])
def test_elsewhere_the_app_is_named_or_it_is_our_own_server(folder, app, settings):
    assert project.choose(app) == bool(app)
    assert os.environ["DJANGO_SETTINGS_MODULE"] == settings
    assert os.environ.get("FAENA_APP") == app


def test_what_the_environment_says_comes_first(folder, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mine")
    (folder / "manage.py").write_text('("DJANGO_SETTINGS_MODULE", "shop.settings")')
    project.choose("tasks")
    assert os.environ["DJANGO_SETTINGS_MODULE"] == "mine"


@pytest.mark.parametrize(("words", "is_told"), [(["up"], True), (["-A", "tasks", "up"], False)])
def test_up_says_that_it_is_not_about_the_tasks_in_this_folder(folder, monkeypatch, words, is_told):
    monkeypatch.setattr("faena.cli.up.run_up", lambda *_, **__: 0)
    told = CliRunner().invoke(cli, words)
    assert (told.exit_code, "no -A or FAENA_APP names" in told.stderr) == (0, is_told)


def run(*command: object) -> tuple[int, str]:
    kept = ("DJANGO_SETTINGS_MODULE", "FAENA_DATABASE_URL", "FAENA_BROKER_URL", "FAENA_DATA_DIR")
    env = {name: value for name, value in os.environ.items() if name not in kept}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_the_commands_know_the_tasks_of_a_project_without_django(folder):
    (folder / "tasks.py").write_text(TASKS)
    assert run(sys.executable, "-c", "import tasks; print(tasks.fails.delay('x').id)")[0] == 0
    assert run(FAENA, "-A", "tasks", "jobs", "pause", "--kind", "tasks.fails", "--yes")[0] == 0
    code, said = run(sys.executable, "-c", "from faena.cli import prepare, project; project.choose('tasks');"
                     "prepare.set_up(); print(prepare.queues(), prepare.application())")  # fmt: skip
    assert (code, said.strip()) == (0, "celery,imports faena.asgi:application")
    code, said = run(FAENA, "-A", "nowhere", "jobs", "list")
    assert (code, "There is no Celery app 'nowhere' here" in said, "Traceback" in said) == (2, True, False)
