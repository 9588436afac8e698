"""The rollups of the merged records: day by hour, by channel and by subscriber, in step with every merge.

The analytics sum these small tables; what cannot be summed (distinct devices) they count in the merged table itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from faena.ledger import sql

from .models import ChannelRollup, HourRollup, MergedTelemetricOTT, SubscriberRollup
from .models.rollup import Rollup

_MERGED = MergedTelemetricOTT._meta.db_table
#: Each rollup, its second column, and the merged table's column that this comes from.
_ROLLUPS: list[tuple[type[Rollup], str, str]] = [
    (HourRollup, "hour", "timeDate"),
    (ChannelRollup, "dataId", "dataId"),
    (SubscriberRollup, "subscriberCode", "subscriberCode"),
]


@contextmanager
def following(after: int, upto: int) -> Iterator[None]:
    """Let the rollups follow whatever the block does to the merged records with ``after < recordId <= upto``.

    For use inside the transaction of the merge: rows and rollups commit together. Rows that were there already are
    taken out first, so a window may be merged again.
    """
    taken_out = _add(-1, after, upto)
    yield
    _add(1, after, upto)
    if taken_out:
        for model, _column, _source in _ROLLUPS:
            model._default_manager.filter(views=0).delete()


def rebuild() -> None:
    """Make the rollups anew from the whole merged table, as after somebody changed it by hand."""
    with transaction.atomic():
        for model, _column, _source in _ROLLUPS:
            model._default_manager.all().delete()
        _add(1, -(2**63), 2**63 - 1)


def _add(sign: int, after: int, upto: int) -> int:
    """Add the merged records of a window, or take them out (``sign`` -1); the number of rollup rows it touched."""
    return sum(_add_to(*rollup, sign, after, upto) for rollup in _ROLLUPS)


def _add_to(model: type[Rollup], column: str, source: str, sign: int, after: int, upto: int) -> int:
    table = model._meta.db_table
    return sql.execute(
        f"""
        INSERT INTO {table} (day, "{column}", views, seconds)
        SELECT "dataDate", "{source}", {sign} * count(*), {sign} * COALESCE(sum("dataDuration"), 0)
        FROM {_MERGED}
        WHERE "recordId" > %s AND "recordId" <= %s AND "dataDate" IS NOT NULL AND "{source}" IS NOT NULL
        GROUP BY "dataDate", "{source}"
        ON CONFLICT (day, "{column}") DO UPDATE
        SET views = {table}.views + excluded.views, seconds = {table}.seconds + excluded.seconds
        """,
        [after, upto],
    )
