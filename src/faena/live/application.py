"""The ASGI application of the live channel, and the one that serves it beside the pages."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from faena.live.access import Admission
from faena.live.consumers import JobConsumer, MonitorConsumer


def websockets() -> Any:
    """`/ws/jobs/{id}` and `/ws/monitor`, for those who may look."""
    return AuthMiddlewareStack(
        Admission(
            URLRouter(
                [
                    path("ws/jobs/<str:job>", JobConsumer.as_asgi()),
                    path("ws/monitor", MonitorConsumer.as_asgi()),
                    re_path("", WebsocketDenier.as_asgi()),
                ]
            )
        )
    )


def beside(pages: Any) -> ProtocolTypeRouter:
    """The pages, which are told that the live channel is there, with the live channel."""

    async def told(scope: Any, receive: Any, send: Any) -> None:
        # The tag `live` looks for it: under WSGI, or without the channel, pages do not ask in vain.
        await pages(scope | {"faena.live": True}, receive, send)

    return ProtocolTypeRouter({"http": told, "websocket": websockets()})
