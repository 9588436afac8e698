"""Refuse request bodies beyond any use before they fill the disk: Django stores a body whole before it looks at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

#: Bytes. Well above what the systems accept, so that their own pages can say kindly what is too large for them.
MAX_BODY = 200 * 1024 * 1024
REFUSAL = b"The upload is larger than this server takes (200 MB)."


class UploadLimit:
    """An ASGI application in front of another one: answers 413 to a body that is, or becomes, too large."""

    def __init__(self, application: Application, most: int = MAX_BODY) -> None:
        self.application, self.most = application, most

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Pass the request on; a body that turns out too large ends like one whose sender hung up."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.most:
            await _refuse(send)
            return
        arrived, refused = 0, False

        async def counted() -> Message:
            nonlocal arrived, refused
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self.most and not refused:
                refused = True
                await _refuse(send)
            return {"type": "http.disconnect"} if refused else message

        async def unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        await self.application(scope, counted, unless_refused)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL})
