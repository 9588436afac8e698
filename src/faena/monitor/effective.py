"""The configuration in force, as pages may show it: read-only, secrets hidden."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from faena import conf
from faena.credentials import without_credentials
from faena.masking import MASK, masked
from faena.models.job import STATES

Section = tuple[str | Promise, list[tuple[str, Any]]]


def retention() -> list[tuple[Any, timedelta]]:
    """How long finished jobs are kept, by the label of their state."""
    kept = conf.get().RETENTION
    return [(label, kept[str(state)]) for state, label in STATES if str(state) in kept]


def sections() -> list[Section]:
    """Headings, and below each what is set: name and value."""
    own = conf.get()
    return [
        (
            _("Faena"),
            [(each.name, _shown(getattr(own, each.name))) for each in fields(own) if each.name != "RETENTION"],
        ),
        (_("Database"), _database()),
        (_("Broker"), [("CELERY_BROKER_URL", _address(getattr(settings, "CELERY_BROKER_URL", "")))]),
        (_("Site"), [(name, _shown(getattr(settings, name, None))) for name in _OF_SITE]),
        (_("Mail"), [(name, _masked(name)) for name in _OF_MAIL]),
    ]


_OF_SITE = (
    "LANGUAGE_CODE",
    "TIME_ZONE",
    "DEBUG",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "SESSION_COOKIE_SECURE",
    "DATA_DIR",
)
_OF_MAIL = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS", "DEFAULT_FROM_EMAIL")


def _names(own: conf.Settings) -> list[str]:
    return [each.name for each in fields(own) if each.name != "RETENTION"]


def _database() -> list[tuple[str, Any]]:
    own = connection.settings_dict
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "CONN_MAX_AGE")
    return [(name, MASK if name == "PASSWORD" and own.get(name) else own.get(name) or "–") for name in names]


def _address(url: str) -> str:
    return without_credentials(url) if url else "–"


def _masked(name: str) -> Any:
    return masked({name: getattr(settings, name, "")})[name] or "–"


def _shown(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, list | tuple | set):
        return ", ".join(map(str, value)) or "–"
    return "–" if value in (None, "") else str(value)
