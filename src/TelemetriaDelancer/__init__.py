"""The name under which operators know the telemetry system: ``celery -A TelemetriaDelancer worker``."""

from TelemetriaDelancer.celery import app

__all__ = ["app"]
