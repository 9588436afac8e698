"""Flower beside a worker: a real Flower process, asked over HTTP as a browser and a script ask it."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from .conftest import Broker, until
from .test_celery import POOLS, Plain

TASK, WAITING = "tests.conformance.plain_celery.append", "tests.conformance.plain_celery.wait_for"


class Flower:
    """`celery flower` on a port of its own."""

    def __init__(self, plain: Plain) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.log = plain.folder / "flower.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                plain._command("flower", f"--port={port}", "--address=127.0.0.1"),
                env=plain.environment | {"FLOWER_UNAUTHENTICATED_API": "true"},
                cwd=plain.folder,
                stdout=log,
                stderr=log,
            )
        plain.workers.append(self.process)
        self._address = f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self._get("/healthcheck").is_success
        except httpx.TransportError:
            return False

    def json(self, path: str, **parameters: object) -> dict:
        return self._get(path, **parameters).raise_for_status().json()

    def page(self, path: str) -> str:
        return self._get(path).raise_for_status().text

    def _get(self, path: str, **parameters: object) -> httpx.Response:
        return httpx.get(self._address + path, params=parameters, timeout=20)  # type: ignore[arg-type]


@pytest.fixture(params=["redis", "sqlite"])
def broker(request) -> Broker:
    from .conftest import BROKERS

    return BROKERS[request.param](request)


@pytest.fixture
def plain(broker, tmp_path) -> Iterator[Plain]:
    plain = Plain(broker, tmp_path)
    yield plain
    for process in plain.workers:
        process.kill()
        process.wait()


def test_flower_shows_workers_tasks_and_queues(plain, broker, tmp_path):
    flower = Flower(plain)
    plain.start("w", *POOLS["prefork"])
    until(flower.answers)
    until(lambda: "w@test" in flower.json("/api/workers", refresh="true"))
    found = flower.json("/api/workers")["w@test"]
    assert [queue["name"] for queue in found["active_queues"]] == ["celery"]
    assert TASK in found["registered"]
    assert "w@test" in flower.page("/workers")

    out = tmp_path / "lines"

    def succeeded() -> list[dict]:
        return list(flower.json("/api/tasks", taskname=TASK, state="SUCCESS").values())

    def heard() -> bool:
        plain.send("append", (str(out), "x"))  # who listens to Redis hears only what comes later
        return bool(succeeded())

    until(heard)
    assert succeeded()[0]["worker"] == "w@test"
    assert TASK in flower.page("/task/" + succeeded()[0]["uuid"])

    go = tmp_path / "go"
    plain.send("wait_for", *[(str(go),)] * 12)
    until(lambda: len(flower.json("/api/tasks", taskname=WAITING, state="STARTED")) == 2)
    until(lambda: plain.ready() == 4)  # prefetch: 2 processes, 4 each
    if broker.name == "redis":  # of others but RabbitMQ Flower knows no way to ask
        assert flower.json("/api/queues/length")["active_queues"] == [{"name": "celery", "messages": plain.ready()}]
        assert "celery" in flower.page("/broker")
    go.touch()
    until(lambda: plain.ready() == 0)
