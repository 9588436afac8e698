from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import AsyncRequestFactory, RequestFactory
from django.urls import set_script_prefix
from django.utils.translation import override

from faena.celery.control import REVOKED
from faena.celery.many import VERBS
from faena.models import Job
from faena.templatetags.faena import badge, bar, counted, duration, icon, live, rate, told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(milliseconds=350), "350 ms"),
        (timedelta(seconds=4.25), "4.2 s"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(seconds=185), "3 min 5 s"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
        (timedelta(days=400), "400 d"),
        (None, ""),
    ],
)
def test_durations_show_their_two_largest_units(value, text):
    with override("en"):
        assert duration(value) == text


def test_counts_say_when_they_stopped():
    with override("en"):
        assert [counted(number) for number in (7, 10_000, 10_001, None)] == ["7", "10,000", "10,000+", ""]


def test_rates_show_digits_that_say_something():
    with override("en"):
        assert [rate(value) for value in (0.25, 7.71, 12345.6)] == ["0.25", "7.7", "12,346"]


def test_the_bar_adds_up():
    assert 'aria-valuenow="50"' in bar(Job(state="running", done=30, failed=15, skipped=5, total=100))
    assert 'x="45.00%" width="5.00%"' in bar(Job(state="running", done=30, failed=15, skipped=5, total=100))
    assert "bar-unknown" in bar(Job(state="running"))
    assert 'width="100.00%"' in bar(Job(state="completed"))
    assert 'aria-valuenow="100"' in bar(Job(state="running", done=300, total=100))


def test_what_faena_wrote_is_told_in_the_language_of_the_page():
    kept = [
        REVOKED.message,
        "expired",
        "terminated",
        "killed its worker 5 times",
        *(f"{verb}: many jobs" for verb in VERBS),
    ]
    with override("es"):
        assert [text for text in kept if told(text) == text] == []
        assert told("killed its worker 5 times") == "mató a su worker 5 veces"
        assert told(Job(title="retry: many jobs")) == "reintentar muchos trabajos"
        assert told("killed its worker 5 times.") == "killed its worker 5 times."
    with override("en"):
        assert [told(text) for text in kept] == kept


def test_names_are_escaped():
    assert "<b>" not in badge("<b>") + icon("<b>")


def test_a_bar_never_turns_one_part_into_another():
    unknown, counted_ = bar(Job(state="validating")), bar(Job(state="running", done=1, total=100))
    parts = [re.findall(r'class="bar-(\w+)"', svg) for svg in (unknown, counted_, bar(Job(state="completed")))]
    assert parts == [["done", "failed", "skipped", "unknown"]] * 3
    assert 'class="bar-unknown" x="0.00%" width="35.00%"' in unknown
    assert 'class="bar-unknown" x="1.00%" width="0.00%"' in counted_
    assert "aria-valuenow" not in unknown


def test_a_page_knows_its_channel_where_there_is_one():
    request = AsyncRequestFactory().get("/")
    assert live({"request": RequestFactory().get("/")}) == live({"request": request}) == ""
    request.scope["faena.live"] = True
    assert live({"request": request}) == ' data-live="/ws/monitor"'
    job = Job()
    set_script_prefix("/mounted/")
    try:
        assert live({"request": request}, job) == f' data-live="/mounted/ws/jobs/{job.pk}"'
    finally:
        set_script_prefix("/")
