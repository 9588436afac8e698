"""Everything the list of jobs shows, gathered from the queries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import pgettext_lazy

from faena import queries
from faena.models.job import STATES
from faena.monitor.job_page import Tab
from faena.queries import JobFilter, Place

_LABELS = {str(state): label for state, label in STATES}


def about(query: QueryDict) -> dict[str, Any]:
    """The context of the list and of its live part."""
    wanted = wanted_by(query)
    before, after = (Place.parse(query.get(name, "")) for name in ("before", "after"))
    return {
        "wanted": wanted,
        "page": queries.job_page(wanted, before, after),
        "is_first_page": before is None and after is None,
        "tabs": tabs(wanted),
        "window": queries.WINDOW if wanted.is_windowed else None,
    }


def wanted_by(query: QueryDict) -> JobFilter:
    """The filter that the address names."""
    state = query.get("state", "")
    return JobFilter(
        state=state if state in queries.TABS else "",
        kind=query.get("kind", "")[:255],
        queue=query.get("queue", "")[:255],
        text=query.get("q", "").replace("\0", "").strip()[:200],
    )


def tabs(wanted: JobFilter) -> list[Tab]:
    """All, then one tab per state, with its count."""
    counts = queries.count_by_tab(wanted)
    everything = Tab("", pgettext_lazy("every state", "All"), None, not wanted.state)
    return [everything, *(Tab(key, _LABELS[key], counts[key], key == wanted.state) for key in queries.TABS)]


def job_by_id(text: str) -> UUID | None:
    """The id of the job that `text` names by its id, if there is one."""
    try:
        pk = UUID(text.strip())
    except ValueError:
        return None
    return pk if queries.job_exists(pk) else None
