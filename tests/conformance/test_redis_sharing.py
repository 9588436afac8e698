"""Ours and kombu's own Redis transport on the same queues at the same time."""

from __future__ import annotations

import time

import pytest
from kombu import Exchange, Queue

from . import schemes
from .conftest import until
from .redis_servers import KOMBU, OURS, Consuming, publish, unacked

schemes.register()


# -- sharing


@pytest.mark.parametrize(("sender", "receiver"), [(OURS, KOMBU), (KOMBU, OURS)])
def test_one_sends_the_other_receives(server, sender, receiver):
    with server.connect(sender) as source, server.connect(receiver) as target:
        publish(source, {"año": 1}, headers={"h": [], "n": 12345678901234567}, priority=4)
        with source.Producer().batch():
            source.Producer().publish("batched", routing_key="a")
        with Consuming(target) as consuming:
            until(lambda: len(consuming.got) == 2)
        assert sorted(map(str, consuming.got)) == ["batched", "{'año': 1}"]
        [rich] = [message for message in consuming.messages if message.payload != "batched"]
        assert (rich.headers["h"], rich.headers["n"], rich.properties["priority"]) == ([], 12345678901234567, 4)
        until(lambda: unacked(server) == (0, 0))


@pytest.mark.parametrize(("sender", "receiver"), [(OURS, KOMBU), (KOMBU, OURS)])
def test_bindings_and_fanout_are_shared(server, sender, receiver):
    topics, everyone = Exchange("topics", "topic"), Exchange("everyone", "fanout")
    queues = [Queue("a", topics, "order.#"), Queue("news", everyone, auto_delete=True)]
    with server.connect(sender) as source, server.connect(receiver) as target, Consuming(target, *queues) as consuming:
        until(lambda: server.client.exists("_kombu.binding.topics"))
        source.Producer(exchange=topics).publish("topic", routing_key="order.paid")

        def heard() -> bool:
            source.Producer(exchange=everyone).publish("news")
            return {"topic", "news"} <= set(consuming.got)

        until(heard)


def test_mixed_workers_share_a_queue_and_leave_nothing(server):
    with server.connect(OURS) as ours, server.connect(KOMBU) as theirs, server.connect(OURS) as source:
        with Consuming(ours, prefetch=1) as first, Consuming(theirs, prefetch=1) as second:
            publish(source, *range(200))
            until(lambda: len(first.got) + len(second.got) == 200)
        assert first.got and second.got
        assert sorted(first.got + second.got) == list(range(200))
        until(lambda: unacked(server) == (0, 0))


def test_what_ours_holds_looks_to_kombu_like_its_own(server):
    with server.connect(OURS) as ours:
        publish(ours, "x")
        ours.default_channel.basic_get("a")
        [tag] = server.client.hkeys("unacked")
        with server.connect(KOMBU) as theirs:
            theirs.default_channel.qos.restore_by_tag(tag.decode())
            message = theirs.default_channel.basic_get("a")
            assert message.payload == "x"
            assert message.headers["redelivered"]


def test_a_late_acknowledgement_takes_nothing_from_the_next_holder(server):
    with server.connect() as first, server.connect() as second:
        publish(first, "x")
        message = first.default_channel.basic_get("a")
        second.default_channel.basic_get("a")
        second.transport.consumer.give_back(holder=first.transport.consumer.id)
        assert second.default_channel.basic_get("a").payload == "x"
        message.ack()
        first.transport.consumer.flush()
        assert unacked(server) == (1, 1)


def test_two_queues_each_get_a_copy_that_is_acknowledged_alone(server):
    topics = Exchange("topics", "topic")
    with server.connect(KOMBU) as theirs, server.connect(OURS) as ours:
        for queue in "ab":
            Queue(queue, topics, "#")(theirs.default_channel).declare()
        theirs.Producer(exchange=topics).publish("x", routing_key="y")  # both copies have one tag
        channel = ours.default_channel
        first, second = channel.basic_get("a"), channel.basic_get("b")
        first.ack()
        channel.connection.consumer.flush()
        second.requeue()
        assert channel.basic_get("b").payload == "x"


def test_queues_take_turns(server):
    with server.connect() as connection:
        for number in range(3):
            publish(connection, f"a{number}")
            publish(connection, f"b{number}", queue="b")
        with Consuming(connection, Queue("a"), Queue("b")) as consuming:
            until(lambda: len(consuming.got) == 6)
        assert [body[1] for body in consuming.got] == ["0", "0", "1", "1", "2", "2"]


def test_what_is_no_message_is_put_aside(server):
    with server.connect() as connection, Consuming(connection) as consuming:
        server.client.lpush("a", "{broken", '["no", "message"]')
        publish(connection, "good")
        until(lambda: consuming.got == ["good"])
        assert server.client.llen("_faena.unreadable") == 2


def test_what_is_no_message_is_put_aside_whoever_takes_it(server):
    with server.connect() as connection:
        server.client.lpush("a", "{broken", "[1]")
        assert connection.default_channel.basic_get("a") is None
        consumer, channel = connection.transport.consumer, connection.default_channel
        channel.connection.consumer.reserve(channel.link, ["a"], ["a"], "1", 1)  # and its process dies before it looks
        consumer.give_back()
        assert server.client.llen("_faena.unreadable") == 2
        assert unacked(server) == (0, 0)


# -- who holds what


def test_a_live_consumer_keeps_its_message_past_any_timeout(server):
    options = {"visibility_timeout": 1, "unacked_restore_interval": 0.2, "unacked_restore_throttle": 1}
    ours, theirs = server.connect(OURS, **options), server.connect(KOMBU, **options)
    with ours, theirs, Consuming(ours, prefetch=1, ack=False) as busy:
        publish(ours, "long")
        until(lambda: busy.got == ["long"])
        held_since = time.monotonic()
        with Consuming(theirs) as other:  # sweeps all the time
            until(lambda: time.monotonic() - held_since > 5)
        assert other.got == []
        assert ours.default_channel.depth("a") == 1


def test_what_kombu_holds_keeps_kombus_timeout(server):
    with server.connect(KOMBU) as theirs:
        publish(theirs, "x")
        message = theirs.default_channel.basic_get("a")
        with server.connect(OURS, visibility_timeout=2, unacked_restore_interval=0.1) as ours, Consuming(ours) as heir:
            taken = server.client.zscore("unacked_index", message.delivery_tag)
            until(lambda: heir.got == ["x"])
            assert time.time() - taken > 2


def test_a_consumer_of_a_silent_host_is_dead_and_its_messages_return(server, monkeypatch):
    with server.connect() as victim:
        publish(victim, 1, 2, 3)
        for _ in range(3):
            victim.default_channel.basic_get("a")
        consumer = victim.transport.consumer
        consumer._pulse.stop()
        server.client.hset("_faena.identities", consumer.id, "another-host|1|1.0")
        silent = time.monotonic()
        with server.connect() as other, Consuming(other) as heir:
            until(lambda: heir.got == [1, 2, 3])
        # Not before its time; and long before kombu's hour, however slow this machine is.
        assert 3 < time.monotonic() - silent < 60
        assert all(message.headers["redelivered"] for message in heir.messages)
        until(lambda: not server.client.hexists("_faena.identities", consumer.id))
