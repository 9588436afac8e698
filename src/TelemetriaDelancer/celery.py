"""The project's Celery app. How often the chain runs is said by TELEMETRY_SYNC_SECONDS, see docs/telemetry.md."""

from faena_server.celery import app

__all__ = ["app"]
