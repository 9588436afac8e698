"""The stand-in as an ASGI application: PanAccess at every address, and ``/_control`` for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from .behaviour import Fault
from .service import PanAccess, Reply

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Application:
    """Plain ASGI over one installation."""

    def __init__(self, panaccess: PanAccess) -> None:
        self.panaccess = panaccess

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or the server's own start and stop."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            body = await _read(receive)
            reply = self._control(scope, body) if scope["path"] == "/_control" else await self._serve(scope, body)
            await _write(send, reply)

    async def _serve(self, scope: MutableMapping[str, Any], body: bytes) -> Reply:
        if scope["method"] != "POST":
            return Reply("Method Not Allowed", 405, "text/plain")
        query = parse_qs(scope["query_string"].decode())
        form = {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        await asyncio.sleep(self.panaccess.behaviour.latency_ms / 1000)
        return self.panaccess.call(query.get("f", [""])[0], form)

    def _control(self, scope: MutableMapping[str, Any], body: bytes) -> Reply:
        """Do what a test wants, and say how things stand.

        The body is JSON: {"set": {…fields of Behaviour}, "arrive": rows, "fault": {…fields of Fault},
        "rename": {"channel": id, "name": text}, "expire_sessions": true}.
        """
        if scope["method"] == "POST":
            try:
                self._do(json.loads(body))
            except (ValueError, TypeError, KeyError) as error:
                return Reply(json.dumps({"error": str(error)}), 400)
        return Reply(json.dumps(self.panaccess.state()))

    def _do(self, wanted: dict[str, Any]) -> None:
        self.panaccess.behaviour.change(wanted.get("set", {}))
        if "rename" in wanted:
            self.panaccess.dataset.rename(wanted["rename"]["channel"], wanted["rename"]["name"])
        self.panaccess.dataset.rows += int(wanted.get("arrive", 0))
        if "fault" in wanted:
            self.panaccess.faults.append(Fault(**wanted["fault"]))
        if wanted.get("expire_sessions"):
            self.panaccess.expire_sessions()


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _write(send: Send, reply: Reply) -> None:
    headers = [(b"content-type", reply.content_type.encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body.encode()})
