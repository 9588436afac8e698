"""The merged table is what the raw table says, however the merge came there."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from faena_systems.telemetry.models import Channel, HourRollup, MergedTelemetricOTT, TelemetryRecordEntry, Watermark
from faena_systems.telemetry.tasks import merge_ott_task

START, STOP = 7, 8


def raw(record_id: int, action: int, channel: int | None = 1, name: str | None = None, **more) -> None:
    TelemetryRecordEntry.objects.create(recordId=record_id, actionId=action, dataId=channel, dataName=name, **more)


def merged() -> dict[int, str | None]:
    return dict(MergedTelemetricOTT.objects.values_list("recordId", "dataName"))


def merge(**options) -> dict:
    """A plain call: the body without a job."""
    return merge_ott_task(**options)


@pytest.mark.django_db
class TestMerge:
    def test_a_stop_takes_the_name_of_its_channel_and_all_else_of_itself(self):
        raw(1, START, name="Canal 13")
        raw(2, STOP, name="", dataDuration=90, dataDate="2026-11-25", timeDate=21, subscriberCode="S1", manual=False)
        assert merge() == {
            "total_processed": 1,
            "merged_records": 1,
            "saved_records": 1,
            "skipped_records": 0,
            "errors": 0,
            "unmatched_records": 0,
        }
        stop = TelemetryRecordEntry.objects.filter(pk=2).values().get()
        assert MergedTelemetricOTT.objects.values().get() == stop | {"dataName": "Canal 13"}

    def test_the_newest_start_names_the_channel_wherever_it_stands(self):
        raw(1, START, name="Old")
        raw(2, STOP, name="Old")
        raw(3, START, name="New")
        raw(4, START, channel=2, name="Other")
        merge()
        assert merged() == {2: "New"}

    def test_a_name_that_comes_later_corrects_what_was_merged(self):
        raw(1, STOP, name="Stale")
        raw(2, START, name="First")
        merge()
        raw(3, START, name="Second")
        result = merge()
        assert merged() == {1: "Second"}
        assert (result["total_processed"], Channel.objects.get().recordId) == (0, 3)

    def test_without_a_start_a_stop_keeps_its_own_name_and_is_unmatched(self):
        raw(1, STOP, name="Mine")
        raw(2, STOP, channel=2, name=None)
        assert merge()["unmatched_records"] == 2
        assert merged() == {1: "Mine", 2: None}

    def test_a_start_without_a_name_names_nothing(self):
        raw(1, START, name="Named")
        raw(2, START, name="")
        raw(3, START, name=None)
        raw(4, STOP)
        merge()
        assert merged() == {4: "Named"}

    def test_other_actions_and_stops_without_a_channel_are_left_out(self):
        for record_id, action in enumerate((5, 6, 9, 13, 16, 20), 1):
            raw(record_id, action, name="x")
        raw(9, STOP, channel=None)
        result = merge()
        assert (result["total_processed"], result["merged_records"], result["skipped_records"]) == (1, 0, 1)
        assert merged() == {}

    def test_what_the_synchronisation_says_it_reached_does_not_matter(self):
        raw(1, START, name="A")
        raw(2, STOP)
        merge(sync_result={"highest_id_before": 0, "highest_id_after": 2})
        assert merged() == {2: "A"}

    def test_a_second_merge_does_nothing(self):
        raw(1, STOP)
        merge()
        assert merge()["total_processed"] == 0
        assert Watermark.objects.get(pk="merge").recordId == 1

    def test_records_that_came_late_below_the_watermark_need_a_backfill(self):
        raw(5, START, name="A")
        raw(6, STOP)
        merge()
        raw(3, STOP)
        raw(4, STOP)
        assert merge()["total_processed"] == 0
        result = merge(backfill_last_n=3)  # ids 4, 5, 6
        assert (result["total_processed"], result["saved_records"], result["skipped_records"]) == (2, 1, 1)
        assert merged() == {4: "A", 6: "A"}
        merge(backfill_last_n=10**9)
        assert merged() == {3: "A", 4: "A", 6: "A"}
        assert Watermark.objects.get(pk="merge").recordId == 6

    def test_a_backfill_corrects_rows_and_names_that_were_mended_by_hand(self):
        raw(1, START, name="Mispelt")
        raw(2, STOP, dataDuration=1, dataDate="2026-11-25", timeDate=3)
        merge()
        TelemetryRecordEntry.objects.filter(pk=1).update(dataName="Misspelt")
        TelemetryRecordEntry.objects.filter(pk=2).update(dataDuration=7)
        merge(backfill_last_n=2)
        assert list(MergedTelemetricOTT.objects.values_list("dataName", "dataDuration")) == [("Misspelt", 7)]
        assert list(HourRollup.objects.values_list("views", "seconds")) == [(1, 7)]


RECORDS = st.lists(
    st.tuples(
        st.sampled_from([START, STOP, STOP, 9]),
        st.sampled_from([1, 2, None]),
        st.sampled_from(["A", "B", "", None]),
        st.booleans(),
    ),
    max_size=14,
)


def expected() -> dict[int, str | None]:
    """The rule as the notes say it, in plain Python."""
    rows = list(TelemetryRecordEntry.objects.order_by("recordId"))
    names = {row.dataId: row.dataName for row in rows if row.actionId == START and row.dataName}
    stops = [row for row in rows if row.actionId == STOP and row.dataId is not None]
    return {row.recordId: names.get(row.dataId, row.dataName) for row in stops}


@pytest.mark.django_db
@settings(deadline=None, max_examples=40)
@given(records=RECORDS, batch=st.integers(1, 5))
def test_merging_now_and_then_comes_to_the_same(records, batch):
    with transaction.atomic():
        for record_id, (action, channel, name, merge_now) in enumerate(records, 1):
            raw(record_id, action, channel, name)
            if merge_now:
                merge(batch_size=batch)
        merge(batch_size=batch)
        assert merged() == expected()
        transaction.set_rollback(True)
