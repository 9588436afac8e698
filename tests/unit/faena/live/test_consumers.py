"""A socket that stays open: heartbeats in its silence, and the end of the right to look."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connection, connections

from faena.ledger import tokens
from faena.ledger.records import SYSTEM
from faena.live import consumers
from faena.live.application import websockets
from faena.permissions import Role

pytestmark = pytest.mark.usefixtures("ledger")


class Talk(ApplicationCommunicator):
    """A client of the live channel, without a network."""

    def __init__(self, path: str, text: str, root_path: str = "", **headers: str) -> None:
        given = {"host": "localhost", "authorization": f"Bearer {text}"} | headers
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        scope = {"type": "websocket", "path": root_path + path, "root_path": root_path, "headers": raw}
        super().__init__(websockets(), scope | {"query_string": b""})

    async def connect(self) -> str:
        """Ask for the socket; the type of the answer."""
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(10))["type"]

    async def hear(self) -> str:
        """The type of the next message."""
        return json.loads((await self.receive_output(10))["text"])["type"]

    async def leave(self) -> None:
        """Close the socket."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(10)


def talk(story: Any) -> None:
    async def run() -> None:
        try:
            await asyncio.wait_for(story(), 60)
        finally:
            if (task := consumers.watcher._task) is not None:
                await asyncio.wait_for(task, 30)
            # Threads that live longer than a test must not keep its database.
            await sync_to_async(connections.close_all)()

    asyncio.run(run())


async def beside(act: Any) -> None:
    def do() -> None:
        try:
            act()
        finally:
            connection.close()

    await asyncio.to_thread(do)


@pytest.fixture
def token():
    return tokens.create("live", Role.VIEWER, SYSTEM)


def test_a_heartbeat_comes_in_the_silence(make_job, token, monkeypatch):
    monkeypatch.setattr(consumers, "HEARTBEAT", 1.05)
    path = f"/ws/jobs/{make_job()}"

    async def story() -> None:
        talking = Talk(path, token[1])
        assert await talking.connect() == "websocket.accept"
        assert await talking.hear() == "connected"
        assert await talking.hear() == "heartbeat"
        await talking.leave()

    talk(story)


def test_a_token_that_is_revoked_may_not_stay(make_job, token, monkeypatch):
    monkeypatch.setattr(consumers, "HEARTBEAT", 1.05)
    path = f"/ws/jobs/{make_job()}"

    async def story() -> None:
        talking = Talk(path, token[1])
        await talking.connect()
        await talking.hear()
        await beside(lambda: tokens.revoke(token[0].pk, SYSTEM))
        while (said := await talking.receive_output(10))["type"] == "websocket.send":
            pass
        assert (said["type"], said["code"]) == ("websocket.close", 1008)
        await talking.leave()

    talk(story)


def test_it_is_found_where_it_is_mounted(token):
    async def story() -> None:
        talking = Talk("/ws/monitor", token[1], root_path="/faena")
        assert await talking.connect() == "websocket.accept"
        assert await talking.hear() == "connected"
        await talking.leave()

    talk(story)


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"authorization": "Bearer nothing"}, {"host": ""}],
)
def test_who_may_not_look_is_refused(token, headers):
    async def story() -> None:
        assert await Talk("/ws/monitor", token[1], **headers).connect() == "websocket.close"

    talk(story)
