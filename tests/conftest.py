"""Fixtures of all tests.

The unit tests of the core run on SQLite by default and on a real PostgreSQL with
`FAENA_TEST_DATABASE=postgresql`; `make test` does both. The integration tests start real workers and choose their
databases and brokers themselves (`stack`). Nothing has to be installed or started: servers come from wheels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, connections
from uuid6 import uuid7

from faena.celery import holding
from faena.duties import steady
from faena.ledger import doorbell, enqueue, sql
from faena.ledger.claim import Hold, claim
from faena.ledger.enqueue import NewJob
from faena.models import Job
from tests.support import inline
from tests.support.pointing import use_broker
from tests.support.stack import Stack

TABLES = ("faena_jobitem", "faena_joblog", "faena_auditentry", "faena_lease", "faena_job", "faena_tally")
TABLES += ("faena_queue", "faena_permit", "faena_worker", "faena_occurrence", "faena_schedule")
TABLES += ("faena_apitoken", "faena_keyedanswer", "faena_finishedcount")
TABLES += ("faena_incident", "faena_alertrule", "faena_minute", "faena_snapshot")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "stack_of_module" in getattr(item, "fixturenames", ()):
            # With `-n 2 --dist loadgroup` one process runs all tests of one installation.
            item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__}-{item.callspec.id.split('-')[0]}"))  # type: ignore[attr-defined]
    on_postgresql = [item for item in items if item.get_closest_marker("postgresql")]
    if on_postgresql and connections.settings["default"]["ENGINE"].endswith("sqlite3"):
        for item in on_postgresql:
            item.add_marker(pytest.mark.skip(reason="only on PostgreSQL: FAENA_TEST_DATABASE=postgresql"))


@pytest.fixture(scope="session")
def migrated(django_db_setup: None, django_db_blocker: Any) -> None:
    # pytest-django makes a database only where a test is marked `django_db`.
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)


@pytest.fixture
def ledger(migrated: None, django_db_blocker: Any) -> Iterator[None]:
    """The ledger's tables, empty, with real commits: jobs are published as in life. The broker is kombu's memory."""
    with django_db_blocker.unblock():
        # A test without this fixture may have left messages whose rows its own database rolled back.
        _forget_messages()
        steady._since, steady._last = -math.inf, None
        yield
        left_open = connection.in_atomic_block
        if left_open:
            connection.close()
            connection.connect()
        for table in TABLES:
            sql.execute(f"DELETE FROM {table}")
        doorbell._quiet_until = 0.0
        _forget_messages()
        connection.close()
        assert not left_open, "the test left a transaction open"
        assert holding.current_hold() is None, "the test left a hold behind"


def _forget_messages() -> None:
    for queue in inline.QUEUES:
        inline.sent(queue)


@pytest.fixture
def make_job(ledger: None) -> Callable[..., UUID]:
    """Write the row of a pending job; its id."""

    def make(**values: object) -> UUID:
        job = NewJob(**({"id": uuid7(), "kind": "tests.nothing", "queue": "celery"} | values))  # type: ignore[arg-type]
        enqueue.insert([job])
        return job.id

    return make


@pytest.fixture
def take() -> Callable[..., Hold]:
    """Claim a job that must be claimable."""

    def take_it(job_id: UUID, attempt: int = 0, worker: str = "w1", limited: bool = False) -> Hold:
        hold = claim(job_id, attempt, worker=worker, holder="here|1|1", limited=limited)
        assert hold is not None
        return hold

    return take_it


@pytest.fixture
def row(ledger: None) -> Callable[[object], Job]:
    """The job as it stands in the database now."""
    return lambda job_id: Job.objects.get(pk=str(job_id))


@pytest.fixture
def broker_down(ledger: None) -> Iterator[Callable[[], None]]:
    """The broker's address leads nowhere until the returned function is called."""
    url = use_broker("amqp://127.0.0.1:1//")
    yield lambda: use_broker(url) and None
    use_broker(url)


@pytest.fixture(scope="module", params=["sqlite+sqlite", "postgresql+redis"])
def stack_of_module(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Stack]:
    with django_db_blocker.unblock():
        made = Stack(*request.param.split("+"))
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def stack(request: pytest.FixtureRequest, stack_of_module: Stack) -> Iterator[Stack]:
    """An installation with real workers: on SQLite alone, and on PostgreSQL with Redis. A module shares it."""
    yield stack_of_module
    if request.node.report is None or request.node.report.failed:
        print(stack_of_module.logs())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report = yield
    if call.when == "call":
        item.report = report  # type: ignore[attr-defined]
    return report
