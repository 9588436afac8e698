"""The rows: order, reservations, expiry, and the queues that go with their consumers."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faena.transports._file import BrokerError
from faena.transports._store import Outgoing
from faena.transports._topology import QueueOptions


def put(store, *payloads, queue="a", priority=0, **options):
    store.publish(Outgoing([queue], priority, payload, **options) for payload in payloads)


def take(store, *queues, limit=100):
    return [delivery.payload for delivery in store.reserve(queues or ["a"], limit)]


_numbers = itertools.count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(priorities=st.lists(st.integers(0, 9), max_size=30), limits=st.lists(st.integers(1, 7), min_size=30))
def test_nine_comes_first_and_equals_in_turn(store, priorities, limits):
    queue = f"q{next(_numbers)}"
    for position, priority in enumerate(priorities):
        put(store, str(position), queue=queue, priority=priority)
    taken = [int(payload) for limit in limits for payload in take(store, queue, limit=limit)]
    assert taken == sorted(range(len(priorities)), key=lambda position: (-priorities[position], position))


def test_no_message_is_reserved_twice(open_store):
    one, two = open_store(), open_store()
    put(one, *"abcdef")
    assert take(one, limit=3) + take(two, limit=9) == list("abcdef")
    assert take(one) == take(two) == []


def test_a_share_for_each_queue_and_the_rest_for_whoever_has_more(store):
    put(store, *"123456", queue="a")
    put(store, "x", queue="b")
    assert take(store, "a", "b", limit=4) == ["1", "2", "x", "3"]


def test_released_messages_return_to_their_place_marked(store):
    put(store, *"abc")
    deliveries = store.reserve(["a"], 2)
    store.release([delivery.id for delivery in deliveries])
    again = store.reserve(["a"], 9)
    assert [(delivery.payload, bool(delivery.redelivered)) for delivery in again] == [
        ("a", True),
        ("b", True),
        ("c", False),
    ]


def test_acks_are_written_within_milliseconds(open_store):
    store, observer = open_store(), open_store()
    put(store, "a")
    store.ack(store.reserve(["a"], 1)[0].id)
    deadline = time.monotonic() + 5
    while observer.reserved("a") and time.monotonic() < deadline:
        pass
    assert observer.reserved("a") == 0


def test_only_the_holder_can_acknowledge(open_store):
    holder, other = open_store(), open_store()
    put(holder, "a")
    [delivery] = holder.reserve(["a"], 1)
    other.register()
    other.ack(delivery.id)
    other.flush()
    assert holder.reserved("a") == 1


def test_expired_messages_are_neither_counted_nor_delivered(store):
    put(store, "old", expires_at=time.time() - 1)
    put(store, "new", expires_at=time.time() + 60)
    assert store.size("a") == 1
    assert take(store) == ["new"]


def test_a_queue_may_limit_the_life_of_its_messages(store):
    store.declare_queue("a", QueueOptions(message_ttl=-1))
    put(store, "x")
    assert take(store) == []


def test_purge_leaves_what_is_reserved(store):
    put(store, *"abc")
    take(store, limit=1)
    assert (store.purge("a"), store.size("a"), store.reserved("a")) == (2, 0, 1)


def test_auto_delete_queues_go_with_their_last_subscription(open_store):
    one, two = open_store(), open_store()
    one.declare_queue("a", QueueOptions(auto_delete=True))
    one.bind("x", "a", "", None)
    one.subscribe("1", "a")
    two.subscribe("1", "a")
    one.unsubscribe("1")
    assert one.has_queue("a")
    two.close()
    assert not one.has_queue("a")
    assert one.bindings("x") == []


def test_exclusive_queues_go_with_their_owner(open_store):
    owner, other = open_store(), open_store()
    owner.declare_queue("a", QueueOptions(owner=owner.register()))
    put(owner, "x")
    owner.close()
    assert not other.has_queue("a")
    assert other.size("a") == 0


def test_idle_queues_go_when_they_expire_and_used_ones_stay(store):
    store.declare_queue("idle", QueueOptions(expires=-1))
    store.subscribe("1", "used")  # first: the pulse that begins here must not find it unused
    store.declare_queue("used", QueueOptions(expires=-1))
    store.beat()
    assert (store.has_queue("idle"), store.has_queue("used")) == (False, True)


def test_closing_gives_everything_back(open_store):
    one, two = open_store(), open_store()
    put(one, *"abc")
    one.ack(one.reserve(["a"], 2)[0].id)
    one.close()
    assert take(two) == ["b", "c"]


def test_a_consumer_taken_for_dead_hears_of_it_and_keeps_no_message(open_store):
    silent, other = open_store(), open_store()
    put(silent, *"abc")
    silent.subscribe("1", "a")
    assert take(silent, limit=1) == ["a"]
    other.register()
    with other.file.transaction() as db:  # as if it ran in another container and had been suspended
        db.execute("UPDATE consumers SET host = 'elsewhere', heartbeat = 0 WHERE id = ?", (silent.consumer,))
    other.beat()
    # It does not know yet, and goes on.
    assert take(silent, limit=1) == ["a"]
    other.beat()
    assert take(other, limit=1) == ["a"]
    silent.beat()
    with pytest.raises(BrokerError, match="Connect again"):
        silent.reserve(["a"], 1)
    again = open_store()
    again.subscribe("1", "a")
    assert take(again) == ["b", "c"]


def test_a_consumer_that_registers_while_another_looks_for_dead_ones_lives(open_store, monkeypatch):
    looking = open_store()
    looking.register()
    newcomers = []
    read = looking.file.read

    def read_after_somebody_came(*asked):
        newcomers.append(open_store())
        newcomers[-1].register()
        return read(*asked)

    monkeypatch.setattr(looking.file, "read", read_after_somebody_came)
    assert looking._dead_consumers() == []


def test_the_file_does_not_keep_what_was_consumed(store, path):
    store.publish(Outgoing(["a"], 0, "x" * 4000) for _ in range(5000))
    full = _bytes(path)
    while deliveries := store.reserve(["a"], 500):
        for delivery in deliveries:
            store.ack(delivery.id)
    for _ in range(10):
        store.beat()
    store.file.read("PRAGMA wal_checkpoint(TRUNCATE)")
    assert full > 20_000_000
    assert _bytes(path) < full / 4


def _bytes(path):
    return sum(file.stat().st_size for file in path.parent.iterdir())


@pytest.mark.parametrize("kind", ["direct", "topic", "fanout"])
def test_exchange_types_are_remembered(open_store, kind):
    open_store().declare_exchange("x", kind)
    assert open_store().exchange_type("x") == kind
