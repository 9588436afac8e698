"""Point this process's Django and Celery at another database or broker."""

from __future__ import annotations

import dj_database_url
from django.db import connections
from kombu import pools

from faena.ledger import doorbell
from faena_server import app


def use_broker(url: str) -> str:
    """Send to, and read from, this broker from now on; the one used before."""
    before = app.conf.broker_url
    pools.reset()  # the connections to the old one
    app._pool = app.amqp._producer_pool = None
    app.conf.broker_url = url
    doorbell._quiet_until = 0.0
    return before


def use_database(url: str) -> dict:
    """Use this database from now on; the settings of the one used before, for `use_database_settings`."""
    settings = connections.settings["default"] | dj_database_url.parse(url)
    if url.startswith("sqlite"):
        settings["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
        }
    else:
        settings["OPTIONS"] = {}
    return use_database_settings(settings)


def use_database_settings(settings: dict) -> dict:
    """Use this entry of DATABASES; the one used before."""
    before = connections.settings["default"]
    connections["default"].close()
    connections.settings["default"] = settings
    del connections["default"]
    return before
