"""`from core_config.celery import app`, as in the project that the price lists come from."""

from faena_server.celery import app

__all__ = ["app"]
