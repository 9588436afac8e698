"""The messages of the live channel, as text. Their shapes are those of the reference document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from faena.live.snapshots import Snapshot
from faena.masking import masked
from faena.models import Job, JobLog
from faena.states import FINISHED, State

HEARTBEAT = json.dumps({"type": "heartbeat"})
PONG = json.dumps({"type": "pong"})
GONE = "This job no longer exists: it was pruned."


def connected(now: Snapshot) -> str:
    """The first message: where the job stands."""
    return _status("connected", now)


def status(now: Snapshot) -> str:
    """The job's state is another, or somebody asked for it."""
    return _status("status_update", now)


def progress(now: Snapshot, line: JobLog | None) -> str:
    """It has come further, or said something."""
    said = line and {"at": line.at.isoformat(), "level": line.level, "text": line.text}
    return _text(
        "progress",
        job_id=str(now.id),
        status=now.state,
        processed_records=now.processed,
        total_records=now.total,
        progress_percentage=now.percentage,
        current_action=line.text if line else "",
        latest_log=said,
    )


def ended(now: Snapshot, job: Job) -> str:
    """It is over: `completed` with a summary, or `error` with the reason."""
    if now.state in {State.FAILED, State.CANCELLED}:
        reason: Any = job.error or {}
        return error(now, ": ".join(filter(None, [str(reason.get("type", "")), str(reason.get("message", ""))])))
    result = masked(job.result) if isinstance(job.result, dict) else {}
    summary = {"total_files_downloaded": 0} | result
    summary |= {"successful_records": now.done, "failed_records": now.failed}
    return _text("completed", job_id=str(now.id), status=now.state, summary=summary)


def error(now: Snapshot, message: str) -> str:
    """Something is wrong with it."""
    return _text("error", job_id=str(now.id), status=now.state, error_message=message)


def changed(what: list[str], counts: Mapping[str, int], kind: str = "changed") -> str:
    """What of the overview is another than it was, and how many jobs are in each live state."""
    return _text(kind, what=what, counts=counts)


def of_change(before: Snapshot, now: Snapshot, line: JobLog | None, job: Job | None) -> list[str]:
    """The messages about what has changed between the two, in their order."""
    said: list[str] = []
    if (now.processed, now.total, now.line) != (before.processed, before.total, before.line):
        said.append(progress(now, line))
    if (now.state, now.stop) != (before.state, before.stop):
        said.append(status(now))
    if now.state != before.state and now.state in FINISHED and job is not None:
        said.append(ended(now, job))
    return said


def _status(kind: str, now: Snapshot) -> str:
    how_far = {
        "processed": now.processed,
        "total": now.total,
        "percentage": now.percentage,
        "successful": now.done,
        "failed": now.failed,
    }
    return _text(kind, job_id=str(now.id), status=now.state, stop=now.stop, progress=how_far)


def _text(kind: str, **members: Any) -> str:
    return json.dumps({"type": kind} | members, ensure_ascii=False)
