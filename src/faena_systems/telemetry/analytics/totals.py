"""Views and the time watched, as every function of the analytics gives them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Sum

#: For ``.aggregate`` and ``.annotate`` over rollups.
SUMS = {"total_views": Sum("views", default=0), "total_seconds": Sum("seconds", default=0)}


@dataclass(frozen=True, slots=True)
class Totals:
    """How many views, and how many seconds were watched; a view whose duration is missing counts with none."""

    views: int = 0
    seconds: int = 0

    @property
    def hours(self) -> float:
        """The time watched, in hours."""
        return self.seconds / 3600

    @property
    def average_seconds(self) -> float:
        """The time watched per view, in seconds; 0 without views."""
        return self.seconds / self.views if self.views else 0.0

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.views + other.views, self.seconds + other.seconds)
