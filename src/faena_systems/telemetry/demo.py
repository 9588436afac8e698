"""The telemetry's part of `faena demo`: a stand-in for PanAccess, a full load, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.apps import apps

from faena_sandbox.panaccess.server import Server

from . import merging, running, syncing
from .models import Channel, MergedTelemetricOTT, TelemetryRecordEntry
from .panaccess import configuration, feed

if TYPE_CHECKING:
    from faena.cli.demo import Stage

ROWS, FIRST_DAY = 40_000, "2026-10-01"


def show(stage: Stage) -> None:
    """Load what a made PanAccess has, and say what it took. Records of a real one are left alone."""
    if not configuration.missing():
        stage.tell("Telemetry: PanAccess is configured here, so its records are left alone")
        return
    stage.tell(f"Telemetry: PanAccess, played by a sandbox, has {ROWS:,} records; they are synchronised and merged")
    forget()
    with Server("--rows", str(ROWS), "--first", FIRST_DAY) as panaccess, reaching(panaccess):
        result = running.run(
            stage.console,
            limit=feed.MOST,
            batch_size=syncing.BATCH,
            merge_batch_size=merging.BATCH,
            backfill_last_n=0,
        )
        calls = panaccess.control()["calls"]
    records, views = TelemetryRecordEntry.objects.count(), MergedTelemetricOTT.objects.count()
    if records != ROWS or views != result["merge"]["merged_records"]:
        raise SystemExit(f"The telemetry of the demo is not exact: {records} records. See var/logs/errors.log.")
    stage.happened(
        "Telemetry, synchronised and merged",
        f"{records:,} records, {views:,} views of {Channel.objects.count()} channels\n"
        f"{sum(calls.values())} calls of PanAccess, {calls['login']} of them a login",
        "/telemetria/",
    )


def forget() -> None:
    """Empty the tables of an earlier demo."""
    for model in apps.get_app_config("telemetry").get_models():
        model._default_manager.all().delete()


@contextmanager
def reaching(panaccess: Server) -> Iterator[None]:
    """Have this process's environment point at the stand-in."""
    given = panaccess.environment
    os.environ |= given
    try:
        yield
    finally:
        for name in given:
            del os.environ[name]
