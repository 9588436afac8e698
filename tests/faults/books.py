"""After a storm: was anything lost, doubled, or run beside itself, and how long did it take to go on?"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db.models import Count

from faena import accounting
from faena.models import Job, JobLog
from faena.states import FINISHED
from tests.faults.harm import Harm, Hit
from tests.faults.load import Load
from tests.support.breakable import Breakable
from tests.support.storm_jobs import EXECUTIONS

#: The bound that design.md names.
PROMISED_SECONDS = 15.0


@dataclass
class Verdict:
    """What a storm came to; `problems` says in words what must not have been."""

    jobs: int = 0
    executions: int = 0
    lost: int = 0
    doubled: int = 0
    live_reruns: int = 0
    over_limit: int = 0
    balanced: bool = True
    #: Seconds from a kill until the job that it hit was running again, or was over.
    recovery: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    #: What happened to jobs that did not go on within the promised time.
    slow: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        """The recoveries from kills; a stopped worker is believed until its lease ends."""
        return [each for fault, found in self.recovery.items() for each in found if fault != "stopped worker"]

    @property
    def is_good(self) -> bool:
        return self.balanced and not (self.lost or self.doubled or self.live_reruns or self.over_limit)


def audit(stack: Breakable, load: Load, harm: Harm) -> Verdict:
    """Read the ledger and the traces that the executions left."""
    verdict = Verdict()
    rows = {str(job.pk): job for job in Job.objects.all()}
    traces = [json.loads(line) for line in (stack.traces / EXECUTIONS).read_text().splitlines()]
    verdict.jobs = len(rows)
    verdict.executions = sum(trace["event"] == "begin" for trace in traces)
    _count_lost(verdict, load, rows)
    _count_doubled(verdict, load)
    _count_live_reruns(verdict, traces, harm)
    verdict.recovery = _recovery(verdict, harm.hits, traces, rows)
    books = accounting.check()
    verdict.balanced = books.is_balanced
    if not verdict.balanced:
        verdict.problems.append(f"the books do not balance: {books}")
    return verdict


def _count_lost(verdict: Verdict, load: Load, rows: dict[str, Job]) -> None:
    for job_id, job in rows.items():
        if job.state not in FINISHED:
            verdict.lost += 1
            verdict.problems.append(f"lost: {job_id} {job.kind} is {job.state}, {job.worker} {job.crashes} crashes")
    for job_id, result in load.results.items():
        job = rows.get(job_id)
        if job is None or (job.state in FINISHED and (job.state, job.result) != ("completed", result)):
            verdict.lost += 1
            found = f"{job.state} {job.result} {job.error}" if job else "not there"
            verdict.problems.append(f"lost: {job_id} {job and job.kind} should come to {result}; it is {found}")


def _count_doubled(verdict: Verdict, load: Load) -> None:
    effects = JobLog.objects.filter(level="effect").values("job_id", "text").annotate(times=Count("id"))
    found: Counter[str] = Counter()
    for effect in effects:
        found[str(effect["job_id"])] += 1
        if effect["times"] > 1:
            verdict.doubled += effect["times"] - 1
            verdict.problems.append(f"doubled: {effect}")
    for job_id, expected in load.effects.items():
        if found[job_id] != expected:
            verdict.lost += 1
            verdict.problems.append(f"lost: {found[job_id]} of {expected} effects of {job_id}")


def _count_live_reruns(verdict: Verdict, traces: list[dict[str, Any]], harm: Harm) -> None:
    for trace in traces:
        if trace["event"] == "over":
            verdict.over_limit += 1
            verdict.problems.append(f"over the limit: {trace}")
        if trace["event"] == "live" and not trace["stopped"]:
            owner = int(trace["owner"].split("|")[1]) if trace["owner"] else 0
            if owner not in harm.silenced:
                verdict.live_reruns += 1
                verdict.problems.append(f"live rerun: {trace}")


def _recovery(
    verdict: Verdict, hits: list[Hit], traces: list[dict[str, Any]], rows: dict[str, Job]
) -> dict[str, list[float]]:
    begun: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for trace in traces:
        if trace["event"] == "begin":
            begun[trace["job"]].append((trace["fence"], trace["at"]))
    found: dict[str, list[float]] = defaultdict(list)
    for hit in hits:
        later = [at for fence, at in begun[hit.job_id] if fence > hit.fence]
        if later:
            found[hit.fault].append(seconds := round(min(later) - hit.at, 2))
            if seconds > PROMISED_SECONDS:
                verdict.slow.append(f"{seconds} s after {hit.fault}: {_history(rows[hit.job_id], hit)}")
        elif rows[hit.job_id].fence > hit.fence:
            continue  # killed again between its claim and its first line
    return found


def _history(job: Job, hit: Hit) -> str:
    lines = JobLog.objects.filter(job=job).exclude(level="effect").order_by("id")
    told = "; ".join(f"{line.at:%H:%M:%S} {line.text}" for line in lines)
    return f"{job.kind} {job.pk} hit at {hit.clock} in fence {hit.fence}: {told}; fence {job.fence} at {job.started}"


def in_short(seconds: list[float]) -> dict[str, float | None]:
    """Median and maximum."""
    return {"median_s": round(median(seconds), 2) if seconds else None, "max_s": max(seconds, default=None)}
