from __future__ import annotations

from datetime import date

import pytest

from faena_systems.telemetry import analytics
from faena_systems.telemetry.analytics import By, Order, Period
from faena_systems.telemetry.api import router

from .conftest import TODAY

pytestmark = pytest.mark.django_db

API = "/api/telemetry/"
DECEMBER = Period(date(2025, 12, 1), date(2025, 12, 31))
IN_DECEMBER = "since=2025-12-01&until=2025-12-31"
QUESTIONS = [
    "coverage",
    "summary",
    "comparison",
    "channels",
    "audience",
    "average-duration",
    "peak-hours",
    "time-slots",
    "series",
    "day-over-day",
    "anomalies",
    "retention",
    "segments",
]


@pytest.fixture
def ask(web, views):
    def get(question: str):
        answer = web.get(API + question)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return get


def test_every_address_is_one_of_these():
    assert sorted(router.path_operations) == sorted(f"/{question}" for question in QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_strangers_get_nothing(client, question):
    assert client.get(API + question).status_code == 401


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_without_views(web, question):
    assert web.get(API + question).status_code == 200


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_over_views(ask, question):
    assert ask(question)


def test_the_summary(ask):
    found, expected = ask(f"summary?{IN_DECEMBER}"), analytics.summary(DECEMBER)
    assert found["period"] == {"since": "2025-12-01", "until": "2025-12-31"}
    assert found["totals"]["views"] == expected.totals.views
    assert found["totals"]["hours"] == pytest.approx(expected.totals.hours)
    assert (found["channels"], found["subscribers"], found["devices"]) == (
        expected.channels,
        expected.subscribers,
        expected.devices,
    )


def test_without_days_it_is_the_last_thirty(ask):
    assert ask("summary")["period"] == {"since": "2025-12-22", "until": str(TODAY)}


def test_channels_and_audience(ask):
    expected = analytics.audience(DECEMBER, 3, 2, Order.TIME)
    found = ask(f"audience?{IN_DECEMBER}&limit=3&offset=2&order=time")
    assert [(each["channel"], each["name"], each["devices"]) for each in found] == [
        (each.channel, each.name, each.devices) for each in expected
    ]
    assert len(ask(f"channels?{IN_DECEMBER}&limit=7")) == 7


def test_series_changes_and_peaks(ask):
    expected = analytics.series(DECEMBER, By.WEEK)
    found = ask(f"series?{IN_DECEMBER}&by=week")
    assert [(each["start"], each["totals"]["views"]) for each in found] == [
        (str(each.start), each.totals.views) for each in expected
    ]
    assert len(ask(f"day-over-day?{IN_DECEMBER}")) == 31
    peak = ask(f"peak-hours?{IN_DECEMBER}")
    assert [len(row) for row in peak["cells"]] == [24] * 7
    assert tuple(peak["busiest"]) == analytics.peak_hours(DECEMBER).busiest


def test_a_comparison_with_another_period_and_with_the_one_before(ask):
    other = ask(f"comparison?{IN_DECEMBER}&other_since=2025-11-20&other_until=2025-11-30")
    assert other["before"]["period"] == {"since": "2025-11-20", "until": "2025-11-30"}
    assert ask(f"comparison?{IN_DECEMBER}")["before"]["period"] == {"since": "2025-10-31", "until": "2025-11-30"}


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("summary?since=2026-01-02&until=2026-01-01", "ends before it begins"),
        ("summary?since=2026-01-02", "both since and until"),
        ("series?since=1990-01-01&until=2026-01-01", "longer than ten years"),
        ("comparison?since=1970-01-01&until=1970-02-01", "between 1970 and 2199"),
        ("summary?since=yesterday&until=2026-01-01", "since"),
        ("channels?limit=51", "limit"),
        ("audience?offset=-1", "offset"),
        ("series?by=year", "by"),
        ("anomalies?sigmas=nan", "sigmas"),
    ],
)
def test_nonsense_is_refused_with_the_reason(web, question, why):
    answer = web.get(API + question)
    assert answer.status_code == 422
    assert why in answer.text
