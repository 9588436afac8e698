"""The channel: publishing in bulk, routes, declarations, forks."""

from __future__ import annotations

import datetime
import multiprocessing
import threading

import pytest
from kombu import Exchange, Queue
from kombu.exceptions import ChannelError

from faena.transports._store import Outgoing


def bodies(channel, queue):
    found = []
    while message := channel.basic_get(queue, no_ack=True):
        found.append(message.payload)
    return found


def test_a_batch_is_one_transaction_and_none_of_it_shows_before(connection):
    channel = connection.default_channel
    producer = connection.Producer()
    with producer.batch():
        for number in range(999):
            producer.publish(number, routing_key="a")
        assert channel._size("a") == 0
    assert channel._size("a") == 999


def test_a_batch_that_fails_writes_nothing(connection):
    producer = connection.Producer()
    with pytest.raises(ZeroDivisionError), producer.batch():
        producer.publish(1, routing_key="a")
        raise ZeroDivisionError
    assert connection.default_channel._size("a") == 0


def test_publish_many_is_all_or_nothing(connection):
    channel = connection.default_channel
    good = channel.prepare_message('"x"', content_type="application/json", content_encoding="utf-8")
    channel.publish_many((dict(good, properties={"delivery_info": {}}), "", "a") for _ in range(3))
    assert bodies(channel, "a") == ["x"] * 3
    with pytest.raises(TypeError):
        channel.publish_many([(good, "", "a"), (None, "", "a")])
    assert channel._size("a") == 0


def test_bytes_dates_and_text_come_back_as_they_went(connection):
    producer, channel = connection.Producer(), connection.default_channel
    when = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    producer.publish(b"\x00\xff", routing_key="a", content_type="application/data", content_encoding="binary")
    producer.publish({"ñ": "€"}, routing_key="a", headers={"when": when})
    producer.publish("z" * 1000, routing_key="a", compression="zlib")
    raw, text, compressed = (channel.basic_get("a", no_ack=True) for _ in range(3))
    assert raw.body == b"\x00\xff"
    assert (text.payload, text.headers["when"]) == ({"ñ": "€"}, when)
    assert compressed.payload == "z" * 1000


def test_another_connection_routes_by_what_this_one_declared(connection):
    topic, fanout = Exchange("events", "topic"), Exchange("all", "fanout")
    for queue in (Queue("logs", topic, "log.#"), Queue("x", fanout), Queue("y", fanout)):
        queue(connection.default_channel).declare()
    with connection.clone() as other:
        channel = other.default_channel
        other.Producer().publish(1, exchange="events", routing_key="log.a.b")
        other.Producer().publish(2, exchange="events", routing_key="other")
        other.Producer().publish(3, exchange="all")
        assert [bodies(channel, queue) for queue in ("logs", "x", "y")] == [[1], [3], [3]]
        channel.queue_unbind("x", "all")
        other.Producer().publish(4, exchange="all")
        assert [bodies(channel, queue) for queue in ("x", "y")] == [[], [4]]


def test_passive_declaration_asks_only(connection):
    channel = connection.default_channel
    with pytest.raises(ChannelError, match="no queue 'a'"):
        channel.queue_declare("a", passive=True)
    channel.queue_declare("a")
    connection.Producer().publish(1, routing_key="a")
    assert tuple(channel.queue_declare("a", passive=True)) == ("a", 1, 0)


def test_deleting_spares_what_is_used_or_full(connection):
    channel = connection.default_channel
    connection.Producer().publish(1, routing_key="a")
    channel.queue_delete("a", if_empty=True)
    assert channel._has_queue("a")
    channel.queue_delete("a")
    assert not channel._has_queue("a")
    assert channel._size("a") == 0


def test_depth_counts_what_is_reserved_and_size_does_not(connection):
    channel = connection.default_channel
    for number in range(3):
        connection.Producer().publish(number, routing_key="a")
    channel.basic_get("a")
    assert (channel._size("a"), channel.depth("a")) == (2, 3)


def test_queues_of_one_channel_take_turns(connection):
    got = []
    for queue in "aaaabb":
        connection.Producer().publish(queue, routing_key=queue)
    with connection.Consumer(
        [Queue("a"), Queue("b")], callbacks=[lambda body, _: got.append(body)], no_ack=True, prefetch_count=2
    ):
        for _ in range(6):
            connection.drain_events(timeout=5)
    assert "".join(got) == "ababaa"


def test_a_priority_that_is_no_number_counts_as_none(connection):
    channel = connection.default_channel
    for priority in ("high", 99, -1, None):
        message = channel.prepare_message("1", properties={"priority": priority, "delivery_info": {}})
        channel.basic_publish(message, "", "a")
    assert [delivery.priority for delivery in channel.store.reserve(["a"], 9)] == [9, 0, 0, 0]


def _publish_in_a_child(connection, opened, go):
    inherited = connection.transport._store
    channel = connection.default_channel
    assert inherited.alien
    assert channel.store is not inherited
    opened.set()
    go.wait(10)
    connection.Producer().publish("from the child", routing_key="a")
    connection.close()


@pytest.fixture
def fork():
    return multiprocessing.get_context("fork")


def test_a_forked_child_opens_its_own_file_and_leaves_the_parents_messages(connection, fork):
    channel = connection.default_channel
    connection.Producer().publish("mine", routing_key="a")
    held = channel.basic_get("a")
    opened, go = fork.Event(), fork.Event()
    go.set()
    child = fork.Process(target=_publish_in_a_child, args=(connection, opened, go))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert channel.depth("a") == 2
    held.ack()
    assert bodies(channel, "a") == ["from the child"]


def _publish_and_exit(connection):
    connection.Producer().publish("x", routing_key="b")
    connection.close()


def test_forking_while_other_threads_write(connection, fork):
    connection.connect()
    stop = threading.Event()

    def write():
        while not stop.is_set():
            connection.default_channel.store.publish([Outgoing(["a"], 0, "x" * 5000)])

    writer = threading.Thread(target=write)
    writer.start()
    children = [fork.Process(target=_publish_and_exit, args=(connection,)) for _ in range(10)]
    for child in children:
        child.start()
    for child in children:
        child.join(20)
    stop.set()
    writer.join()
    assert [child.exitcode for child in children] == [0] * 10
    assert connection.default_channel._size("b") == 10
    assert connection.transport.store.file.read("PRAGMA integrity_check") == [("ok",)]
