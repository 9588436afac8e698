"""OTT starts and stops into one table: the body of ``merge_ott_task``.

Every stop (action 8) of a channel becomes a row of its own, named as the channel is by the newest start (action 7).
The merge goes through the raw records by its own watermark, window by window; after each window the merged table is
what the records up to the watermark say, old rows of a renamed channel included.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from django.db.models import Max

from faena.ledger import sql
from faena.run import Run

from . import rollups
from .models import Channel, MergedTelemetricOTT, TelemetryRecordEntry, Watermark
from .records import COLUMNS

#: Raw records to a transaction.
BATCH = 50_000
START, STOP = 7, 8

RAW = TelemetryRecordEntry._meta.db_table
MERGED = MergedTelemetricOTT._meta.db_table
CHANNEL = Channel._meta.db_table

#: The window's newest start of each channel that carries a name, beside what the channel is called so far.
NEWEST = f"""
    SELECT start."dataId", start."dataName", start."recordId"
      FROM (SELECT max("recordId") AS "recordId" FROM {RAW}
             WHERE "recordId" > %s AND "recordId" <= %s AND "actionId" = {START}
               AND "dataId" IS NOT NULL AND "dataName" <> '' GROUP BY "dataId") AS newest
      JOIN {RAW} AS start ON start."recordId" = newest."recordId"
      LEFT JOIN {CHANNEL} ON {CHANNEL}."dataId" = start."dataId"
"""
IS_NEWER = f'({CHANNEL}."dataId" IS NULL OR {CHANNEL}."recordId" <= start."recordId")'
#: The window's stops beside their channels.
STOPS = f"""
    {RAW} AS stop LEFT JOIN {CHANNEL} ON {CHANNEL}."dataId" = stop."dataId"
     WHERE stop."recordId" > %s AND stop."recordId" <= %s AND stop."actionId" = {STOP}
"""
OTHERS = [column for column in COLUMNS if column not in {"recordId", "dataName"}]


class Window(NamedTuple):
    """So many raw records, with ids above the first and up to the second."""

    above: int
    up_to: int
    records: int


@dataclass
class Counts:
    """What a merge has done so far; kept with the job, so that they are right after a crash too."""

    total_processed: int = 0
    merged_records: int = 0
    saved_records: int = 0
    skipped_records: int = 0
    errors: int = 0
    unmatched_records: int = 0


def merge(run: Run, batch: int = BATCH, backfill_last_n: int = 0) -> dict[str, Any]:
    """Merge every record after the watermark, and the last so many before it once more.

    Args:
        batch: raw records to a transaction.
        backfill_last_n: how far, in record ids, to go back behind the newest one.

    Returns:
        {total_processed, merged_records, saved_records, skipped_records, errors, unmatched_records}: stops looked
        at, stops of a channel, merged rows that are new or changed, stops that changed nothing, 0, and stops whose
        channel no start has named, which keep their own name.
    """
    highest = TelemetryRecordEntry.objects.aggregate(highest=Max("recordId"))["highest"] or 0
    state = run.cursor.setdefault("merge", {"above": begin(highest, backfill_last_n), "counts": asdict(Counts())})
    run.progress(run.hold.done, run.hold.done + max(0, highest - state["above"]))
    while (window := next_window(run.cursor["merge"]["above"], batch)) is not None:
        with run.checkpoint():
            merge_window(run, window)
    run.progress(run.hold.done, run.hold.done)
    return run.cursor["merge"]["counts"]


def begin(highest: int, backfill_last_n: int) -> int:
    """Return the id after which to merge."""
    found = Watermark.objects.filter(pk=Watermark.Of.MERGE).values_list("recordId", flat=True).first() or 0
    return max(0, min(found, highest - backfill_last_n)) if backfill_last_n > 0 else found


def next_window(above: int, batch: int) -> Window | None:
    """Return the next raw records, nothing if there are none."""
    [(up_to, records)] = sql.rows(
        f"""SELECT max("recordId"), count(*) FROM (
                SELECT "recordId" FROM {RAW} WHERE "recordId" > %s ORDER BY "recordId" LIMIT %s) AS following""",
        [above, batch],
    )
    return Window(above, up_to, records) if records else None


def merge_window(run: Run, window: Window) -> None:
    """Merge a window and move the watermark, in the caller's transaction."""
    lock_watermark()
    corrected = name_channels(window)
    if corrected:
        run.log(f"{corrected:,} merged records got their channel's new name.")
    counts = Counts(**run.cursor["merge"]["counts"])
    stops, of_channels, matched = count_stops(window)
    with rollups.following(window.above, window.up_to):
        saved = save_stops(window)
    counts.total_processed += stops
    counts.merged_records += of_channels
    counts.saved_records += saved
    counts.skipped_records += stops - saved
    counts.unmatched_records += of_channels - matched
    move_watermark(window.up_to)
    run.cursor["merge"] = {"above": window.up_to, "counts": asdict(counts)}
    run.count(done=window.records)


# --- names -------------------------------------------------------------------------------------


def name_channels(window: Window) -> int:
    """Take the newest names of the window's starts over; return how many merged rows had another one."""
    renamed = find_renamed(window)
    if not renamed:
        return 0
    sql.execute(
        f"""INSERT INTO {CHANNEL} ("dataId", "dataName", "recordId") {NEWEST} WHERE {IS_NEWER}
            ON CONFLICT ("dataId") DO UPDATE SET "dataName" = excluded."dataName", "recordId" = excluded."recordId" """,
        window[:2],
    )
    return sql.execute(
        f"""UPDATE {MERGED} SET "dataName" = {CHANNEL}."dataName" FROM {CHANNEL}
             WHERE {CHANNEL}."dataId" = {MERGED}."dataId" AND {MERGED}."dataId" IN {sql.holes(renamed)}
               AND ({MERGED}."dataName" <> {CHANNEL}."dataName" OR {MERGED}."dataName" IS NULL)""",
        renamed,
    )


def find_renamed(window: Window) -> list[int]:
    """Return the channels that the window gives a name which they do not have."""
    found = sql.rows(
        f"""{NEWEST} WHERE {IS_NEWER}
            AND ({CHANNEL}."dataName" IS NULL OR {CHANNEL}."dataName" <> start."dataName")""",
        window[:2],
    )
    return [channel for channel, _name, _record_id in found]


# --- stops -------------------------------------------------------------------------------------


def count_stops(window: Window) -> tuple[int, int, int]:
    """Return how many stops there are, how many of them of a channel, and how many of one that has a name."""
    [counts] = sql.rows(
        f"""SELECT count(*), count(stop."dataId"), count({CHANNEL}."dataId") FROM {STOPS}""", window[:2]
    )
    return counts


def save_stops(window: Window) -> int:
    """Write the window's stops as merged rows; return how many are new or differ from what was there."""
    names = ", ".join(f'"{column}"' for column in OTHERS)
    values = ", ".join(f'stop."{column}"' for column in OTHERS)
    columns = [*OTHERS, "dataName"]
    old = ", ".join(f'{MERGED}."{column}"' for column in columns)
    new = ", ".join(f'excluded."{column}"' for column in columns)
    takes_new = ", ".join(f'"{column}" = excluded."{column}"' for column in columns)
    differs = "IS DISTINCT FROM" if sql.is_postgresql() else "IS NOT"
    return sql.execute(
        f"""INSERT INTO {MERGED} ("recordId", {names}, "dataName")
            SELECT stop."recordId", {values}, COALESCE({CHANNEL}."dataName", stop."dataName")
              FROM {STOPS} AND stop."dataId" IS NOT NULL ORDER BY stop."recordId"
            ON CONFLICT ("recordId") DO UPDATE SET {takes_new} WHERE ({old}) {differs} ({new})""",
        window[:2],
    )


# --- the watermark -----------------------------------------------------------------------------


def lock_watermark() -> None:
    """Let no other merge write until the transaction ends."""
    Watermark.objects.get_or_create(pk=Watermark.Of.MERGE)
    Watermark.objects.select_for_update().get(pk=Watermark.Of.MERGE)


def move_watermark(record_id: int) -> None:
    """Say that every record up to this one is merged, if it was not so before."""
    sql.execute(
        f"""UPDATE {Watermark._meta.db_table} SET "recordId" = %s, moved = {sql.now()}
             WHERE "of" = %s AND "recordId" < %s""",
        [record_id, Watermark.Of.MERGE, record_id],
    )
