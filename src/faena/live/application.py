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
    """The pages, with the live channel."""
    return ProtocolTypeRouter({"http": pages, "websocket": websockets()})
