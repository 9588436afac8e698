"""The web process: `uvicorn faena_server.asgi:application`."""

import os

from django.core.asgi import get_asgi_application
from django.db import connections

from faena_server.upload_limit import UploadLimit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faena_server.settings")

pages = UploadLimit(get_asgi_application())

from faena.live.application import beside  # noqa: E402  its models want Django set up

application = beside(pages)

# Each request has a thread of its own here, and a connection that outlived it would never be used again.
for database in connections.settings.values():
    database["CONN_MAX_AGE"] = 0
