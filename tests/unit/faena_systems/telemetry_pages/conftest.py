from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client

from faena_systems.telemetry import rollups
from faena_systems.telemetry.models import Channel, MergedTelemetricOTT
from faena_systems.telemetry.panaccess.configuration import NEEDED
from tests.unit.faena_systems.telemetry_analytics.conftest import NAMED, View, made_views

INICIO = "/telemetria/"
MADE = made_views()[::5]
#: Some of the made views have dates after this.
TODAY = date(2026, 1, 20)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> date:
    """The pages and the API take this for today."""
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_: TODAY)
    return TODAY


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture
def web(db: None) -> Client:
    """A browser in which somebody who may only look is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("vera"))
    return client


@pytest.fixture
def operator(db: None) -> Client:
    """A browser in which somebody who may act is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("olga", is_staff=True))
    return client


@pytest.fixture
def views(db: None) -> list[View]:
    """Merged views, rolled up."""
    MergedTelemetricOTT.objects.bulk_create([view.row for view in MADE], batch_size=500)
    channels = {view.dataId: view.name for view in MADE if view.dataId < NAMED}
    Channel.objects.bulk_create(Channel(dataId=pk, dataName=name, recordId=pk) for pk, name in channels.items())
    rollups.rebuild()
    return MADE
