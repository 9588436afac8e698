"""`faena.install(app)`: whose app, when, how often; and in projects that are not Django, in processes of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from celery import Celery, Task, chain
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, transaction

import faena
from faena import registry
from faena.celery.amqp import CeleryBroker
from faena.celery.backend import LedgerBackend
from faena.celery.task import LedgerTask
from faena.errors import ConfigurationError
from faena.ledger import doorbell
from faena.models import Job
from faena_server import app
from tests.support import inline, places
from tests.support.jobs import add

ROOT = Path(__file__).parents[4]


@pytest.fixture
def another():
    """Make Celery apps that leave no trace."""
    broker, tasks = doorbell.broker, registry.tasks
    yield lambda name="another", **options: Celery(name, set_as_current=False, **options)
    doorbell.connect(broker)
    registry.connect(tasks)


# --- whose app, when, how often ------------------------------------------------------------------


def test_a_second_time_it_does_nothing(another):
    made = faena.install(another())
    broker = doorbell.broker

    @made.task
    def nothing():
        pass

    assert faena.install(made) is made
    assert doorbell.broker is broker


def test_after_the_first_task_it_is_too_late(another):
    made = another()
    made.finalize()
    with pytest.raises(ConfigurationError, match=r"install\(another\) comes too late"):
        faena.install(made)


def test_what_is_configured_afterwards_does_not_undo_it(another):
    made = faena.install(another(broker="memory://"))
    assert made.conf.task_default_queue == "celery"  # read, and so fixed
    made.config_from_object({"result_backend": "cache+memory://", "task_default_queue": "orders"})
    assert isinstance(made.backend, LedgerBackend)
    assert made.conf.task_default_queue == "orders"


def test_an_apps_own_task_class_stays(another, ledger):
    around = []

    class InContext(Task):
        """As Flask's documentation has it."""

        def __call__(self, *args, **kwargs):
            around.append("in")
            return self.run(*args, **kwargs)

    made = faena.install(another(task_cls=InContext, broker="memory://"))

    @made.task(name="another.double")
    def double(x):
        return 2 * x

    assert isinstance(double, LedgerTask)
    assert isinstance(double, InContext)
    assert double.run_now(4).get() == 8
    assert around == ["in"]
    assert Job.objects.get().state == "completed"


def test_another_app_in_the_same_process_is_told_of(another, caplog):
    faena.install(another("one"))
    caplog.clear()
    faena.install(another("one"))
    assert caplog.text == ""
    second = faena.install(another("two"))
    assert "installed in the Celery app one and now in two" in caplog.text
    assert isinstance(doorbell.broker, CeleryBroker)
    assert doorbell.broker.app is second


# --- from an event loop --------------------------------------------------------------------------


def test_enqueue_and_look_from_an_event_loop(ledger):
    async def handler():
        awaited = await add.adelay(1, 2)
        urgent = await add.aapply_async((3, 4), priority=9)
        plain = add.delay(5, 6)
        chained = chain(add.s(1, 1), add.s(2)).delay()
        (many,) = faena.enqueue_many(add, [(7, 8)])
        revoked = add.apply_async((9, 9), countdown=60)
        app.control.revoke(revoked.id)
        assert revoked.state == "REVOKED"
        await sync_to_async(connections.close_all)()  # of the loop's thread, which outlives the loop
        return [awaited.id, urgent.id, plain.id, chained.parent.id, str(many)]

    ids = asyncio.run(handler())
    assert {str(pk) for pk in Job.objects.filter(state="pending").values_list("pk", flat=True)} == set(ids)
    assert sorted(inline.ids(inline.sent())) == sorted(ids)


def test_a_transaction_around_an_event_loop_is_not_left_silently(ledger):
    async def handler():
        add.delay(1, 2)

    with pytest.raises(SynchronousOnlyOperation, match=r"call `await task\.adelay"), transaction.atomic():
        asyncio.run(handler())
    assert not Job.objects.exists()


# --- projects that are not Django ----------------------------------------------------------------


@pytest.fixture
def script(tmp_path):
    """Run a script in a new process that has set nothing of Faena's; what it prints, by lines."""

    def run(text: str, *, fails: bool = False, **env: str) -> list[str]:
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("FAENA_", "CELERY_", "DJANGO_"))
        }
        (tmp_path / "script.py").write_text(text)
        ran = subprocess.run(
            [sys.executable, "-W", "error", "script.py"],
            cwd=tmp_path,
            env=clean | env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (ran.returncode != 0) is fails, ran.stdout + ran.stderr
        return (ran.stderr if fails else ran.stdout).splitlines()

    return run


SHOP = """
import os, time
from celery import Celery
import faena

app = Celery("shop")
faena.install(app)

@app.task
def add(x, y):
    return x + y
"""


SERVER_GOES_AWAY = """
import psycopg
from django.db import connection
from faena.models import Job

add.delay(1, 2)
with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + others)
add.delay(3, 4)
print(Job.objects.count())
"""


def test_django_is_set_up_and_the_tables_are_made(script, tmp_path):
    told = script(
        SHOP + "sent = add.delay(1, 2); print(sent.state, app.conf.broker_url, time.tzname[0])", TZ="Asia/Tokyo"
    )
    assert told == [f"PENDING sqlite:///{tmp_path}/var/broker.sqlite3 JST"]
    assert (tmp_path / "var" / "faena.sqlite3").exists()


def test_an_apps_own_broker_is_its_own_business(script, tmp_path):
    text = SHOP.replace('Celery("shop")', 'Celery("shop", broker="memory://")')
    assert script(text + "print(app.conf.broker_url)", FAENA_BROKER_URL="redis://elsewhere") == ["memory://"]
    assert script(SHOP + "print(app.conf.broker_url)", FAENA_BROKER_URL="memory://") == ["memory://"]


def test_the_monitor_may_be_imported_first(script):
    told = script("import faena.asgi\n" + SHOP + "add.delay(1, 2); print(app.conf.broker_url)")
    assert told[0].startswith("sqlite:////")


def test_processes_that_start_at_once_make_the_tables_once(script, tmp_path):
    run = [sys.executable, "script.py"]
    (tmp_path / "script.py").write_text(SHOP + "add.delay(1, 2)")
    env = os.environ | {"FAENA_DATA_DIR": str(tmp_path / "new"), "FAENA_BROKER_URL": "memory://"}
    for name in ("DJANGO_SETTINGS_MODULE", "FAENA_DATABASE_URL"):
        env.pop(name, None)
    started = [subprocess.Popen(run, cwd=tmp_path, env=env, stderr=subprocess.PIPE) for _ in range(3)]
    assert [each.communicate(timeout=120)[1] for each in started] == [b"", b"", b""]
    told = script(
        SHOP + "from faena.models import Job; print(Job.objects.count())", FAENA_DATA_DIR=str(tmp_path / "new")
    )
    assert told == ["3"]


def test_a_servers_tables_are_asked_for(script):
    url = places.database_url("postgresql")
    env = {"FAENA_DATABASE_URL": url}
    told = script(SHOP + "add.delay(1, 2)", fails=True, **env)
    advice = told[-1].partition("lacks tables of this version of Faena. Make them with: ")[2]
    assert advice == "django-admin migrate --settings faena.standalone.settings"
    made = script(
        f"from django.core.management import execute_from_command_line as run; run({advice.split()!r})", **env
    )
    assert "Applying faena.0001_initial" in "".join(made)
    # A connection that the server has closed is no reason to fail either.
    assert script(SHOP + SERVER_GOES_AWAY, **env) == ["2"]


def test_a_django_project_is_left_alone(script):
    text = SHOP + "import django.conf; print(django.conf.settings.configured, faena.standalone.is_set_up)"
    assert script(text, DJANGO_SETTINGS_MODULE="elsewhere.settings") == ["False False"]
    before = "import django.conf; django.conf.settings.configure(SECRET_KEY='x')\n"
    assert script(before + SHOP + "print(faena.standalone.is_set_up)") == ["False"]


def test_a_django_project_that_does_not_say_which_is_not_taken_for_another(script, tmp_path):
    text = SHOP.replace("faena.install", "app.config_from_object('django.conf:settings')\nfaena.install")
    told = script(text, fails=True)
    assert "reads Django's settings, but nothing says which" in told[-1]
    assert not (tmp_path / "var").exists()


def test_an_app_that_a_factory_makes_late_and_twice(script):
    text = """
from celery import Celery, shared_task
import faena

@shared_task
def add(x, y):
    return x + y

def create_app():
    return faena.install(Celery("shop", broker="memory://"))

create_app(), create_app()
add.delay(1, 2)
from faena.testing import drain
print([job.result for job in drain()])
"""
    assert script(text) == ["[3]"]
