"""Start the stand-in: prints its address, then answers until it is ended."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import threading
from datetime import date

import uvicorn

from .app import Application
from .behaviour import FUNCTIONS, Behaviour
from .dataset import FIRST, LAST, ROWS, Dataset
from .service import PanAccess


def main() -> None:
    """Read the options and serve."""
    asked = arguments()
    dataset = Dataset(asked.rows, asked.seed, asked.first, asked.last)
    behaviour = Behaviour(
        function=asked.function,
        honours_filters=not asked.no_filters,
        latency_ms=asked.latency_ms,
        session_seconds=asked.session_seconds,
        arrivals_per_page=asked.arrivals_per_page,
    )
    listener = socket.create_server(("127.0.0.1", asked.port), backlog=128)
    if asked.follow_stdin:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(Application(PanAccess(dataset, behaviour)), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m faena_sandbox.panaccess", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"records at the start (default {ROWS:,})")
    parser.add_argument("--seed", type=int, default=1, help="other records for another seed")
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST, help="day of the oldest record")
    parser.add_argument("--last", type=date.fromisoformat, default=LAST, help="day of the newest record")
    parser.add_argument("--port", type=int, default=8899, help="0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0, help="how long every call takes")
    parser.add_argument("--no-filters", action="store_true", help="ignore newFilters, as some installations do")
    parser.add_argument("--function", choices=FUNCTIONS, default=FUNCTIONS[0], help="name of the list of records")
    parser.add_argument("--session-seconds", type=float, default=3600, help="how long a session lives")
    parser.add_argument("--arrivals-per-page", type=int, default=0, help="records that arrive after each page")
    parser.add_argument("--follow-stdin", action="store_true", help="end when standard input does")
    return parser.parse_args()


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
