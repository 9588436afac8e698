"""The name under which the price lists' users know the Celery app: `celery -A core_config …`."""

from faena_server.celery import app

__all__ = ["app"]
