"""What every task of every library does: one INCR, over one plain connection per thread."""

from __future__ import annotations

import json
import os
import threading
import time

import redis

URL = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379")
KEY, LATENCIES, STEPS = "bench:done", "bench:latencies", "bench:steps"

_mine = threading.local()


def call(*command: object) -> object:
    """Send one command to Redis by the shortest way, the same for all sides."""
    if getattr(_mine, "pid", None) != os.getpid():
        _mine.pid, _mine.connection = os.getpid(), redis.ConnectionPool.from_url(f"{URL}/1").make_connection()
    connection = _mine.connection
    connection.send_command(*command)
    return connection.read_response()


def count() -> None:
    call("INCR", KEY)


def note(sent: float) -> None:
    """Keep how long the task took to start, in seconds."""
    call("RPUSH", LATENCIES, str(time.time() - sent))


def sleep(job: int) -> None:
    """One second of work that leaves its beginning and its end."""
    steps = os.environ.get("BENCH_STEPS", STEPS)
    call("RPUSH", steps, json.dumps(["start", job, time.time()]))
    time.sleep(1)
    call("RPUSH", steps, json.dumps(["end", job, time.time()]))
