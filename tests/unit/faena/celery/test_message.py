"""A row becomes the very message that Celery would have sent."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from celery import chain, chord, group
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faena import enqueue_many
from faena.celery.message import job_id
from faena.ledger import doorbell, sql
from faena.models import Job
from faena_server import app
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")

#: What only the process that sends can say.
OWN = {"origin", "argsrepr", "kwargsrepr"}


def both_ways(send) -> tuple:
    """The message as Celery sent it, and as it is made from the row."""
    send()
    [first] = inline.sent()
    doorbell.ring([job_id(first.headers["id"])])
    [again] = inline.sent()
    return first, again


def compare(first, again) -> None:
    assert again.payload == first.payload
    left = {name: value for name, value in first.headers.items() if name not in OWN}
    assert {name: value for name, value in again.headers.items() if name not in OWN} == left
    properties = {"delivery_tag", "body_encoding", "delivery_info"}
    assert {k: v for k, v in again.properties.items() if k not in properties} == {
        k: v for k, v in first.properties.items() if k not in properties
    }
    assert again.properties["delivery_info"] == first.properties["delivery_info"]
    assert (again.content_type, again.content_encoding) == (first.content_type, first.content_encoding)


SENDS = {
    "args": lambda: jobs.add.delay(1, y=2),
    "expires": lambda: jobs.add.apply_async((1, 2), expires=3600),
    "expires at": lambda: jobs.add.apply_async((1, 2), expires=datetime(2100, 1, 1, tzinfo=UTC)),
    "headers": lambda: jobs.add.apply_async((1, 2), headers={"tenant": "a", "trace": {"id": 1}}),
    "priority": lambda: jobs.add.apply_async((1, 2), priority=7),
    "callbacks": lambda: jobs.add.apply_async(
        (1, 2), link=[jobs.add.s(3), jobs.echo.s()], link_error=jobs.failed_id.s()
    ),
    "time limits": lambda: jobs.add.apply_async((1, 2), time_limit=9, soft_time_limit=5),
    "shadow": lambda: jobs.add.apply_async((1, 2), shadow="other"),
    "ignore_result": lambda: jobs.add.apply_async((1, 2), ignore_result=True),
    "compression": lambda: jobs.add.apply_async((1, 2), compression="gzip"),
    "not persistent": lambda: jobs.add.apply_async((1, 2), delivery_mode=1),
    "reply_to": lambda: jobs.add.apply_async((1, 2), reply_to="somewhere"),
    "a name for an id": lambda: jobs.add.apply_async((1, 2), task_id="nightly"),
    "chain": lambda: chain(jobs.add.s(1, 2), jobs.add.s(3), jobs.add.s(4)).delay(),
    "chain into group": lambda: chain(jobs.add.s(1, 2), group(jobs.add.s(3), jobs.add.s(4))).delay(),
    "chain of chord": lambda: (jobs.echo.s(1) | chord([jobs.add.s(1)], jobs.tsum.s())).delay(),
    "group": lambda: group([jobs.add.s(1, 2)]).apply_async(),
    "stamps": lambda: _stamped(),
    "unknown task": lambda: app.send_task("unheard.of", (1,), {"a": [None]}),
}


def _stamped() -> None:
    signature = jobs.add.s(1, 2)
    signature.stamp(customer="7")
    signature.delay()


@pytest.mark.parametrize("how", SENDS)
def test_a_row_gives_the_message_that_celery_sent(how):
    compare(*both_ways(SENDS[how]))


def test_a_chord_header_too():
    chord([jobs.add.s(1, 2), jobs.add.s(3, 4)])(jobs.tsum.s())
    first = {each.headers["id"]: each for each in inline.sent()}
    doorbell.ring([job_id(each) for each in first])
    again = {each.headers["id"]: each for each in inline.sent()}
    assert len(first) == 2
    for each in first:
        compare(first[each], again[each])


def test_another_queue_and_its_own_routing():
    sent = jobs.add.apply_async((1, 2), queue="other")
    [first] = inline.sent("other")
    assert Job.objects.get(pk=sent.id).queue == "other"
    doorbell.ring([job_id(sent.id)])
    [again] = inline.sent("other")
    compare(first, again)


def test_a_delayed_message_carries_no_delay(row):
    sent = jobs.add.apply_async((1, 2), countdown=60, expires=3600)
    sql.execute(f"UPDATE faena_job SET run_at = {sql.now()}")
    doorbell.ring([job_id(sent.id)])
    [message] = inline.sent()
    assert message.headers["eta"] is None
    assert datetime.fromisoformat(message.headers["expires"]) > datetime.now(UTC) + timedelta(minutes=50)


def test_a_naive_eta_is_utc_as_in_celery_whatever_the_hosts_zone(row, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        sent = jobs.add.apply_async((1, 2), eta=(datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert abs(row(sent.id).run_at - (datetime.now(UTC) + timedelta(hours=1))) < timedelta(minutes=1)


def test_an_eta_in_the_past_is_due(row):
    sent = jobs.add.apply_async((1, 2), eta=datetime(2020, 1, 1, tzinfo=UTC))
    assert row(sent.id).dispatched
    assert inline.ids(inline.sent()) == [sent.id]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(args=st.lists(json_values, max_size=3), kwargs=st.dictionaries(st.text(min_size=1), json_values, max_size=3))
def test_any_arguments(args, kwargs):
    first, again = both_ways(lambda: app.send_task("unheard.of", args, kwargs))
    compare(first, again)
    row = Job.objects.get(pk=first.headers["id"])
    assert (row.args, row.kwargs) == (args, kwargs)


def test_what_json_cannot_say_but_celery_can(row):
    from decimal import Decimal
    from uuid import UUID

    value = [datetime(2026, 1, 1, tzinfo=UTC), Decimal("1.5"), UUID(int=7)]
    sent = jobs.echo.delay(value)
    inline.drain()
    assert sent.get(timeout=1) == value


BULK = {
    "plain": (jobs.add, [(1, 2), ("a", None)]),
    "not flat": (jobs.add, [([1, "x" * 2000], {"b": 2.5}), {"x": 1, "y": "ñ"}]),
    "with options": (jobs.count, [{"total": 3}, (4,)]),
    "not recorded": (jobs.plain, [(1,), ([2],), {"x": 3}]),
}


@pytest.mark.parametrize("case", BULK)
def test_a_message_sent_in_bulk_is_the_one_that_celery_sends_singly(case):
    task, calls = BULK[case]
    enqueue_many(task, calls)
    in_bulk = inline.sent()
    for call in calls:
        task.apply_async(**({"kwargs": call} if isinstance(call, dict) else {"args": call}))
    assert len(in_bulk) == len(calls)
    for one, other in zip(in_bulk, inline.sent(), strict=True):
        assert one.payload == other.payload
        headers = other.headers | {name: one.headers[name] for name in ("id", "root_id")}
        assert one.headers == headers
        assert one.headers["id"] == one.headers["root_id"] == one.properties["correlation_id"]
        assert one.properties["delivery_info"] == other.properties["delivery_info"]
