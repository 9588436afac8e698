"""The watcher alone, on an event loop of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection
from uuid6 import uuid7

from faena.ledger import hold, sql
from faena.live import snapshots, watcher
from faena.live.watcher import PATIENCE, Viewer, Watcher
from faena.models import Job

pytestmark = pytest.mark.usefixtures("ledger")


def on_a_loop(story: Callable[[Watcher], Coroutine[Any, Any, None]]) -> None:
    """Run the story; what it began to watch is forgotten by its end."""

    async def run() -> None:
        watched = Watcher()
        await asyncio.wait_for(story(watched), 60)
        await until_it_rests(watched)
        watched._thread.shutdown()

    asyncio.run(run())


async def until_it_rests(watched: Watcher) -> None:
    """Nobody looks: it ends by itself."""
    if (task := watched._task) is not None:
        await asyncio.wait_for(task, 30)
    assert watched._task is None


async def beside(act: Callable[[], Any]) -> Any:
    """Do it in a thread, as another process would."""

    def do() -> Any:
        try:
            return act()
        finally:
            connection.close()

    return await asyncio.to_thread(do)


async def heard(viewer: Viewer, kind: str) -> dict[str, Any]:
    while (message := json.loads(await viewer.next(30) or "{}")).get("type") != kind:
        assert message, "there was nothing more to hear"
    return message


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many jobs each read was about."""
    numbers: list[int] = []
    read = snapshots.read

    def note(ids: Any) -> Any:
        numbers.append(len(ids))
        return read(ids)

    monkeypatch.setattr(snapshots, "read", note)
    yield numbers


def test_a_change_is_read_once_however_many_look(make_job, monkeypatch):
    pk = make_job()

    async def story(watched: Watcher) -> None:
        viewers = [Viewer() for _ in range(200)]
        with counted(monkeypatch) as numbers:
            for each in viewers:
                assert await watched.watch_job(pk, each)
            await beside(lambda: hold.pause(pk))
            told = await asyncio.gather(*(heard(each, "status_update") for each in viewers))
            assert {each["status"] for each in told} == {"paused"}
            assert set(numbers) == {1}
            assert len(numbers) < 100
        for each in viewers:
            watched.forget(each, pk)

    on_a_loop(story)


def test_nothing_is_read_while_nobody_looks(make_job, monkeypatch):
    pk = make_job()

    async def story(watched: Watcher) -> None:
        viewer = Viewer()
        await watched.watch_job(pk, viewer)
        watched.forget(viewer, pk)
        await until_it_rests(watched)
        with counted(monkeypatch) as numbers:
            await beside(lambda: hold.pause(pk))
            await asyncio.sleep(3 * watcher.TICK)
            assert numbers == []
        assert not watched._jobs
        assert not watched._seen

    on_a_loop(story)


def test_all_jobs_are_read_in_one_statement(make_job, django_assert_num_queries):
    ids = [make_job() for _ in range(300)]
    with django_assert_num_queries(1):
        found = snapshots.read([*ids, uuid7()])
    assert set(found) == set(ids)


def test_there_is_no_such_job():
    async def story(watched: Watcher) -> None:
        assert await watched.watch_job(uuid7(), Viewer()) is None

    on_a_loop(story)


def test_a_job_that_is_pruned_is_said_to_be_gone(make_job):
    pk = make_job()

    async def story(watched: Watcher) -> None:
        viewer = Viewer()
        await watched.watch_job(pk, viewer)
        await beside(lambda: Job.objects.filter(pk=pk).delete())
        assert "no longer exists" in (await heard(viewer, "error"))["error_message"]
        assert await viewer.next(5) is None

    on_a_loop(story)


def test_who_does_not_read_is_let_go():
    async def story(watched: Watcher) -> None:
        viewer = Viewer()
        for _ in range(2 * PATIENCE):
            viewer.tell("news")
        said = [await viewer.next(5) for _ in range(PATIENCE)]
        assert said == [*["news"] * (PATIENCE - 1), None]

    on_a_loop(story)


def test_a_database_that_was_away_is_asked_again(make_job, monkeypatch, caplog):
    pk = make_job()
    read, fails = snapshots.read, [True]

    def stumble(ids: Any) -> Any:
        if fails:
            fails.pop()
            raise DatabaseError("gone")
        return read(ids)

    async def story(watched: Watcher) -> None:
        viewer = Viewer()
        await watched.watch_job(pk, viewer)
        monkeypatch.setattr(snapshots, "read", stumble)
        await beside(lambda: hold.pause(pk))
        assert (await heard(viewer, "status_update"))["status"] == "paused"
        watched.forget(viewer, pk)

    on_a_loop(story)
    assert "trying again" in caplog.text


def test_the_overview_tells_what_changed(make_job):
    async def story(watched: Watcher) -> None:
        viewer = Viewer()
        before = await watched.watch_all(viewer)
        await beside(make_job)
        told = await heard(viewer, "changed")
        assert "jobs" in told["what"]
        assert told["counts"]["pending"] == before.counts["pending"] + 1
        watched.forget(viewer)

    on_a_loop(story)


def test_secrets_of_a_result_are_masked_in_the_summary(make_job, take):
    from faena.ledger.settle import Done, settle

    held = take(make_job())

    async def story(watched: Watcher) -> None:
        viewer = Viewer()
        await watched.watch_job(UUID(str(held.job_id)), viewer)
        await beside(lambda: settle(held, Done('{"total_files_downloaded": 7, "api_key": "s3cret"}')))
        summary = (await heard(viewer, "completed"))["summary"]
        assert (summary["total_files_downloaded"], summary["api_key"]) == (7, "••••••")
        watched.forget(viewer, held.job_id)

    on_a_loop(story)


def test_the_overview_is_one_statement(django_assert_num_queries):
    from faena.live import overview

    with django_assert_num_queries(1):
        assert overview.read().counts["pending"] == 0
    assert sql.rows("SELECT count(*) FROM faena_job") == [(0,)]
