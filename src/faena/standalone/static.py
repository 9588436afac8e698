"""Links to static files that begin where the monitor is mounted, which only each request knows."""

from __future__ import annotations

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.urls import get_script_prefix


class MountedStaticFiles(StaticFilesStorage):
    """`/faena/static/…` for a monitor mounted at `/faena`."""

    def url(self, name: str | None) -> str:
        """The address of a static file, for the current request."""
        return get_script_prefix().removesuffix("/") + super().url(name)
