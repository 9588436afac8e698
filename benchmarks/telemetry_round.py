"""One round of ``benchmarks.telemetry``, in a process and on a database of its own; prints one JSON line."""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
import httpx
from benchmarks.pricelists import timed

import faena_server  # noqa: F401  the Celery app

INCREMENT, INCREMENTS = 98, 5


def faena_way(rows: int) -> dict[str, Any]:
    """The chain, by a real worker."""
    from faena_systems.telemetry.models import MergedTelemetricOTT, TelemetryRecordEntry
    from TelemetriaDelancer.tasks import merge_ott_task, sync_and_merge_telemetry_chain

    def chain() -> Any:
        return sync_and_merge_telemetry_chain.delay().get(timeout=3600)

    with worker() as process:
        merge_ott_task.delay().get(timeout=60)  # until the worker is there
        seconds, merged = timed(chain)
        assert TelemetryRecordEntry.objects.count() == rows
        assert MergedTelemetricOTT.objects.count() == merged["merged_records"] > rows * 0.49
        increments = []
        for _number in range(INCREMENTS):
            arrive(INCREMENT)
            increments.append(timed(chain)[0])
        assert TelemetryRecordEntry.objects.count() == rows + INCREMENT * INCREMENTS
        peak = peak_of(process.pid)
    return {
        "rows": rows,
        "load_s": round(seconds, 2),
        "us_per_row": round(seconds / rows * 1e6, 1),
        "increment_s": round(statistics.median(increments), 3),
        "peak_mb": round(peak, 1),
    }


@contextmanager
def worker() -> Iterator[subprocess.Popen]:
    program = Path(sys.executable).with_name("celery")
    command = [program, "-A", "TelemetriaDelancer", "worker", "-P", "solo", "-l", "ERROR", "--without-gossip"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def peak_of(pid: int) -> float:
    """The most memory, in MB, that a process has had; Linux tells."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def arrive(count: int) -> None:
    body = json.dumps({"arrive": count}).encode()
    urllib.request.urlopen(f"{os.environ['PANACCESS_URL']}_control", body, timeout=30).close()


def naive_way(rows: int) -> dict[str, Any]:
    """Page by page into models, then a loop over models."""
    sync_s, _none = timed(naive_sync)
    merge_s, merged = timed(naive_merge)
    assert merged > rows * 0.49
    return {"sync_s": sync_s, "merge_s": merge_s}


def naive_sync() -> None:
    from faena_systems.telemetry.models import TelemetryRecordEntry
    from faena_systems.telemetry.records import moment

    with httpx.Client(timeout=60) as client:

        def call(function: str, **form: Any) -> Any:
            url = os.environ["PANACCESS_URL"]
            return client.post(url, params={"f": function, "requestMode": "function"}, data=form).json()["answer"]

        secret = os.environ["PANACCESS_PASSWORD"] + os.environ["PANACCESS_SALT"]
        password = hashlib.md5(secret.encode()).hexdigest()
        account = {"username": os.environ["PANACCESS_USERNAME"], "apiToken": os.environ["PANACCESS_API_TOKEN"]}
        session = call("login", password=password, **account)
        offset, page = 0, [None]
        while page:
            page = call("getListOfTelemetryRecords", sessionId=session, offset=offset, limit=1000)[
                "telemetryRecordEntries"
            ]
            entries = []
            for record in page:
                day, hour = moment(record["timestamp"])
                entries.append(TelemetryRecordEntry(**record, dataDate=day, timeDate=hour))
            TelemetryRecordEntry.objects.bulk_create(entries, ignore_conflicts=True)
            offset += len(page)


def naive_merge() -> int:
    from faena_systems.telemetry.models import MergedTelemetricOTT, TelemetryRecordEntry

    names = {}
    for start in TelemetryRecordEntry.objects.filter(actionId=7).order_by("recordId").iterator():
        names[start.dataId] = start.dataName
    columns = [field.attname for field in TelemetryRecordEntry._meta.concrete_fields]
    batch, count = [], 0
    for stop in TelemetryRecordEntry.objects.filter(actionId=8).order_by("recordId").iterator():
        values = {column: getattr(stop, column) for column in columns}
        values["dataName"] = names.get(stop.dataId, stop.dataName)
        batch.append(MergedTelemetricOTT(**values))
        count += 1
        if len(batch) == 500:
            MergedTelemetricOTT.objects.bulk_create(batch, ignore_conflicts=True)
            batch = []
    MergedTelemetricOTT.objects.bulk_create(batch, ignore_conflicts=True)
    return count


def main() -> None:
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    way, rows = sys.argv[1:]
    print(json.dumps({"faena": faena_way, "naive": naive_way}[way](int(rows))))


if __name__ == "__main__":
    main()
