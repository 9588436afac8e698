"""The Django project that ships with Faena. `celery -A faena_server` finds its app here."""

from faena_server.celery import app

__all__ = ["app"]
