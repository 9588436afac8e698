"""The monitor, the API and the live channel as an ASGI application, to mount in a project that is not Django.

    faena.install(celery_app)
    app.mount("/faena", faena.asgi.application)

A Django project includes `faena.monitor.urls` and `faena.api.urls` in its own addresses instead, and wraps its own
ASGI application for the live channel: `faena.live.application.beside(get_asgi_application())`.
"""

from __future__ import annotations

import os
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.signals import request_finished
from django.db import connection

from faena import standalone

standalone.set_up()
if name := os.environ.get("FAENA_APP"):
    # In a process of its own the monitor has to be told whose tasks it shows and starts.
    from faena.celery.loading import load_named

    load_named(name)
pages = get_asgi_application()

from faena.live.application import beside  # noqa: E402  its models want Django set up

application = beside(pages)


def _close(**_: Any) -> None:
    if not connection.in_atomic_block:
        connection.close()


# Each request has a thread of its own here, and a connection that outlived it would never be used again.
request_finished.connect(_close, dispatch_uid="faena.asgi")
