"""What a message may rely on, on every broker, inside one process."""

from __future__ import annotations

import contextlib

import pytest
from kombu import Connection, Exchange, Queue

from .conftest import until


@pytest.fixture
def put(connection: Connection):
    def publish(*bodies, queue="a", **options):
        Queue(queue)(connection.default_channel).declare()
        for body in bodies:
            connection.Producer().publish(body, routing_key=queue, **options)

    return publish


@pytest.fixture
def receive(connection: Connection):
    """Receive `count` messages on a channel, without acknowledging them."""

    def drain(count, channel=None, queue="a"):
        got = []
        with connection.Consumer([Queue(queue)], channel=channel, callbacks=[lambda _, message: got.append(message)]):
            while len(got) < count:
                connection.drain_events(timeout=5)
        return got

    return drain


def size(connection, queue="a"):
    return connection.default_channel._size(queue)


def payloads(messages):
    return [message.payload for message in messages]


def test_what_is_published_is_received_and_gone_when_acknowledged(connection, put, receive):
    put({"text": "año €", "n": 1}, headers={"h": "x"})
    [message] = receive(1)
    assert (message.payload, message.headers["h"]) == ({"text": "año €", "n": 1}, "x")
    assert message.delivery_info["routing_key"] == "a"
    message.ack()
    with connection.clone() as other:
        assert other.default_channel.basic_get("a") is None


def test_first_in_first_out(put, receive):
    put(*range(20))
    assert payloads(receive(20)) == list(range(20))


def test_messages_wait_for_a_connection(broker, put, receive):
    put(1)
    with broker.connect() as other:
        assert other.default_channel.basic_get("a", no_ack=True).payload == 1


def test_rejected_is_gone(connection, put):
    put(1)
    connection.default_channel.basic_get("a").reject()
    assert connection.default_channel.basic_get("a") is None


def test_requeued_comes_again_marked(connection, put):
    put(1)
    first = connection.default_channel.basic_get("a")
    assert not first.delivery_info.get("redelivered")
    first.requeue()
    again = connection.default_channel.basic_get("a")
    assert again.payload == 1
    assert again.delivery_info.get("redelivered") or again._raw.get("redelivered")


def test_requeued_keeps_its_place(broker, connection, put):
    broker.needs("keeps_place")
    put(1, 2)
    connection.default_channel.basic_get("a").requeue()
    assert connection.default_channel.basic_get("a").payload == 1


def test_size_purge_and_passive_declaration(connection, put):
    put(1, 2, 3)
    channel = connection.default_channel
    assert channel.queue_declare("a", passive=True).message_count == 3
    assert channel.queue_purge("a") == 3
    assert size(connection) == 0
    with pytest.raises(connection.channel_errors):
        channel.queue_declare("never-declared", passive=True)


def test_prefetch_count_limits_what_is_unacknowledged(connection, put):
    put(*range(5))
    got = []
    channel = connection.channel()
    channel.basic_qos(0, 2, False)
    with connection.Consumer([Queue("a")], channel=channel, callbacks=[lambda _, message: got.append(message)]):
        for _ in range(2):
            connection.drain_events(timeout=5)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0.05)
        got[0].ack()
        connection.drain_events(timeout=5)
    assert payloads(got) == [0, 1, 2]


def test_closing_a_channel_gives_back_what_it_prefetched(broker, connection, put, receive):
    broker.needs("gives_back")
    put(1, 2, 3)
    channel = connection.channel()
    receive(2, channel)[0].ack()
    channel.close()
    until(lambda: size(connection) == 2)
    assert sorted(payloads(receive(2))) == [2, 3]


def test_fanout_reaches_every_queue(connection, receive):
    everyone = Exchange("everyone", "fanout")
    got = []
    queues = [Queue(name, everyone, auto_delete=True) for name in "ab"]
    with connection.Consumer(queues, callbacks=[lambda body, _: got.append(body)], no_ack=True):
        while len(got) < 2:  # kombu's Redis subscribes while it drains, so its first copies may be lost
            connection.Producer(exchange=everyone).publish("hello")
            with contextlib.suppress(TimeoutError):
                for _ in queues:
                    connection.drain_events(timeout=0.2)
    assert set(got) == {"hello"}


def test_topics_reach_the_queues_that_match(connection):
    topics = Exchange("topics", "topic")
    for name, key in (("a", "order.*"), ("b", "order.#")):
        Queue(name, topics, key)(connection.default_channel).declare()
    for key in ("order.paid", "order.paid.late", "other"):
        connection.Producer(exchange=topics).publish(key, routing_key=key)
    assert [size(connection, name) for name in "ab"] == [1, 2]


def test_nine_is_most_urgent(broker, put, receive):
    broker.needs("nine_first")
    for position, priority in enumerate([0, 9, 5, 9, 0]):
        put(position, priority=priority)
    assert payloads(receive(5)) == [1, 3, 2, 0, 4]


def test_expired_messages_are_not_delivered(broker, connection, put):
    broker.needs("expires")
    put("old", expiration=-1)
    put("new", expiration=60)
    assert size(connection) == 1
    assert connection.default_channel.basic_get("a").payload == "new"


def test_an_auto_delete_queue_goes_with_its_consumer(broker, connection):
    with connection.Consumer([Queue("b", auto_delete=True)]):
        connection.Producer().publish(1, routing_key="b")
    if broker.name == "sqlite":
        assert not connection.default_channel._has_queue("b")
