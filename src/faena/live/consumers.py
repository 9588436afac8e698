"""The two sockets: one job, and the overview."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from faena.live import messages
from faena.live.watcher import Viewer, watcher

#: Seconds of silence after which a heartbeat is sent, and between two looks whether they still may look.
HEARTBEAT = 25.0
#: Characters of what a client may send.
LONGEST = 1_000
#: The policy is violated: there is no such job, or they may not look any more.
VIOLATION = 1008
TOO_BIG = 1009
TRY_AGAIN = 1013


class Looking(AsyncWebsocketConsumer):
    """What both share: messages are sent as they come, a heartbeat in between; `ping` and `get_status` are answered."""

    async def connect(self) -> None:
        """Accept, say how things stand, and go on saying what changes."""
        await self.accept()
        self.viewer = Viewer()
        first = await self.begin()
        if first is None:
            await self.close(VIOLATION)
            return
        await self.send(first)
        self.sending = asyncio.create_task(self._send_on())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """`{"type": "ping"}` or `{"type": "get_status"}`, or the bare words; anything else is let pass."""
        if text_data is None or len(text_data) > LONGEST:
            await self.close(TOO_BIG)
            return
        asked = _asked(text_data)
        if asked == "ping":
            self.viewer.tell(messages.PONG)
        elif asked == "get_status" and (now := await self.status()):
            self.viewer.tell(now)

    async def disconnect(self, code: int) -> None:
        """They look no more."""
        self.end()
        if sending := getattr(self, "sending", None):
            sending.cancel()

    async def begin(self) -> str | None:
        """Begin to watch; the first message, None when there is nothing to look at."""
        raise NotImplementedError

    async def status(self) -> str | None:
        """How things stand."""
        raise NotImplementedError

    def end(self) -> None:
        """Watch no more."""
        raise NotImplementedError

    async def _send_on(self) -> None:
        may_stay = database_sync_to_async(self.scope["visitor"].may_stay)
        looked = time.monotonic()
        while True:
            try:
                text = await self.viewer.next(HEARTBEAT)
            except TimeoutError:
                text = messages.HEARTBEAT
            if time.monotonic() - looked > HEARTBEAT - 1:
                looked = time.monotonic()
                if not await may_stay():
                    await self.close(VIOLATION)
                    return
            if text is None:
                await self.close(TRY_AGAIN)
                return
            await self.send(text)


class JobConsumer(Looking):
    """`/ws/jobs/{id}`."""

    job_id: UUID | None = None

    async def begin(self) -> str | None:
        """Begin to watch the job that the address names."""
        try:
            job_id = UUID(self.scope["url_route"]["kwargs"]["job"])
        except ValueError:
            return None
        now = await watcher.watch_job(job_id, self.viewer)
        if now is None:
            return None
        self.job_id = job_id
        return messages.connected(now)

    async def status(self) -> str | None:
        """How the job stands."""
        now = self.job_id and watcher.seen(self.job_id)
        return messages.status(now) if now else None

    def end(self) -> None:
        """Watch no more."""
        watcher.forget(self.viewer, self.job_id)


class MonitorConsumer(Looking):
    """`/ws/monitor`."""

    async def begin(self) -> str:
        """Begin to watch the overview."""
        now = await watcher.watch_all(self.viewer)
        return messages.changed([], now.counts, "connected")

    async def status(self) -> str:
        """How many jobs are in each live state."""
        now = await watcher.watch_all(self.viewer)
        return messages.changed([], now.counts, "status_update")

    def end(self) -> None:
        """Watch no more."""
        watcher.forget(self.viewer)


def _asked(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return text.strip()
    return value.get("type") if isinstance(value, dict) else value
