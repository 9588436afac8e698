from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faena_sandbox.panaccess.dataset import Dataset
from faena_systems.telemetry.models import MergedTelemetricOTT, TelemetryRecordEntry
from faena_systems.telemetry.records import COLUMNS, moment, page_of, row_if_record, row_of


def columns(record: dict) -> dict:
    return dict(zip(COLUMNS, row_of(record), strict=True))


def test_every_column_of_the_table_is_read_and_no_other():
    for model in (TelemetryRecordEntry, MergedTelemetricOTT):
        assert {field.attname for field in model._meta.concrete_fields} == set(COLUMNS)


def test_a_record_is_kept_as_sent():
    sent = Dataset(2).record(1)
    read = columns(sent)
    assert {name: read[name] for name in sent} == sent
    assert (read["dataDate"], read["timeDate"]) == (sent["timestamp"][:10], int(sent["timestamp"][11:13]))


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-25 23:59:59", ("2026-11-25", 23)),
        ("2026-11-25 00:00:00", ("2026-11-25", 0)),
        ("0000-00-00 00:00:00", (None, None)),
        ("2026-02-30 10:00:00", (None, None)),
        ("2026-11-25 24:00:00", (None, None)),
        ("2026-11-25T10:00:00", (None, None)),
        ("2026-11-25", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_date_and_hour_of_a_timestamp(timestamp, expected):
    assert moment(timestamp) == expected


def test_a_row_with_a_bad_timestamp_keeps_it():
    read = columns({"recordId": 1, "timestamp": "yesterday"})
    assert (read["timestamp"], read["dataDate"], read["timeDate"]) == ("yesterday", None, None)


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("dataId", "17", 17),
        ("dataId", "seventeen", None),
        ("dataId", 2**63, None),
        ("dataId", 17.0, 17),
        ("manual", "yes", True),
        ("manual", 0, False),
        ("manual", "perhaps", None),
        ("ip", "a\0b", "a\ufffdb"),
        ("ip", 7, "7"),
        ("data", {"streamId": "ñ"}, '{"streamId": "ñ"}'),
    ],
)
def test_what_is_of_another_type(name, sent, kept):
    assert columns({"recordId": 1, name: sent})[name] == kept


def test_records_without_an_id_are_counted_and_left_out():
    page = page_of([row_of({"recordId": value}) for value in (5, None, "6", "x", -1)])
    assert ([row[0] for row in page.rows], page.size, page.unusable) == ([5, 6], 5, 3)


def test_an_answer_without_records_stays_as_it_is():
    answer = '{"success": true, "answer": {"telemetryRecordEntries": [{"recordId": 3}]}}'
    read = json.loads(answer, object_hook=row_if_record)
    assert read["answer"]["telemetryRecordEntries"] == [row_of({"recordId": 3})]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10)
VALUES = SCALARS | st.lists(st.text(max_size=3), max_size=2)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=6))
def test_nothing_that_is_sent_breaks_the_reading(record):
    read = columns(record)
    assert all(value is None or -(2**63) <= value < 2**63 for value in row_of(record)[:13])
    assert all("\0" not in value for value in read.values() if isinstance(value, str))
    assert (read["dataDate"] is None) == (read["timeDate"] is None)
