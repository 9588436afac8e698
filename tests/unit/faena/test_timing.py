"""When schedules are due, against a slow oracle that asks every minute, and against Celery's own crontab."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab as celery_crontab
from celery.schedules import solar as celery_solar
from hypothesis import given, settings
from hypothesis import strategies as st

from faena import timing
from faena.timing import BadTiming, Crontab, Interval, Once, Solar, Within, first, latest
from faena_server import app

SANTIAGO, MADRID, APIA = ZoneInfo("America/Santiago"), ZoneInfo("Europe/Madrid"), ZoneInfo("Pacific/Apia")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: Both changes of the clock in both zones, in 2026. Santiago's come at midnight, Madrid's at 02:00 and 03:00.
CHANGES = [
    (SANTIAGO, datetime(2026, 4, 5, 3, tzinfo=UTC)),
    (SANTIAGO, datetime(2026, 9, 6, 4, tzinfo=UTC)),
    (MADRID, datetime(2026, 3, 29, 1, tzinfo=UTC)),
    (MADRID, datetime(2026, 10, 25, 1, tzinfo=UTC)),
    (APIA, datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a whole day was left out
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 4, 15, tzinfo=UTC)),  # half an hour
]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type]


def wall(moments, zone) -> list[str]:
    return [each.astimezone(zone).strftime("%d %H:%M%z") for each in moments]


# --- the oracle --------------------------------------------------------------------------------


def matches(cron: Crontab, at: datetime) -> bool:
    return (
        at.minute in cron.minutes
        and at.hour in cron.hours
        and at.day in cron.days
        and at.month in cron.months
        and at.isoweekday() % 7 in cron.weekdays
    )


def fires(cron: Crontab, moment: datetime) -> bool:
    """Whether the crontab is due at this minute: what the clock shows, or would show had it not been put forward."""
    here = moment.astimezone(cron.zone)
    if matches(cron, here) and (not here.fold or len(cron.hours) == 24):
        return True
    for change in timedelta(hours=1), timedelta(minutes=30), timedelta(hours=24):
        before = (moment - change).astimezone(cron.zone)
        if here.utcoffset() - before.utcoffset() == change and matches(cron, before.replace(tzinfo=None) + change):
            return True
    return False


def slowly(cron: Crontab, since: datetime, until: datetime) -> list[datetime]:
    minutes = int((until - since) / MINUTE)
    return [at for at in (since + (n + 1) * MINUTE for n in range(minutes)) if fires(cron, at)]


numbers = {"minute": st.integers(0, 59), "hour": st.integers(0, 23), "day_of_month": st.integers(1, 31)}
numbers |= {"month": st.integers(1, 12), "day_of_week": st.integers(0, 6)}
NAMES = {
    "month": ["jan", "february", "mar", "may", "sept", "december"],
    "day_of_week": ["sun", "monday", "tue", "wed", "thurs", "fri", "SAT"],
}


def part(field: str) -> st.SearchStrategy[str]:
    number = numbers[field].map(str)
    if field in NAMES:
        number |= st.sampled_from(NAMES[field])
    ranges = st.builds("{}-{}".format, number, number)
    steps = st.builds("{}/{}".format, ranges | st.just("*"), st.integers(1, 15))
    return number | ranges | steps | st.just("*")


def spec(field: str) -> st.SearchStrategy[str]:
    return st.just("*") | st.lists(part(field), min_size=1, max_size=3).map(",".join)


lines = st.tuples(*map(spec, ("minute", "hour", "day_of_month", "month", "day_of_week"))).map(" ".join)
#: Crontabs that are due about the time of a change.
busy_lines = st.tuples(spec("minute"), spec("hour"), st.just("*"), st.just("*"), spec("day_of_week")).map(" ".join)


@settings(max_examples=80, deadline=None)
@given(change=st.sampled_from(CHANGES), line=busy_lines, before=st.integers(0, 100), span=st.integers(1, 200))
def test_around_every_change_of_the_clock_it_is_what_the_oracle_says(change, line, before, span):
    zone, at = change
    cron = Crontab.parse(line, zone)
    since = at - before * MINUTE
    until = since + span * MINUTE
    expected = slowly(cron, since, until)
    assert [each for each in first(cron, since, len(expected) + 1) if each <= until] == expected


@settings(max_examples=150, deadline=None)
@given(line=lines, start=st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1)))
def test_it_is_what_celery_says_of_every_line_that_both_accept(line, start):
    minute, hour, day_of_month, month, day_of_week = line.split()
    try:
        theirs = celery_crontab(minute, hour, day_of_week, day_of_month, month, app=app)
    except ValueError:
        with pytest.raises(BadTiming):
            Crontab.parse(line, ZoneInfo("UTC"))
        return
    ours = Crontab.parse(line, ZoneInfo("UTC"))
    assert set(ours.minutes) == theirs.minute
    assert set(ours.hours) == theirs.hour
    assert (ours.days, ours.months, ours.weekdays) == (theirs.day_of_month, theirs.month_of_year, theirs.day_of_week)
    start = start.replace(tzinfo=UTC)
    theirs.nowfun = lambda: start
    due = ours.next_after(start)
    assert due == start + theirs.remaining_estimate(start)


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from(sorted(numbers)), text=st.text("0123456789*/-,amonj", min_size=1, max_size=8))
def test_whatever_one_field_means_celery_means_the_same(field, text):
    places = ["minute", "hour", "day_of_month", "month", "day_of_week"]
    parts = ["*"] * 5
    parts[places.index(field)] = text
    try:
        ours = Crontab.parse(" ".join(parts), MADRID)
    except BadTiming:
        return
    theirs = celery_crontab(parts[0], parts[1], parts[4], parts[2], parts[3], app=app)
    assert set(ours.minutes) == theirs.minute
    assert set(ours.hours) == theirs.hour
    assert (ours.days, ours.months, ours.weekdays) == (theirs.day_of_month, theirs.month_of_year, theirs.day_of_week)


# --- crontabs, by hand -------------------------------------------------------------------------


def test_a_time_that_the_clock_skips_comes_once():
    cron = Crontab.parse("30 2 * * *", MADRID)
    assert wall(first(cron, utc(2026, 3, 28, 12), 2), MADRID) == ["29 03:30+0200", "30 02:30+0200"]
    cron = Crontab.parse("30 0 * * *", SANTIAGO)
    assert wall(first(cron, utc(2026, 9, 5, 12), 2), SANTIAGO) == ["06 01:30-0300", "07 00:30-0300"]


def test_a_time_that_comes_twice_counts_once():
    cron = Crontab.parse("30 2 * * *", MADRID)
    assert wall(first(cron, utc(2026, 10, 24, 12), 2), MADRID) == ["25 02:30+0200", "26 02:30+0100"]
    cron = Crontab.parse("30 23 * * *", SANTIAGO)
    assert wall(first(cron, utc(2026, 4, 4, 12), 2), SANTIAGO) == ["04 23:30-0300", "05 23:30-0400"]


def test_a_day_that_a_country_leaves_out_is_taken_as_before_the_change():
    cron = Crontab.parse("0 1,2 * * fri", APIA)
    assert first(cron, utc(2011, 12, 30, 11), 2) == [utc(2011, 12, 30, 12), utc(2012, 1, 5, 11)]


def test_in_the_second_pass_of_an_hour_what_came_in_the_first_is_over():
    cron = Crontab.parse("30 2 * * *", MADRID)
    assert wall([cron.next_after(utc(2026, 10, 25, 1, 10))], MADRID) == ["26 02:30+0100"]


@pytest.mark.parametrize(
    ("zone", "day", "hours"), [(MADRID, utc(2026, 3, 28, 23), 23), (MADRID, utc(2026, 10, 24, 22), 25)]
)
def test_every_hour_is_every_hour(zone, day, hours):
    cron = Crontab.parse("15 * * * *", zone)
    found = first(cron, day, hours)
    assert {after - before for before, after in pairwise(found)} == {HOUR}
    assert {each.astimezone(zone).date() for each in found} == {found[0].astimezone(zone).date()}
    assert cron.next_after(found[-1]).astimezone(zone).date() > found[-1].astimezone(zone).date()


def test_a_week_may_go_round_its_end():
    cron = Crontab.parse("0 8 * * fri-mon", MADRID)
    assert cron.weekdays == {5, 6, 0, 1}


def test_the_29th_of_february_comes():
    cron = Crontab.parse("0 0 29 feb mon", ZoneInfo("UTC"))
    assert first(cron, utc(2026, 1, 1), 3) == [utc(2044, 2, 29), utc(2072, 2, 29), utc(2112, 2, 29)]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day_of_month"),
        ("* * * 13 *", "month"),
        ("* * * * 7", "day_of_week"),
        ("*/0 * * * *", "minute"),
        ("5/10 * * * *", "minute"),
        ("* * * * jan", "day_of_week"),
        ("1, * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("* * * *", "crontab"),
        ("", "crontab"),
        ("0 0 31 2 *", "crontab"),
        ("0 0 31 4,6,9,11 *", "crontab"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field(line, field):
    with pytest.raises(BadTiming) as refused:
        Crontab.parse(line, MADRID)
    assert refused.value.field == field
    assert str(refused.value)


# --- the others --------------------------------------------------------------------------------


@given(
    every=st.timedeltas(timedelta(seconds=0.1), timedelta(days=400)),
    start=st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    later=st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_an_interval_is_counted_in_real_time_from_its_start(every, start, later):
    interval = Interval(every, start)
    due = interval.next_after(start + later)
    assert (due - start) % every == timedelta(0)
    assert timedelta(0) < due - (start + later) <= every
    assert interval.next_after(start - timedelta(microseconds=1)) == start


def test_an_interval_knows_no_change_of_the_clock():
    interval = Interval(2 * HOUR, utc(2026, 10, 24, 22))
    assert wall(first(interval, utc(2026, 10, 24, 22), 3), MADRID) == [
        "25 02:00+0200",
        "25 03:00+0100",
        "25 05:00+0100",
    ]


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(BadTiming):
        Interval(timedelta(0), utc(2026, 1, 1))


def test_once_is_once():
    once = Once(utc(2026, 1, 1))
    assert first(once, utc(2025, 1, 1), 3) == [utc(2026, 1, 1)]
    assert once.next_after(utc(2026, 1, 1)) is None


def test_within_two_moments():
    within = Within(Interval(DAY, utc(2026, 1, 1)), utc(2026, 1, 3), utc(2026, 1, 5))
    assert first(within, utc(2025, 1, 1), 9) == [utc(2026, 1, 3), utc(2026, 1, 4), utc(2026, 1, 5)]


@settings(max_examples=30, deadline=None)
@given(
    event=st.sampled_from(sorted(timing.SOLAR_EVENTS)),
    day=st.integers(0, 400),
    place=st.sampled_from([(-33.4, -70.7), (40.4, -3.7)]),
)
def test_the_sun_is_celerys_to_the_second(event, day, place):
    moment = utc(2026, 1, 1, 12) + day * DAY
    theirs = celery_solar(event, *place, app=app, nowfun=lambda: moment)
    due = Solar(event, *place).next_after(moment)
    assert abs(due - (moment + theirs.remaining_estimate(moment))) < timedelta(seconds=2)
    assert due == Solar(event, *place).next_after(due - timedelta(seconds=1))
    assert due < Solar(event, *place).next_after(due) < due + timedelta(hours=24.2)


def test_in_the_polar_night_the_sun_does_not_rise():
    due = Solar("sunrise", 78.2, 15.6).next_after(utc(2026, 11, 20))
    assert due.month == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [(("moonrise", 0, 0), "event"), (("sunset", 91, 0), "latitude"), (("sunset", 0, -181), "longitude")],
)
def test_no_such_event_and_no_such_place(values, field):
    with pytest.raises(BadTiming) as refused:
        Solar(*values)
    assert refused.value.field == field


def test_without_ephem_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ephem", None)
    with pytest.raises(BadTiming, match="pip install ephem"):
        Solar("sunset", 0, 0)


@settings(max_examples=20, deadline=None)
@given(line=busy_lines, hours=st.integers(1, 500), most=st.integers(1, 30))
def test_the_latest_are_the_end_of_them_all(line, hours, most):
    cron = Crontab.parse(line, SANTIAGO)
    until = utc(2026, 4, 12)
    since = until - hours * HOUR
    every = [each for each in first(cron, since - MINUTE, 500) if since <= each <= until]
    found = latest(cron, since, until, most)
    if len(every) < 500:
        assert len(found) >= min(most, len(every))
        assert every[len(every) - len(found) :] == found


def test_a_year_of_missed_seconds_costs_no_more_than_a_minute_of_them():
    found = latest(Interval(timedelta(seconds=1), utc(2020, 1, 1)), utc(2025, 1, 1), utc(2026, 1, 1), 100)
    assert 100 <= len(found) < 300
    assert found[-1] == utc(2026, 1, 1)
