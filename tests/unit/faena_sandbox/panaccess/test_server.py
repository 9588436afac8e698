"""The stand-in as a process of its own, and what tests may tell it."""

from __future__ import annotations

import hashlib
import urllib.error

import httpx
import pytest

from faena_sandbox.panaccess.server import Server


@pytest.fixture(scope="module")
def server():
    with Server("--rows", "1200", "--no-filters", "--function", "getTelemetryRecords") as started:
        yield started


def test_it_is_spoken_to_as_panaccess_is(server):
    account = server.environment
    secret = account["PANACCESS_PASSWORD"] + account["PANACCESS_SALT"]

    def call(function: str, **form: object) -> dict:
        return httpx.post(server.url, params={"f": function, "requestMode": "function"}, data=form).json()

    session = call(
        "login",
        username=account["PANACCESS_USERNAME"],
        password=hashlib.md5(secret.encode()).hexdigest(),
        apiToken=account["PANACCESS_API_TOKEN"],
    )["answer"]
    page = call("getTelemetryRecords", sessionId=session, offset=1_000, limit=1_000)["answer"]["telemetryRecordEntries"]
    assert len(page) == 200
    assert httpx.get(server.url).status_code == 405


def test_tests_change_it_while_it_runs(server):
    before = server.control()["rows"]
    assert server.control(arrive=98, set={"latency_ms": 1})["rows"] == before + 98
    server.control(rename={"channel": 1000, "name": "Nuevo"}, fault={"kind": "html"}, expire_sessions=True)
    assert server.control()["sessions"] == 0
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.control(set={"latency": 1})
    refused.value.close()


def test_it_ends_with_whoever_started_it():
    started = Server("--rows", "1")
    started.process.stdin.close()
    assert started.process.wait(timeout=30) == 0
    started.process.stdout.close()
