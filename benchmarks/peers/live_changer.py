"""Changes jobs for `benchmarks.live`: makes them, then pauses and resumes the one that each line of stdin names."""

from __future__ import annotations

import sys
import time
from uuid import UUID

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from uuid6 import uuid7  # noqa: E402

from faena.errors import NotAllowed  # noqa: E402
from faena.ledger import enqueue, hold, tokens  # noqa: E402
from faena.ledger.enqueue import NewJob  # noqa: E402
from faena.ledger.records import SYSTEM  # noqa: E402
from faena.permissions import Role  # noqa: E402


def main() -> None:
    call_command("migrate", verbosity=0)
    ids = [uuid7() for _ in range(int(sys.stdin.readline()))]
    enqueue.insert([NewJob(id=each, kind="bench.nothing", queue="bench") for each in ids])
    print(tokens.create("bench", Role.VIEWER, SYSTEM)[1], *ids, flush=True)
    for line in sys.stdin:
        job_id = UUID(line.strip())
        try:
            hold.pause(job_id)
        except NotAllowed:
            hold.resume(job_id)
        print(time.time(), flush=True)


if __name__ == "__main__":
    main()
