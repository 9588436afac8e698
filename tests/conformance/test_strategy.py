"""Faena's strategy on a plain Celery app: whatever a message or an operator asks for is done as Celery does it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from celery import Celery
from celery.events import EventReceiver

from .conftest import Broker, until
from .test_celery import POOLS, Plain

NAME = "tests.conformance.short_celery"


class Short(Plain):
    """A worker that logs warnings only: the strategy leaves tasks that are logged to Celery's."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        super().__init__(broker, folder)
        self._lines = folder / "lines"
        self.environment["SHORT_LINES"] = str(self._lines)
        self.app = Celery("sender", broker=broker.url, set_as_current=False)

    @property
    def lines(self) -> list[str]:
        return self._lines.read_text().splitlines() if self._lines.exists() else []

    def begin(self, pool: str) -> None:
        command = self._command("worker", "-n", "w@test", "-l", "warning", *POOLS[pool])
        command[command.index("tests.conformance.plain_celery")] = NAME
        with (self.folder / "w.out").open("w") as out:
            self.workers.append(
                subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=out, stderr=out, text=True)
            )
        until(lambda: self.control("ping"))

    def ask(self, task: str, *args: object, **options: object) -> None:
        self.app.send_task(f"{NAME}.{task}", args, **options)

    def control(self, command: str, **arguments: object) -> list:
        return self.app.control.broadcast(command, arguments=arguments, reply=True, timeout=5, limit=1)

    def noticed(self, signal: str, task: str) -> int:
        return self.lines.count(f"{signal} {NAME}.{task}")


@pytest.fixture(params=["solo", "prefork", "threads"])
def worker(request, broker, tmp_path) -> Iterator[Short]:
    if broker.name not in ("sqlite", "redis"):
        pytest.skip("ours only")
    worker = Short(broker, tmp_path)
    try:
        worker.begin(request.param)
        yield worker
    finally:
        for process in worker.workers:
            process.kill()
            process.wait()
        worker.app.close()


def test_whatever_is_special_is_done_as_celery_does_it(worker):
    worker.ask("note", "plain")
    until(lambda: worker.noticed("task_postrun", "note"))
    assert worker.lines == [
        *(f"{signal} {NAME}.note" for signal in ("task_received", "task_prerun")),
        "plain",
        *(f"{signal} {NAME}.note" for signal in ("task_success", "task_postrun")),
    ]

    assert worker.control("revoke", task_id="revoked-1", terminate=False)
    worker.ask("note", "revoked", task_id="revoked-1")
    worker.ask("note", "later", countdown=1)
    for task in ("fail", "again", "ignore", "refuse"):
        worker.ask(task)
    worker.ask("show", [1], kwargs={"named": "x"}, headers={"own": "header"})
    worker.ask("show", [2])
    shown = {"show [1, 0] {'named': 'x'} {'own': 'header'} False", "show [2, 0] {} {} False"}
    until(lambda: {"later", "again", "refuse False", "refuse True", *shown} <= set(worker.lines))
    until(lambda: worker.noticed("task_failure", "fail") and worker.noticed("task_revoked", "note"))
    assert worker.noticed("task_retry", "again") == 1
    assert "revoked" not in worker.lines

    assert worker.control("rate_limit", task_name=f"{NAME}.limited", rate_limit="1/h")
    for number in range(3):
        worker.ask("limited", f"limited {number}")
    worker.ask("note", "after")
    until(lambda: {"after", "limited 0"} <= set(worker.lines))
    assert {"limited 1", "limited 2"}.isdisjoint(worker.lines)

    assert worker.control("enable_events")
    seen: set[str] = set()
    with worker.app.connection_for_read() as connection:
        receiver = EventReceiver(connection, handlers={"*": lambda event: seen.add(event["type"])}, app=worker.app)
        with receiver.consumer_context() as (_, channel, _):

            def watched() -> bool:
                worker.ask("note", "watched")  # again and again: who listens to Redis hears only what comes later
                with suppress(TimeoutError):
                    channel.connection.client.drain_events(timeout=0.2)
                return {"task-received", "task-started", "task-succeeded"} <= seen

            until(watched)
