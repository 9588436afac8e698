"""New records from PanAccess into the raw table: the body of ``sync_telemetry_task``.

Records are saved in ascending order, each batch in one transaction with the watermark below which all are there. So
whatever happens between two batches, nothing is left out and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Max

from faena.ledger import sql
from faena.run import Run

from . import bulk
from .errors import PanaccessError
from .models import TelemetryRecordEntry, Watermark
from .panaccess import configuration, feed
from .panaccess.access import Access
from .panaccess.client import of_process
from .panaccess.place import Arrival, Place, ordered
from .records import RECORD_ID, Row

#: Records to a transaction.
BATCH = 5_000


@dataclass
class Counts:
    """What a synchronisation has done so far; kept with the job, so that they are right after a crash too."""

    total_downloaded: int = 0
    saved_records: int = 0
    skipped_records: int = 0
    errors: int = 0


def sync(run: Run, limit: int = feed.MOST, batch: int = BATCH) -> dict[str, Any]:
    """Save every record after the watermark.

    Args:
        limit: records a page, at most 1000.
        batch: records to a transaction.

    Returns:
        {success, task, total_downloaded, saved_records, skipped_records, errors, was_empty_before,
        highest_id_before, highest_id_after}; ``skipped`` were there already, ``errors`` came without an id.

    Raises:
        NotConfigured, NoAccess, UnknownFunction: trying again does not help.
        PanaccessError: PanAccess fails; what had come until then is saved.
    """
    access = Access(of_process(configuration.read()), run)
    place = known_place()
    state = run.cursor.setdefault("sync", {"before": place.record_id} | asdict(Counts()))
    before = state["before"]
    with closing(feed.arrivals(access, place, limit)) as pages:
        for arrival in in_batches(pages, batch):
            with run.checkpoint():
                save(run, arrival)
            place = arrival.place
            if run.hold.total is None and len(arrival.rows) >= batch:
                run.progress(run.hold.done, highest_id(access) - before)
    done = run.hold.done + run.hold.skipped + run.hold.failed
    run.progress(run.hold.done, done)
    return {
        "success": True,
        "task": "sync_telemetry_task",
        **asdict(counted(run)),
        "was_empty_before": before == 0,
        "highest_id_before": before,
        "highest_id_after": place.record_id,
    }


def known_place() -> Place:
    """Return up to where the records are here, from the watermark; without one, from the table itself."""
    found = Watermark.objects.filter(pk=Watermark.Of.SYNC).first()
    if found is not None:
        return Place(found.recordId, found.position)
    return Place(TelemetryRecordEntry.objects.aggregate(highest=Max("recordId"))["highest"] or 0)


def highest_id(access: Access) -> int:
    """Ask for the newest record's id: as hardly an id is missing, it tells how many records there are."""
    page = access.list_records(ordered(0, 1) | {"orderDir": "DESC"})
    return page.ids[1] if page.ids else 0


def in_batches(arrivals: Iterator[Arrival], size: int) -> Iterator[Arrival]:
    """Put pages together to ``size`` records or a few more. If there comes an error, what has come comes first."""
    rows: list[Row] = []
    unusable = 0
    place = None
    try:
        for arrival in arrivals:
            rows += arrival.rows
            unusable += arrival.unusable
            place = arrival.place
            if len(rows) >= size:
                yield Arrival(rows, place, unusable)
                rows, unusable = [], 0
    except PanaccessError:
        if rows and place:
            yield Arrival(rows, place, unusable)
        raise
    if rows and place:
        yield Arrival(rows, place, unusable)


def save(run: Run, arrival: Arrival) -> None:
    """Write a batch, move the watermark, and count, in the caller's transaction."""
    above = locked_watermark()
    new = [row for row in arrival.rows if row[RECORD_ID] > above]
    saved = bulk.save(new)
    if arrival.place.record_id > above:
        move_watermark(arrival.place)
    done, counts = len(arrival.rows), counted(run)
    counts.total_downloaded += done + arrival.unusable
    counts.saved_records += saved
    counts.skipped_records += done - saved
    counts.errors += arrival.unusable
    run.cursor["sync"] |= asdict(counts)
    run.count(done=saved, skipped=done - saved, failed=arrival.unusable)


def counted(run: Run) -> Counts:
    """Return what the job has done up to its last checkpoint."""
    return Counts(**{name: count for name, count in run.cursor["sync"].items() if name != "before"})


def locked_watermark() -> int:
    """Return the watermark, which nobody else moves until the transaction ends; it is made if need be."""
    Watermark.objects.get_or_create(pk=Watermark.Of.SYNC)
    return Watermark.objects.select_for_update().get(pk=Watermark.Of.SYNC).recordId


def move_watermark(place: Place) -> None:
    """Say that every record up to the place is here."""
    sql.execute(
        f'UPDATE {Watermark._meta.db_table} SET "recordId" = %s, position = %s, moved = {sql.now()} WHERE "of" = %s',
        [place.record_id, place.position, Watermark.Of.SYNC],
    )
