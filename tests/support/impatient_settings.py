"""The project's settings for workers that do not wait long."""

from datetime import timedelta

from faena_server.settings import *  # noqa: F403

FAENA = {"CANCEL_GRACE": timedelta(seconds=1)}
