from __future__ import annotations

import pytest
from django.db import connections

from faena import checks, conf
from faena.ledger import doorbell


@pytest.fixture
def database(monkeypatch):
    def use(**values):
        monkeypatch.setitem(connections.settings, "default", values)

    return use


def test_an_unknown_setting_is_named_with_the_one_that_was_meant(settings):
    settings.FAENA = {"LEASSE": 1}
    (error,) = checks.check_settings()
    assert error.id == "faena.E001"
    assert "did you mean LEASE?" in error.msg
    settings.FAENA = {}
    assert checks.check_settings() == []
    assert conf.get().MAX_CRASHES == 5


@pytest.mark.parametrize(
    ("engine", "options", "ids"),
    [
        ("sqlite3", {}, ["faena.W001"]),
        ("sqlite3", {"transaction_mode": "DEFERRED"}, ["faena.W001"]),
        ("sqlite3", {"transaction_mode": "IMMEDIATE"}, []),
        ("postgresql", {}, []),
    ],
)
def test_sqlite_must_let_writers_wait(database, engine, options, ids):
    database(ENGINE=f"django.db.backends.{engine}", OPTIONS=options)
    assert [each.id for each in checks.check_sqlite()] == ids


def test_a_process_without_a_celery_app_is_told_so(monkeypatch):
    assert checks.check_install() == []
    monkeypatch.setattr(doorbell, "broker", doorbell._Silent())
    (warning,) = checks.check_install()
    assert warning.id == "faena.W002"
    assert "from .celery import app" in warning.hint
