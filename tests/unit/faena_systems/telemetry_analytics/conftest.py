"""Generated views on SQLite and on PostgreSQL, and the same views as a list for slow, obviously right answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from faena_systems.telemetry import rollups
from faena_systems.telemetry.analytics import Period
from faena_systems.telemetry.models import (
    Channel,
    ChannelRollup,
    HourRollup,
    MergedTelemetricOTT,
    SubscriberRollup,
)
from tests.support import places, pointing

FIRST, DAYS, VIEWS, UNDATED = date(2025, 11, 20), 75, 4_000, 37
LAST = FIRST + timedelta(days=DAYS - 1)
#: Channels from 900 on have no start that names them.
NAMED = 900
PERIODS = [
    Period(FIRST, LAST),
    Period(FIRST - timedelta(days=400), LAST + timedelta(days=400)),
    Period(date(2025, 12, 24), date(2026, 1, 6)),
    Period(date(2026, 1, 1), date(2026, 1, 1)),
    Period(date(2024, 1, 1), date(2024, 3, 1)),
]


@dataclass(frozen=True)
class View:
    """A merged record, as far as the analytics look at it."""

    recordId: int
    dataId: int
    deviceId: int | None
    subscriberCode: str | None
    dataDuration: int | None
    dataDate: date | None
    timeDate: int | None

    @property
    def seconds(self) -> int:
        return self.dataDuration or 0

    @property
    def name(self) -> str:
        """What its channel is called by now."""
        return f"Canal {self.dataId}" if self.dataId < NAMED else f"sin nombre {self.dataId}"

    @property
    def row(self) -> MergedTelemetricOTT:
        """It as a row, under the name that it once had."""
        return MergedTelemetricOTT(actionId=8, dataName=f"sin nombre {self.dataId}", **vars(self))


def made_views(seed: int = 7) -> list[View]:
    """Views with everything that real ones lack at times; some subscribers come late, some days are empty."""
    some, made = random.Random(seed), []
    for number in range(VIEWS):
        day = FIRST + timedelta(days=int(DAYS * some.random() ** 0.8))
        who = some.randrange(min(40, 5 + (day - FIRST).days))
        if day.day == 13:
            continue
        made.append(
            View(
                recordId=2 * number + 1,
                dataId=some.choice([101, 101, 101, 102, 102, 103, 900, 900, 901, *range(110, 170)]),
                deviceId=some.choice([None, *range(who * 10, who * 10 + 7)]),
                subscriberCode=None if who == 3 else f"S{who:03}",
                dataDuration=None if some.random() < 0.05 else int(some.lognormvariate(7.6, 1.5)),
                dataDate=None if number < UNDATED else day,
                timeDate=None if number < UNDATED else min(some.randrange(30), 23),
            )
        )
    return made


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The tables are filled once for all of them: one process runs them.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("telemetry-analytics"))


@pytest.fixture(scope="session")
def views() -> list[View]:
    return made_views()


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """An empty database of either kind; real commits."""
    with django_db_blocker.unblock():
        before = pointing.use_database(places.database_url(request.param))
        call_command("migrate", "telemetry", verbosity=0)
        yield request.param
        pointing.use_database_settings(before)


@pytest.fixture
def empty(database: str) -> None:
    for model in (MergedTelemetricOTT, Channel, HourRollup, ChannelRollup, SubscriberRollup):
        model.objects.all().delete()


@pytest.fixture(scope="module")
def stored(database: str, views: list[View]) -> list[View]:
    """The views, in the tables and the rollups; to be read only."""
    for model in (MergedTelemetricOTT, Channel):
        model.objects.all().delete()
    MergedTelemetricOTT.objects.bulk_create([view.row for view in views], batch_size=500)
    channels = {view.dataId: view.name for view in views if view.dataId < NAMED}
    Channel.objects.bulk_create(Channel(dataId=pk, dataName=name, recordId=pk) for pk, name in channels.items())
    rollups.rebuild()
    return views


@pytest.fixture
def within(stored: list[View]) -> Callable[[Period], list[View]]:
    """The views of a period."""

    def choose(period: Period) -> list[View]:
        return [view for view in stored if view.dataDate is not None and period.since <= view.dataDate <= period.until]

    return choose
