"""Made records have the distribution of the real export."""

from __future__ import annotations

from collections import Counter

import pytest

from faena_sandbox.panaccess.dataset import ROWS, START, STOP, Dataset

NULL = (
    "actionKey", "anonymized", "date", "whoisCountry", "whoisIsp", "ipId", "ip", "dataTsId", "dataSeviceId",
    "dataNetId", "reasonKey", "profileId",
)  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> list[dict]:
    whole = Dataset()
    return [whole.record(index) for index in range(0, ROWS, 41)]


def test_actions_are_those_of_the_export_to_the_record():
    actions = Counter(Dataset.action_of(index)[0] for index in range(ROWS))
    assert (actions[START], actions[STOP], actions.total()) == (324_188, 324_187, 655_229)
    assert set(actions) == {5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19, 20}


def test_subscribers_devices_and_channels(sample):
    assert len({record["subscriberCode"] for record in sample}) == 60
    assert len({record["deviceId"] for record in sample}) == 1_725
    assert len({record["dataId"] for record in sample}) == 261
    assert len({record["dataName"] for record in sample if record["actionId"] == START}) == 255


def test_durations(sample):
    durations = sorted(record["dataDuration"] for record in sample if record["actionId"] == STOP)
    assert 1_800 < durations[len(durations) // 2] < 2_400
    assert 50_000 < durations[len(durations) * 95 // 100] < 75_000


def test_columns_that_are_always_null(sample):
    assert all(record[name] is None for record in sample for name in NULL)


def test_timestamps_reach_over_two_years_and_some_into_the_future(sample):
    times = sorted(record["timestamp"] for record in sample if record["timestamp"])
    good = [time for time in times if time > "2"]
    assert good[0][:10] == "2024-12-28"
    assert "2026-12-01" < good[-1][:10] <= "2026-12-31"


def test_a_row_is_a_function_of_seed_and_place():
    assert Dataset(10, seed=3).as_json(range(10)) == Dataset(10, seed=3).as_json(range(10))
    assert Dataset(10, seed=3).as_json(range(10)) != Dataset(10, seed=4).as_json(range(10))
    grown = Dataset(10)
    before = grown.as_json(range(10))
    grown.rows += 5
    assert grown.as_json(range(10)) == before


def test_ids_increase_and_hardly_one_is_missing():
    ids = [Dataset.id_of(index) for index in range(5_000)]
    assert ids == sorted(set(ids))
    assert ids[-1] < 5_020
    assert all(Dataset.index_after(known) == index + 1 for index, known in enumerate(ids))
    assert all(Dataset.index_after(known - 1) == index for index, known in enumerate(ids))


def test_a_renamed_channel_keeps_its_name_in_older_records():
    made = Dataset(4_000)
    channel = made.record(0)["dataId"]
    before = made.record(0)["dataName"]
    made.rename(channel, "Nuevo «13»")
    made.rows += 4_000
    names = {
        r["dataName"] for r in map(made.record, range(4_000, 8_000)) if r["dataId"] == channel and r["actionId"] == 7
    }
    assert names == {"Nuevo «13»"}
    assert made.record(0)["dataName"] == before
