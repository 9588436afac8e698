"""The same job once more from a terminal: what the page offers to copy. Secrets are hidden, and to be filled in."""

from __future__ import annotations

import json
import shlex
from typing import Any

from faena.masking import masked, masked_args
from faena.models import Job


def as_cli(job: Job) -> str:
    """With Celery's own command line."""
    parts = ["celery", "-A", "APP", "call", job.kind]
    if job.args:
        parts.append(f"--args={_json(masked_args(job.kind, job.args))}")
    if job.kwargs:
        parts.append(f"--kwargs={_json(masked(job.kwargs))}")
    return shlex.join([*parts, f"--queue={job.queue}"])


def as_curl(job: Job, base: str) -> str:
    """With the API; `base` is the address of the site."""
    wanted: dict[str, Any] = {"task": job.kind, "queue": job.queue}
    wanted |= {"args": masked_args(job.kind, job.args)} if job.args else {}
    wanted |= {"kwargs": masked(job.kwargs)} if job.kwargs else {}
    headers = '-H "Authorization: Bearer $FAENA_TOKEN" -H "Content-Type: application/json"'
    return f"curl -X POST {shlex.quote(base + 'api/jobs')} {headers} -d {shlex.quote(_json(wanted))}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
