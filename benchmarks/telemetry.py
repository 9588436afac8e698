"""How long does telemetry take from an empty table to merged, and how long for what a quiet night brings?

    .venv/bin/python -m benchmarks.telemetry [--quick]

PanAccess is played by ``faena_sandbox.panaccess``, which takes 50 ms for every page of 1,000 records. A real worker
(``celery -A TelemetriaDelancer worker -P solo``) runs ``sync_and_merge_telemetry_chain``; the clock runs from
``.delay()`` until ``.get()`` returns: 231,709 records (--quick: 30,000) on a new SQLite file and on a real PostgreSQL,
both as durable as the project ships them. Then 98 records arrive, five times; ``increment_s`` is the median of the
slower database. ``curve`` is the same load at other sizes, in microseconds per record. Next to it the naive way on
SQLite: page by page, ``bulk_create(ignore_conflicts=True)``, and a loop in Python that merges.

Caveats: the stand-in shares the machine's cores, and making its records costs about as much as reading them; the real
service takes 1.5 to 2 s for a page, so there the wait dominates (see PANACCESS_CONCURRENCY). One round for each figure.
``peak_mb`` is the largest resident memory that any of the workers ever had.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.pricelists import Databases

from faena_sandbox.panaccess.server import Server

ROWS, QUICK_ROWS = 231_709, 30_000
CURVE, QUICK_CURVE = (100_000, 500_000, 1_000_000, 2_000_000), (15_000,)
LATENCY_MS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller load, under a minute")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
        print(json.dumps(measure(place, QUICK_ROWS if quick else ROWS, QUICK_CURVE if quick else CURVE)))


def measure(place: Path, rows: int, curve: tuple[int, ...]) -> dict[str, Any]:
    loads = {kind: load(place, kind, rows, curve) for kind in ("sqlite", "postgresql")}
    naive = child("naive", f"sqlite:///{place / 'naive.sqlite3'}", place, rows)
    print(f"naive way, SQLite: {naive['sync_s']:.1f} s to fetch and save, {naive['merge_s']:.1f} s to merge")
    every = [each for found in loads.values() for each in found]
    by_size = {kind: {each["rows"]: each["us_per_row"] for each in found} for kind, found in loads.items()}
    main_load = {kind: next(each for each in found if each["rows"] == rows) for kind, found in loads.items()}
    return {
        "postgresql_s": main_load["postgresql"]["load_s"],
        "sqlite_s": main_load["sqlite"]["load_s"],
        "increment_s": max(each["increment_s"] for each in main_load.values()),
        "naive_s": round(naive["sync_s"] + naive["merge_s"], 1),
        "rows": rows,
        "peak_mb": max(each["peak_mb"] for each in every),
        "curve_us_per_row": by_size,
        "increment_by_size_s": {kind: {e["rows"]: e["increment_s"] for e in found} for kind, found in loads.items()},
    }


def load(place: Path, kind: str, rows: int, curve: tuple[int, ...]) -> list[dict[str, Any]]:
    """Every size on a new database of its own."""
    found = []
    with Databases(place, kind) as databases:
        for number, size in enumerate(sorted({rows, *curve})):
            each = child("faena", databases.new(number), place, size)
            print(
                f"{kind}: {size:>9,} records in {each['load_s']:6.1f} s, {each['us_per_row']:.0f} µs each;"
                f" 98 more in {each['increment_s']:.2f} s; worker {each['peak_mb']:.0f} MB",
                flush=True,
            )
            found.append(each)
    return found


def child(way: str, database_url: str, place: Path, rows: int) -> dict[str, Any]:
    """Run one round in a process of its own, against a PanAccess of its own."""
    with Server("--rows", str(rows), "--latency-ms", str(LATENCY_MS)) as panaccess:
        folder = Path(tempfile.mkdtemp(dir=place))
        env = {
            "FAENA_ENV_FILE": os.devnull,
            "FAENA_DATA_DIR": str(folder),
            "FAENA_DATABASE_URL": database_url,
            "FAENA_BROKER_URL": f"sqlite:///{folder / 'broker.sqlite3'}",
            "FAENA_SYSTEMS": "telemetry",
            "FAENA_LOG_LEVEL": "ERROR",
            "TELEMETRY_SYNC_SECONDS": "0",
            "DJANGO_SETTINGS_MODULE": "faena_server.settings",
        }
        command = [sys.executable, "-m", "benchmarks.telemetry_round", way, str(rows)]
        everything = os.environ | env | panaccess.environment
        ran = subprocess.run(command, env=everything, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
