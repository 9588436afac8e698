"""One watcher per web process: reads what changed of what is being looked at, and tells those who look.

Nothing is read while nobody looks, and a change costs one read and one text however many look at it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from django.db import DatabaseError, connection

from faena.live import messages, overview, snapshots
from faena.live.overview import Overview
from faena.live.snapshots import Snapshot
from faena.states import FINISHED

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds between two looks at jobs, and between two at the overview.
TICK = 0.25
OVERVIEW_TICK = 1.0
#: Messages that may wait for one slow reader.
PATIENCE = 100


class Viewer:
    """Somebody who looks: what is for them, until they take it. Who does not keep up is let go."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(PATIENCE)

    def tell(self, text: str) -> None:
        """Put a message into their inbox."""
        if self._waiting.qsize() < PATIENCE - 1:
            self._waiting.put_nowait(text)
        else:
            self.let_go()

    def let_go(self) -> None:
        """There is nothing more for them."""
        if not self._waiting.full():
            self._waiting.put_nowait(None)

    async def next(self, seconds: float) -> str | None:
        """The next message; None when there will be no more.

        Raises:
            TimeoutError: none came in this time.
        """
        return await asyncio.wait_for(self._waiting.get(), seconds)


class Watcher:
    """Watches in a task of the event loop while anybody looks; the database is read in a thread of its own."""

    def __init__(self) -> None:
        self._jobs: dict[UUID, set[Viewer]] = {}
        self._seen: dict[UUID, Snapshot] = {}
        self._all: set[Viewer] = set()
        self._overview: Overview | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "faena-live")

    async def watch_job(self, job_id: UUID, viewer: Viewer) -> Snapshot | None:
        """Tell the viewer of every change of this job from now on; how it stands now, None if there is no such job."""
        seen = self._seen.get(job_id) or (await self._read(lambda: snapshots.read([job_id]))).get(job_id)
        if seen is not None:
            self._jobs.setdefault(job_id, set()).add(viewer)
            # Another viewer's look may be newer than ours.
            seen = self._seen.setdefault(job_id, seen)
        # Also where there is nothing to watch: it closes the connection.
        self._begin()
        return seen

    async def watch_all(self, viewer: Viewer) -> Overview:
        """Tell the viewer of every change of the overview from now on; how it is now."""
        if self._overview is None:
            self._overview = await self._read(overview.read)
        self._all.add(viewer)
        self._begin()
        return self._overview

    def seen(self, job_id: UUID) -> Snapshot | None:
        """The job as it was at the last look."""
        return self._seen.get(job_id)

    def forget(self, viewer: Viewer, job_id: UUID | None = None) -> None:
        """They look no more."""
        self._all.discard(viewer)
        viewers = self._jobs.get(job_id) if job_id else None
        if viewers is not None:
            viewers.discard(viewer)
            if not viewers:
                self._jobs.pop(job_id, None)  # type: ignore[arg-type]
                self._seen.pop(job_id, None)  # type: ignore[arg-type]

    def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._watch(), name="faena-live")

    async def _watch(self) -> None:
        next_overview = 0.0
        clock = asyncio.get_running_loop().time
        while self._jobs or self._all:
            await asyncio.sleep(TICK)
            try:
                if self._jobs:
                    await self._look_at_jobs()
                if self._all and clock() >= next_overview:
                    next_overview = clock() + OVERVIEW_TICK
                    await self._look_at_all()
            except DatabaseError as error:
                logger.warning("The live channel cannot read the database (%s); trying again.", error)
            except Exception:
                # Whatever is wrong with one job, the others are watched on.
                logger.exception("The live channel stumbled; trying again.")
        # Before anything is awaited: whoever comes now begins anew.
        self._task = self._overview = None
        await self._read(lambda: connection.close())

    async def _look_at_jobs(self) -> None:
        before = dict(self._seen)
        now, told = await self._read(lambda: _changes(before))
        for job_id, texts in told.items():
            if job_id in self._jobs:
                self._seen[job_id] = now[job_id]
                self._tell(self._jobs[job_id], texts)
        for job_id in before.keys() - now.keys():
            self._say_gone(job_id)

    def _say_gone(self, job_id: UUID) -> None:
        last, viewers = self._seen.pop(job_id, None), self._jobs.pop(job_id, set())
        if last is not None:
            self._tell(viewers, [messages.error(last, messages.GONE)])
        for viewer in viewers:
            viewer.let_go()

    async def _look_at_all(self) -> None:
        now = await self._read(overview.read)
        if self._overview is not None and (what := now.differs_in(self._overview)):
            self._tell(self._all, [messages.changed(what, now.counts)])
        self._overview = now

    @staticmethod
    def _tell(viewers: set[Viewer], texts: list[str]) -> None:
        for viewer in tuple(viewers):
            for text in texts:
                viewer.tell(text)

    async def _read(self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, _and_close_on_error, act)


def _changes(before: dict[UUID, Snapshot]) -> tuple[dict[UUID, Snapshot], dict[UUID, list[str]]]:
    """The jobs as they are now, and of those that changed, the messages about it."""
    now = snapshots.read(before)
    changed = [(before[job_id], each) for job_id, each in now.items() if each != before[job_id]]
    lines = snapshots.last_lines(each.line for _, each in changed if each.line is not None)
    over = snapshots.endings(each.id for old, each in changed if each.state in FINISHED and each.state != old.state)
    return now, {
        each.id: messages.of_change(old, each, lines.get(each.line or 0), over.get(each.id)) for old, each in changed
    }


def _and_close_on_error(act: Callable[[], T]) -> T:
    try:
        return act()
    except DatabaseError:
        # A connection that was lost is made anew at the next look.
        connection.close()
        raise


watcher = Watcher()
