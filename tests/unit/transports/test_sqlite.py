"""The transport: URLs, registration, draining, errors."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kombu import Connection, Queue
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from faena.transports import register
from faena.transports.sqlite import Transport, broker_path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///var/b.sqlite3", Path.cwd() / "var/b.sqlite3"),
        ("sqlite:////srv/b.sqlite3", Path("/srv/b.sqlite3")),
        ("sqlite:///C:/data/b.sqlite3", Path.cwd() / "C:/data/b.sqlite3"),  # absolute on Windows
        ("sqlite:///with%20space.db", Path.cwd() / "with space.db"),
        ("sqlite://localhost//srv/b.sqlite3", Path("/srv/b.sqlite3")),
        ("sqlite:///~/b.sqlite3", Path.home() / "b.sqlite3"),
    ],
)
def test_a_url_names_a_file(url, expected):
    assert broker_path(url, None) == expected


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://var/b.sqlite3"])
def test_a_url_without_a_file_is_refused_with_examples(url):
    with pytest.raises(ValueError, match="sqlite:////absolute/path"):
        broker_path(url, None)


def test_a_virtual_host_names_a_file_too(path):
    with Connection(transport="sqlite", virtual_host=str(path)) as connection:
        connection.connect()
    assert path.exists()


def test_registering_twice_changes_nothing():
    register()
    register()
    assert TRANSPORT_ALIASES["sqlite"] == "faena.transports.sqlite:Transport"
    assert Connection("sqlite:///x").get_transport_cls() is Transport


def test_it_needs_neither_django_nor_celery():
    code = "import sys; sys.modules.update(django=None, celery=None); import faena.transports.sqlite"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_uri_reads_back(path):
    connection = Connection(f"sqlite:///{path}")
    assert connection.as_uri() == f"sqlite:///{path}"
    assert connection.clone().transport.path == path


def test_the_folder_is_made(tmp_path):
    with Connection(f"sqlite:///{tmp_path}/a/b/c.sqlite3") as connection:
        connection.connect()
    assert (tmp_path / "a/b/c.sqlite3").exists()


def test_an_unusable_file_is_a_kombu_error(tmp_path):
    (tmp_path / "b.sqlite3").write_text("Dear diary, " * 100)
    with pytest.raises(OperationalError, match=r"file is not a database.*move the file"):
        Connection(f"sqlite:///{tmp_path}/b.sqlite3").ensure_connection(max_retries=1, interval_start=0)


def test_draining_times_out(connection):
    with connection.Consumer([Queue("a")]), pytest.raises(TimeoutError):
        connection.drain_events(timeout=0)


@pytest.mark.parametrize("sockets", [True, False])
def test_draining_wakes_up_when_another_connection_publishes(connection, path, sockets, monkeypatch):
    if not sockets:
        monkeypatch.setattr("faena.transports._wakeup.LOOPBACK", "256.0.0.1")
    got = []
    with connection.Consumer([Queue("a")], callbacks=[lambda body, message: got.append(body)], no_ack=True):
        assert (connection.transport.store.wakeup.port is not None) is sockets

        def publish():
            with Connection(f"sqlite:///{path}") as other:
                other.Producer().publish("hello", routing_key="a")

        threading.Thread(target=publish).start()
        connection.drain_events(timeout=10)
    assert got == ["hello"]


def test_an_ack_on_another_thread_makes_room_at_once(connection):
    channel = connection.channel()
    channel.basic_qos(0, 1, False)
    messages = []
    for number in range(2):
        connection.Producer().publish(number, routing_key="a")
    with connection.Consumer([Queue("a")], channel=channel, callbacks=[lambda body, message: messages.append(message)]):
        connection.drain_events(timeout=5)
        with pytest.raises(TimeoutError):
            connection.drain_events(timeout=0)
        threading.Thread(target=messages[0].ack).start()
        connection.drain_events(timeout=5)
    assert [message.payload for message in messages] == [0, 1]


def test_a_deleted_file_is_noticed_and_publishing_goes_on_in_a_new_one(connection, path):
    producer = connection.Producer()
    producer.publish("old", routing_key="a", retry=True)
    for companion in path.parent.iterdir():
        companion.unlink()
    connection.transport.store.file._checked = 0
    producer.publish("new", routing_key="a", retry=True, retry_policy={"max_retries": 3})
    with Connection(f"sqlite:///{path}") as other:
        assert other.default_channel.basic_get("a", no_ack=True).payload == "new"


def test_a_consumer_of_a_deleted_file_is_told(connection, path):
    with connection.Consumer([Queue("a")]):
        path.unlink()
        connection.transport.store.file._checked = 0
        with pytest.raises(connection.connection_errors, match=r"deleted or replaced.*Connect again"):
            connection.drain_events(timeout=5)
