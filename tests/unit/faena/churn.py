"""Enqueue, settle, prune and add up, in a process of its own: for `test_accounting`. Prints how many were accepted."""

from __future__ import annotations

import random
from datetime import timedelta

import django


def main() -> int:
    """The number of jobs enqueued."""
    django.setup()
    from uuid6 import uuid7

    from faena import conf
    from faena.duties.prune import prune_once
    from faena.ledger import enqueue, settle, tally
    from faena.ledger.claim import claim
    from faena.ledger.enqueue import NewJob
    from faena.ledger.settle import Done

    conf.get().RETENTION.clear()
    conf.get().RETENTION["completed"] = timedelta(0)
    accepted = 0
    for turn in range(60):
        jobs = [NewJob(id=uuid7(), kind="k", queue="churn") for _ in range(random.randint(1, 5))]
        accepted += enqueue.insert(jobs)
        for job in jobs[1:]:
            hold = claim(job.id, 0, worker="w", holder="elsewhere|1|1")
            assert hold is not None
            settle.settle(hold, Done(None))
        if turn % 5 == 0:
            prune_once(batch=20)
            tally.compact_once(batch=50)
    return accepted


if __name__ == "__main__":
    print(main())
