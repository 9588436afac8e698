"""The live channel from end to end: a real web process, a worker in another one, on both installations."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from faena.ledger import hold, queues, tokens
from faena.ledger.records import SYSTEM
from faena.permissions import Role
from tests.support import jobs
from tests.support.stack import Stack
from tests.support.web import Web


@pytest.fixture(scope="module")
def web_of_module(stack_of_module: Stack) -> Iterator[Web]:
    web = Web(stack_of_module)
    try:
        yield web
    finally:
        web.close()


@pytest.fixture
def web(web_of_module: Web, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Web]:
    yield web_of_module
    if request.node.report is None or request.node.report.failed:
        print(web_of_module.log.read_text()[-4000:])
    User.objects.all().delete()


@pytest.fixture
def token(stack: Stack) -> Iterator[str]:
    made, text = tokens.create("live", Role.VIEWER, SYSTEM)
    yield text
    made.delete()


def open_socket(web: Web, path: str, **headers: str) -> ClientConnection:
    return connect(web.socket(path), additional_headers=headers, open_timeout=30, close_timeout=5)


def by_token(web: Web, path: str, token: str) -> ClientConnection:
    return open_socket(web, path, Authorization=f"Bearer {token}")


def receive(socket: ClientConnection, kind: str = "", timeout: float = 60, **members: object) -> dict:
    """The next message of this kind with these members; others before it are let pass."""
    deadline = time.monotonic() + timeout
    while True:
        message = json.loads(socket.recv(timeout=max(0.1, deadline - time.monotonic())))
        if kind in {"", message["type"]} and all(message.get(name) == value for name, value in members.items()):
            return message


def test_a_jobs_way_is_told_as_it_happens(web, stack, token):
    stack.a_worker()
    queues.pause("celery")
    job_id = jobs.count.delay(40, 0.05).id
    with by_token(web, f"/ws/jobs/{job_id}", token) as socket:
        first = receive(socket)
        assert (first["type"], first["job_id"], first["status"]) == ("connected", job_id, "pending")
        assert set(first["progress"]) == {"processed", "total", "percentage", "successful", "failed"}
        queues.resume("celery")
        assert receive(socket, "status_update", status="running")
        told = receive(socket, "progress", total_records=40)
        assert told["progress_percentage"] == 100 * told["processed_records"] // 40
        assert {"current_action", "latest_log"} <= told.keys()
        assert receive(socket, "status_update", status="completed")["progress"]["successful"] == 40
        over = receive(socket, "completed")
        assert over["summary"]["successful_records"] == 40
        assert {"total_files_downloaded", "failed_records"} <= over["summary"].keys()


def test_a_failure_is_an_error_message(web, stack, token):
    stack.a_worker()
    queues.pause("celery")
    job_id = jobs.boom.delay("no such file").id
    with by_token(web, f"/ws/jobs/{job_id}", token) as socket:
        receive(socket, "connected")
        queues.resume("celery")
        assert receive(socket, "error")["error_message"] == "ValueError: no such file"


def test_the_log_is_followed(web, stack, token):
    stack.a_worker()
    queues.pause("celery")
    job_id = jobs.batches.delay(20, 5, 0.3).id
    with by_token(web, f"/ws/jobs/{job_id}", token) as socket:
        receive(socket, "connected")
        queues.resume("celery")
        told = receive(socket, "progress", current_action="15..19")
        assert told["latest_log"]["level"] == "info"


def test_pings_and_questions_are_answered(web, stack, token):
    queues.pause("held")
    job_id = jobs.add.apply_async((1, 2), queue="held").id
    with by_token(web, f"/ws/jobs/{job_id}", token) as socket:
        receive(socket, "connected")
        socket.send(json.dumps({"type": "ping"}))
        assert receive(socket)["type"] == "pong"
        socket.send("get_status")
        assert receive(socket)["status"] == "pending"
        socket.send("{ nonsense")
        socket.send("ping")
        assert receive(socket)["type"] == "pong"
        socket.send("x" * 2000)
        with pytest.raises(ConnectionClosed) as closed:
            receive(socket)
        assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize("job_id", ["01a1fb12-c056-7f27-9918-cc335e4e47be", "nonsense"])
def test_an_unknown_job_closes_with_1008(web, token, job_id):
    with by_token(web, f"/ws/jobs/{job_id}", token) as socket, pytest.raises(ConnectionClosed) as closed:
        receive(socket)
    assert closed.value.rcvd.code == 1008


def until_told(socket: ClientConnection, part: str) -> dict:
    """The next message that says that this part of the overview changed."""
    while part not in (message := receive(socket, "changed"))["what"]:
        pass
    return message


def test_the_monitor_is_told_what_changed(web, stack, token):
    queues.pause("held")
    with by_token(web, "/ws/monitor", token) as socket:
        waiting = receive(socket, "connected")["counts"]["pending"]
        job_id = jobs.add.apply_async((1, 2), queue="held").id
        assert until_told(socket, "jobs")["counts"]["pending"] == waiting + 1
        queues.pause("other")
        until_told(socket, "queues")
        hold.cancel(UUID(job_id))
        assert until_told(socket, "jobs")["counts"]["pending"] == waiting
        queues.resume("other")
        until_told(socket, "queues")


def session_of(web: Web) -> str:
    User.objects.create_user("vera", password="look-only-1")
    client = Client()
    client.force_login(User.objects.get(username="vera"))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_a_person_looks_from_this_site_only(web, stack):
    cookie = session_of(web)
    with open_socket(web, "/ws/monitor", Cookie=cookie, Origin=web.origin) as socket:
        assert receive(socket)["type"] == "connected"
    for headers in (
        {"Cookie": cookie, "Origin": "https://evil.example"},
        {"Cookie": cookie, "Origin": "null"},
        {"Cookie": cookie},
        {"Origin": web.origin},
    ):
        with pytest.raises(InvalidStatus) as refused, open_socket(web, "/ws/monitor", **headers):
            pass
        assert refused.value.response.status_code == 403


def test_a_wrong_token_and_a_wrong_address_are_refused(web, token):
    for path, text in (("/ws/monitor", "faena_wrong"), ("/ws/nothing", token)):
        with pytest.raises(InvalidStatus) as refused, by_token(web, path, text):
            pass
        assert refused.value.response.status_code == 403


def test_a_project_without_django_has_it_too(stack, token):
    web = Web(stack, "faena.asgi:application", DJANGO_SETTINGS_MODULE="faena.standalone.settings")
    try:
        with by_token(web, "/ws/monitor", token) as socket:
            assert receive(socket)["type"] == "connected"
    finally:
        web.close()
