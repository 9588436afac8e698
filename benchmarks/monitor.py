"""How long does each page of the monitor take over a long history?

    .venv/bin/python -m benchmarks.monitor [--quick]

PostgreSQL (from a wheel, with its defaults) holds 2,000,000 finished and 100,000 waiting jobs (--quick: 100,000 and
10,000), 40 schedules with 1,000 occurrences each, 100,000 audit entries, 40 workers, a week of counted minutes, and a
running job with 10,000 items and as many log lines. Every page is asked for 30 times (--quick: 10) through Django's
whole stack, signed in, as a browser gets it; `p95_ms` is the p95 of each page, `worst_ms` the greatest of these.

Caveats: one request at a time, no network and no browser in between; the database is warm, as on a server that has
run for a while. What the keeper counts for the charts and the books is counted before, as it is in life.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from benchmarks.ledger import Bench, postgresql
from benchmarks.peers.machine import redis_server, run

FINISHED, QUICK_FINISHED = 2_000_000, 100_000
WAITING, QUICK_WAITING = 100_000, 10_000
ROUNDS, QUICK_ROUNDS = 30, 10
GOAL_MS = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer jobs, under a minute")
    quick = parser.parse_args().quick
    finished, waiting, rounds = (QUICK_FINISHED, QUICK_WAITING, QUICK_ROUNDS) if quick else (FINISHED, WAITING, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
        with redis_server(folder) as url, postgresql(folder) as server:
            bench = Bench(folder, url, server, [])
            env = bench._project(bench._database(), "memory://")
            run("monitor_pages", "fill", env, finished, waiting)
            taken = json.loads(run("monitor_pages", "times", env, rounds))
    p95 = {page: round(sorted(each)[int(len(each) * 0.95)], 1) for page, each in taken.items()}
    for page, each in taken.items():
        print(f"{page:>32}: {statistics.median(each):6.1f} ms, p95 {p95[page]:6.1f} ms", flush=True)
    p50 = {page: round(statistics.median(each), 1) for page, each in taken.items()}
    worst = max(p95.values())
    print(f"the slowest page's p95 is {worst} ms (goal {GOAL_MS} ms)")
    figures = {"p95_ms": p95, "p50_ms": p50, "worst_ms": worst}
    print(json.dumps(figures | {"finished_rows": finished, "waiting_rows": waiting}))


if __name__ == "__main__":
    main()
