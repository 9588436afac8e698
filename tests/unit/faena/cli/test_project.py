from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from faena.cli import project
from faena.cli.main import cli

FAENA = Path(sys.executable).parent / "faena"
EXAMPLES = Path(__file__).parents[4] / "examples"
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


PREPARE = (
    "from faena.cli import prepare, project; project.choose(None); prepare.set_up(); print(*prepare.way_in('', 80))"
)
TABLES = "SELECT name FROM sqlite_master WHERE name IN ('faena_job', 'orders_order')"


def test_in_somebodys_project_only_faena_is_migrated_and_nobody_is_made(folder):
    shutil.copytree(EXAMPLES / "django_shop", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("var"))
    code, said = run(sys.executable, "-c", PREPARE)
    assert (code, "http://127.0.0.1:80/faena/sign-in/ Nobody may sign in" in said) == (0, True), said
    assert re.search(r"not applied: .*orders \(1\).*python manage.py migrate", said)
    with closing(sqlite3.connect(folder / "var" / "shop.sqlite3")) as database:
        assert database.execute(TABLES).fetchall() == [("faena_job",)]
        assert database.execute("SELECT count(*) FROM auth_user").fetchone() == (0,)
        groups = database.execute("SELECT name FROM auth_group ORDER BY name").fetchall()
        assert groups == [("admin",), ("operator",), ("viewer",)]
    assert run(sys.executable, "manage.py", "migrate")[0] == 0
    assert run(sys.executable, "manage.py", "createsuperuser", "--username=ana", "--email=", "--noinput")[0] == 0
    code, said = run(sys.executable, "-c", PREPARE)
    assert (code, "signs you in once" in said, "not applied" in said) == (0, True, False), said


def test_our_own_project_gets_all_its_tables_and_an_admin(folder):
    code, said = run(sys.executable, "-c", PREPARE)
    assert (code, "signs you in once" in said, "not applied" in said) == (0, True, False), said


def test_pages_that_are_not_among_the_urls_are_asked_for(folder):
    shutil.copytree(EXAMPLES / "django_shop", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("var"))
    (folder / "shop" / "urls.py").write_text("urlpatterns = []")
    code, said = run(sys.executable, "-c", PREPARE)
    assert (code, 'include("faena.monitor.urls")' in said) == (0, True), said


@pytest.mark.parametrize(("app", "is_told"), [(None, True), ("tasks", False)])
def test_doctor_says_that_nothing_here_names_a_project(folder, app, is_told):
    (folder / "tasks.py").write_text(TASKS)
    _code, said = run(FAENA, *(["-A", app] if app else []), "doctor")
    assert (project.UNNAMED in said, "manage.py migrate" in said) == (is_told, False), said
