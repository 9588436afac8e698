"""Questions about the merged records, each a function of a period that answers with plain values and has a ceiling.

All sums come from the rollups, so they cost the days and not the views of a period. Views without a date are in no
period; ``coverage`` says how many there are.
"""

from .channels import Order, audience, average_duration, top_channels
from .days import By, anomalies, day_over_day, series
from .hours import peak_hours, time_slots
from .period import BadPeriod, Period
from .subscribers import retention, segments
from .summary import compare, coverage, summary

__all__ = [
    "BadPeriod",
    "By",
    "Order",
    "Period",
    "anomalies",
    "audience",
    "average_duration",
    "compare",
    "coverage",
    "day_over_day",
    "peak_hours",
    "retention",
    "segments",
    "series",
    "summary",
    "time_slots",
    "top_channels",
]
