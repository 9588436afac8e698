"""Everything one job's page shows, gathered from the queries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from faena import queries, registry
from faena.explain import explain
from faena.masking import masked, masked_args
from faena.models import Job
from faena.monitor import copying, timeline
from faena.monitor.graph import graph
from faena.monitor.progress import progress_of
from faena.states import FINISHED, HELD, LIVE, MOVES, ItemState, State, Stop

#: Characters of one value that a page shows, and of a line of it.
SHOWN = 20_000
LINE = 36


@dataclass(frozen=True, slots=True)
class Act:
    """One button: the action's name (also its URL's), its label and icon."""

    name: str
    label: str | Promise
    icon: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One choice of a filter."""

    key: str
    label: str | Promise
    count: int | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One failed attempt as people read it; `number` counts from 1."""

    number: int
    type: str
    message: str
    traceback: str
    worker: str
    at: datetime | None


ITEM_TABS = [("", pgettext_lazy("every state", "All")), *((str(state), label) for state, label in [
    (ItemState.FAILED, _("Failed")), (ItemState.DONE, _("Done")), (ItemState.SKIPPED, _("Skipped"))])]  # fmt: skip

#: What the log may be narrowed to; each holds the graver ones as well.
LEVELS = {"": pgettext_lazy("every level", "All"), "info": _("Info"), "warning": _("Warnings"), "error": _("Errors")}


def about(job: Job, query: QueryDict) -> dict[str, Any]:
    """The context of the page and of its live part."""
    now = timezone.now()
    parent, children = queries.relatives(job)
    return {
        "job": job,
        "now": now,
        "has_counts": bool(job.total or job.done or job.failed or job.skipped),
        "acts": acts(job),
        "can_edit": job.is_finished and not registry.is_own(job.kind),
        "can_cancel": job.state in LIVE and job.stop != Stop.CANCEL,
        "progress": progress_of(job, now, query.get("since", "")),
        "running_for": now - job.started if job.is_held and job.started else None,
        "steps": timeline.steps(job, queries.acts_on(job.pk)),
        "stretches": timeline.stretches(job, now),
        "attempts": attempts(job),
        "explanation": None if job.is_finished else explain(job),
        "error": _attempt(job.error, job.attempt + 1) if job.error and job.is_finished else None,
        "parent": parent,
        "children": children,
        "graph": graph(queries.family(job), job.pk) if job.root_id or children else None,
        "cli": copying.as_cli(job),
        **_log(job, query),
        **_items(job, query),
        **_data(job),
    }


def acts(job: Job) -> list[Act]:
    """What the state allows, read from the table of moves; cancelling has its own button with a dialog."""
    state, is_pausing = State(job.state), job.stop == Stop.PAUSE
    possible = [
        (Act("pause", _("Pause"), "player-pause"), State.PAUSED in MOVES[state] and not job.stop),
        (Act("resume", _("Resume"), "player-play"), state is State.PAUSED or (state in HELD and is_pausing)),
        (Act("retry", _("Retry"), "refresh"), state in FINISHED and State.PENDING in MOVES[state]),
        (Act("discard", _("Discard"), "trash"), state is State.FAILED),
    ]
    return [act for act, is_possible in possible if is_possible]


def attempts(job: Job) -> list[Attempt]:
    """The failed attempts, newest first. A job that ended in failure shows its last error apart, as well."""
    errors: Any = job.errors or []
    before = [_attempt(each, each.get("attempt", 0) + 1) for each in errors]
    last = [_attempt(job.error, job.attempt + 1)] if job.error and job.state == State.FAILED else []
    return [*last, *reversed(before)]


def _attempt(error: Any, number: int) -> Attempt:
    return Attempt(
        number=number,
        type=str(error.get("type", "")),
        message=str(error.get("message", "")),
        traceback=str(error.get("traceback") or ""),
        worker=str(error.get("worker", "")),
        at=parse_datetime(str(error.get("at", ""))),
    )


def _items(job: Job, query: QueryDict) -> dict[str, Any]:
    counts = queries.item_counts(job.pk)
    asked = query.get("items", "failed" if counts[ItemState.FAILED] else "")
    state = asked if asked in counts else ""
    after = query.get("items_after", "")
    numbers = {"": min(sum(counts.values()), 1_001), **counts}
    return {
        "items": queries.item_page(job.pk, state, int(after) if after.isdecimal() and len(after) < 19 else 0),
        "item_state": state,
        "item_tabs": [Tab(key, label, numbers[key], key == state) for key, label in ITEM_TABS],
        "has_items": any(counts.values()),
        "items_after": after,
    }


def _log(job: Job, query: QueryDict) -> dict[str, Any]:
    level = query.get("level", "") if query.get("level", "") in LEVELS else ""
    return {
        "log": queries.log_tail(job.pk, level=level),
        "log_ceiling": queries.TAIL,
        "log_tabs": [Tab(key, label, None, key == level) for key, label in LEVELS.items()],
        "level": level,
    }


def _data(job: Job) -> dict[str, Any]:
    return {
        "arguments": _pretty(masked_args(job.kind, job.args)) if job.args else "",
        "named_arguments": _pretty(masked(job.kwargs)) if job.kwargs else "",
        "result": _pretty(masked(job.result)) if job.result is not None else "",
        "cursor": _pretty(masked(job.cursor)) if job.cursor else "",
    }


def _pretty(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _json(value: Any, indent: int = 0) -> str:
    """JSON with short lists and dicts on one line."""
    compact = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or indent + len(compact) <= LINE:
        return compact
    pad, inner = " " * indent, " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}: {_json(each, indent + 2)}" for key, each in value.items()]
        return "{\n" + ",\n".join(f"{inner}{part}" for part in parts) + f"\n{pad}}}"
    return "[\n" + ",\n".join(f"{inner}{_json(each, indent + 2)}" for each in value) + f"\n{pad}]"
