"""The job that tells people about an incident: retried for hours, as a receiver may be away."""

from __future__ import annotations

from faena.celery.job import job
from faena.registry import TELL
from faena.run import Run


@job(name=TELL, title="Alert: {what}", attempts=10, backoff_seconds=10, timeout="2m")
def tell_people(run: Run, rule: int, incident: int | None, what: str) -> str:
    """Send the message; returns by which channel. Nothing where the rule is gone by now.

    Args:
        rule, incident: their numbers; no incident for a test.
        what: opened | ended | test
    """
    from faena import notices

    return notices.send(rule, incident, what)
