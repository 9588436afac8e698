"""Everything the list of jobs shows, gathered from the queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from faena import queries
from faena.filters import TABS, JobFilter
from faena.models import SavedView, Schedule
from faena.models.job import STATES
from faena.monitor.job_page import Act, Tab
from faena.queries import Place

_LABELS = {str(state): label for state, label in STATES}
#: What people may do to all jobs of a tab; elsewhere too many would refuse.
VERBS: dict[str, list[Act]] = {
    "pending": [Act("pause", _("Pause all"), "player-pause"), Act("cancel", _("Cancel all"), "ban")],
    "running": [Act("pause", _("Pause all"), "player-pause"), Act("cancel", _("Cancel all"), "ban")],
    "paused": [Act("resume", _("Resume all"), "player-play"), Act("cancel", _("Cancel all"), "ban")],
    "failed": [Act("retry", _("Retry all"), "refresh"), Act("discard", _("Discard all"), "trash")],
    "cancelled": [Act("retry", _("Retry all"), "refresh")],
}
#: What the address says besides the state, and how a chip names it.
CHIPS = {
    "kind": _("Kind"), "queue": _("Queue"), "q": _("Text"), "failure": _("Failure"), "tag": _("Tag"),
    "schedule": _("Schedule"), "since": _("Since"), "until": _("Until"),
    "longer": _("Ran longer than (s)"), "shorter": _("Ran shorter than (s)"),
}  # fmt: skip
#: Those that stand behind the button “Filters”.
MORE = ("tag", "schedule", "since", "until", "longer", "shorter")
LONGEST = 1e9


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
        "verbs": VERBS.get(wanted.state, []),
        "chips": chips(query),
    }


def offers(query: QueryDict, user: User | AnonymousUser) -> dict[str, Any]:
    """What the filters of the page offer, and the person's views."""
    kinds, queue_names, tags = queries.recent_choices()
    return {
        "kinds": kinds,
        "queues": queue_names,
        "tags": tags,
        "schedules": Schedule.objects.order_by("name").values_list("pk", "name")[: queries.PAGE * 4],
        "typed": {name: query.get(name, "") for name in CHIPS},
        "more": sum(bool(query.get(name)) for name in MORE),
        "filter_query": filter_query(query),
        "views": views(user),
    }


def wanted_by(query: QueryDict) -> JobFilter:
    """The filter that the address names; what makes no sense is left out."""
    state = query.get("state", "")
    schedule = query.get("schedule", "")
    return JobFilter(
        state=state if state in TABS else "",
        kind=_said(query, "kind", 255),
        queue=_said(query, "queue", 255),
        text=_said(query, "q", 200),
        failure=_said(query, "failure", 255),
        tag=_said(query, "tag", 100),
        schedule=int(schedule) if schedule.isdecimal() and len(schedule) < 18 else None,
        since=_moment(query.get("since", "")),
        until=_moment(query.get("until", "")),
        longer=_seconds(query.get("longer", "")),
        shorter=_seconds(query.get("shorter", "")),
    )


def tabs(wanted: JobFilter) -> list[Tab]:
    """All, then one tab per state, with its count."""
    counts = queries.count_by_tab(wanted)
    everything = Tab("", pgettext_lazy("every state", "All"), None, not wanted.state)
    return [everything, *(Tab(key, _LABELS[key], counts[key], key == wanted.state) for key in TABS)]


def chips(query: QueryDict) -> list[tuple[str, Any, str]]:
    """What is filtered by: the name in the address, its label and its value, each to be taken away."""
    return [(name, label, _shown(name, query.get(name, ""))) for name, label in CHIPS.items() if query.get(name)]


def filter_query(query: QueryDict) -> str:
    """The part of the address that says what is listed, without the place in the list."""
    return urlencode([(name, query[name]) for name in ("state", *CHIPS) if query.get(name)])


def views(user: User | AnonymousUser) -> list[SavedView]:
    """The person's own views and those that are for everybody."""
    return list(SavedView.objects.filter(Q(owner=user.pk) | Q(is_shared=True)).select_related("owner")[:100])


def job_by_id(text: str) -> UUID | None:
    """The id of the job that `text` names by its id, if there is one."""
    try:
        pk = UUID(text.strip())
    except ValueError:
        return None
    return pk if queries.job_exists(pk) else None


def _said(query: QueryDict, name: str, most: int) -> str:
    return query.get(name, "").replace("\0", "").strip()[:most]


def _moment(text: str) -> datetime | None:
    """A local time as `<input type=datetime-local>` gives it."""
    at = _or_none(lambda: parse_datetime(text))
    # The ends of the calendar overflow in other time zones.
    if at is None or not 1900 < at.year < 9000:
        return None
    return at if at.tzinfo else timezone.make_aware(at)


def _seconds(text: str) -> float | None:
    number = _or_none(lambda: float(text.replace(",", ".")))
    return number if number is not None and 0 <= number < LONGEST else None


def _or_none(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ValueError:
        return None


def _shown(name: str, value: str) -> str:
    if name == "schedule" and value.isdecimal() and len(value) < 18:
        return Schedule.objects.filter(pk=int(value)).values_list("name", flat=True).first() or value
    at = _moment(value) if name in {"since", "until"} else None
    return date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else value
