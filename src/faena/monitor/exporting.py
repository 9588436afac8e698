"""The jobs of a filter as a file: CSV for spreadsheets, JSON for programs. Secrets are hidden."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from faena import queries
from faena.filters import JobFilter
from faena.masking import masked, masked_args
from faena.models import Job

#: Jobs in one file, at most; read page by page.
CEILING, PAGE = 20_000, 1_000

_PLAIN = (
    *("id", "kind", "title", "queue", "priority", "state", "attempt", "max_attempts", "crashes", "worker"),
    *("done", "total", "failed", "skipped", "created_by", "created", "started", "finished"),
)
#: A cell that begins with one of these is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(wanted: JobFilter) -> str:
    """One line per job, newest first, below the names of the columns."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*_PLAIN, "seconds", "tags", "error_type", "error_message"])
    for job in _jobs(wanted):
        error: Any = job.error or {}
        found = [*(getattr(job, name) for name in _PLAIN), _seconds(job), ", ".join(map(str, job.tags))]
        writer.writerow([_cell(value) for value in [*found, error.get("type", ""), error.get("message", "")]])
    return text.getvalue()


def as_json(wanted: JobFilter) -> str:
    """A list of objects, newest first, with arguments and results."""
    return json.dumps([_record(job) for job in _jobs(wanted)], ensure_ascii=False, default=str)


def _record(job: Job) -> dict[str, Any]:
    error: Any = job.error or {}
    return {name: getattr(job, name) for name in _PLAIN} | {
        "seconds": _seconds(job),
        "tags": job.tags,
        "args": masked_args(job.kind, job.args),
        "kwargs": masked(job.kwargs),
        "result": masked(job.result),
        "error": {"type": error.get("type", ""), "message": error.get("message", "")} if error else None,
    }


def _jobs(wanted: JobFilter) -> Iterator[Job]:
    page, count = queries.job_page(wanted, size=PAGE, whole=True), 0
    while page.jobs and count < CEILING:
        yield from page.jobs
        count += len(page.jobs)
        if page.older is None:
            return
        page = queries.job_page(wanted, before=page.older, size=PAGE, whole=True)


def _seconds(job: Job) -> float | None:
    return round(job.duration.total_seconds(), 3) if job.duration else None


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
