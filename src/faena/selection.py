"""Which jobs an action or an export is about: a filter over all of them, gone through page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from faena import filters
from faena.filters import TABS, JobFilter
from faena.models import Job
from faena.queries import Place

#: Jobs that may be named one by one; more are named by what they have in common.
MOST_IDS = 1_000
_TIMES = ("before", "since", "until")


@dataclass(frozen=True, slots=True)
class Selection(JobFilter):
    """The jobs that are like this; what is left empty does not matter. Never a window: every such job.

    Args:
        before: those that had ended before this moment.
        ids: of these jobs only.
    """

    before: datetime | None = None
    ids: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is asked for."""
        return self == Selection()

    def as_json(self) -> dict[str, Any]:
        """What is asked for, as plain values."""
        plain = asdict(self) | {"ids": list(self.ids)}
        times = {name: value.isoformat() for name, value in plain.items() if isinstance(value, datetime)}
        return {name: value for name, value in (plain | times).items() if value not in (None, "", [])}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Selection:
        """The selection that `as_json` gave."""
        known = {name: value for name, value in plain.items() if name in {each.name for each in fields(cls)}}
        times = {name: parse_datetime(known[name]) for name in _TIMES if known.get(name)}
        return cls(**known | times | {"ids": tuple(plain.get("ids", ()))})

    @classmethod
    def all_of(cls, wanted: JobFilter) -> Selection:
        """Every job of a filter."""
        return cls(**asdict(wanted))

    def jobs(self) -> QuerySet[Job]:
        """The jobs that are like this now."""
        jobs = filters.sifted(filters.found_by_index(self), self)
        if self.state:
            jobs = jobs.filter(state__in=sorted(TABS[self.state]))
        if self.before:
            jobs = jobs.filter(finished__lt=self.before)
        return jobs.filter(pk__in=self.ids) if self.ids else jobs

    def page(self, until: datetime, after: Place | None, size: int) -> list[Place]:
        """The next jobs, oldest first, of those that were there and, where they are over, over at `until`.

        So the set does not grow while somebody goes through it: what is enqueued or fails later is not in it.
        """
        jobs = self.jobs().filter(Q(finished__isnull=True) | Q(finished__lte=until), created__lte=until)
        if after is not None:
            jobs = jobs.filter(Q(created__gt=after.created) | Q(pk__gt=after.pk), created__gte=after.created)
        return [Place(*found) for found in jobs.order_by("created", "pk").values_list("created", "pk")[:size]]

    def count(self, until: datetime) -> int:
        """How many there are in all."""
        return self.jobs().filter(Q(finished__isnull=True) | Q(finished__lte=until), created__lte=until).count()
