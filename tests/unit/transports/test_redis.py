"""The parts of the Redis transport that need no server, and the registration."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace

import pytest
import redis
from kombu import Connection
from kombu.asynchronous import Hub
from kombu.transport import TRANSPORT_ALIASES, resolve_transport

from faena import transports
from faena.transports._redis_channel import Channel
from faena.transports._redis_consumer import _parse
from faena.transports._redis_keys import Keys
from faena.transports._redis_link import Bell, Link
from faena.transports._redis_messages import PublishBatch, dumps, loads
from faena.transports._redis_qos import RESERVE_AT_ONCE, QoS
from tests.support import places


@pytest.fixture
def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sentinel"])
def test_registration_replaces_kombus_schemes(monkeypatch, scheme):
    monkeypatch.setitem(TRANSPORT_ALIASES, scheme, "kombu.transport.redis:Transport")
    transports.register()
    assert resolve_transport(scheme).__module__ == "faena.transports.redis"


def test_no_redis_is_an_error_at_once(closed_port):
    transports.register()
    with Connection(f"redis://127.0.0.1:{closed_port}") as connection, pytest.raises(connection.connection_errors):
        connection.connect()


def test_a_key_error_in_a_callback_is_not_taken_for_a_lost_connection():
    transports.register()
    assert KeyError not in Connection("redis://").transport.connection_errors


def test_an_event_loop_outlives_a_connection_that_was_closed(tmp_path):
    transports.register()
    server = places.Redis(tmp_path).start()
    hub = Hub()
    try:
        with Connection(server.url) as connection:
            connection.default_channel.queue_declare("a")
            connection.register_with_event_loop(hub)
        for tick in list(hub.on_tick):  # kombu never takes them out
            tick()
    finally:
        hub.close()
        server.kill()


def test_keys_have_the_global_prefix():
    channel = SimpleNamespace(global_keyprefix="shop:", unacked_key="unacked", unacked_index_key="unacked_index")
    keys = Keys(channel)
    assert keys.settling("c1") == ["shop:unacked", "shop:unacked_index", "shop:_faena.held.c1"]


def test_an_identity_that_is_none_is_nobody():
    assert _parse("") is None
    assert _parse("host|x|y") is None
    assert _parse("ho|st|1|2.5") == ("ho|st", 1, 2.5)


def test_what_is_no_message_is_none_and_said(caplog):
    assert loads("a", b"", b"{broken") is None
    assert "_faena.unreadable" in caplog.text


def test_a_message_goes_in_and_comes_out():
    message = {"body": "año", "headers": {"n": 1.5, "none": None}, "properties": {"delivery_tag": "old"}}
    assert loads("a", b"new", dumps(message).encode())["properties"]["delivery_tag"] == "new"


def test_a_bell_rings_from_another_thread_and_is_answered_once():
    bell = Bell()
    threading.Thread(target=bell.ring).start()
    assert bell._out.fileno() == bell.fileno()
    bell._out.settimeout(5)
    assert bell._out.recv(1)
    bell._out.setblocking(False)
    bell.ring()
    bell.answer()
    with pytest.raises(BlockingIOError):
        bell._out.recv(1)
    bell.close()
    bell.ring()  # nobody listens any more


def test_a_link_without_server_raises_and_tries_again(closed_port):
    link = Link(redis.ConnectionPool(port=closed_port))
    for _ in range(2):
        with pytest.raises(redis.ConnectionError):
            link.call("PING")
        assert not link.is_open


def test_batched_messages_for_one_list_are_one_command():
    sent = []
    channel = SimpleNamespace(link=SimpleNamespace(pipeline=sent.append))
    batch = PublishBatch(channel, max_size=10)
    for number in range(3):
        batch.add([["LPUSH", "a", str(number)]])
    batch.add([["LPUSH", "b", "3"]])
    batch.flush()
    assert sent == [[["LPUSH", "a", "0", "1", "2"], ["LPUSH", "b", "3"]]]
    batch.add([["LPUSH", "a", "4"]])
    batch.discard()
    batch.flush()
    assert len(sent) == 1


def test_a_batch_is_sent_when_it_is_full():
    sent = []
    channel = SimpleNamespace(link=SimpleNamespace(pipeline=sent.append))
    channel.basic_publish = lambda message, *_, _publish_batch: _publish_batch.add([["LPUSH", "a", message]])
    batch = PublishBatch(channel, max_size=2)
    for number in range(5):
        batch.publish(str(number))
    assert sent == [[["LPUSH", "a", "0", "1"]], [["LPUSH", "a", "2", "3"]]]


def test_room_is_what_prefetch_leaves():
    qos = QoS(SimpleNamespace(do_restore=False))
    assert qos.room() == RESERVE_AT_ONCE
    qos.prefetch_count = 3
    qos._delivered.update(a=1, b=2)
    assert qos.room() == 1
    qos._dirty.add("a")
    assert qos.room() == 2
    qos.can_consume = lambda: True  # Celery's worker_disable_prefetch
    assert qos.room() == 1
    qos.can_consume = lambda: False
    assert qos.room() == 0


@pytest.mark.parametrize(("highest_first", "steps"), [(True, [9, 6, 3, 0]), (False, [0, 3, 6, 9])])
def test_the_order_of_priorities_can_be_chosen(highest_first, steps):
    channel = SimpleNamespace(priority_steps=[0, 3, 6, 9], highest_first=highest_first)
    assert vars(Channel)["_steps"].func(channel) == steps
