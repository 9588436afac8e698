"""What several processes may rely on, and what the death of one costs."""

from __future__ import annotations

import signal

from kombu import Queue

from tests.support.stopping import are_stopped_without_a_lock

from .conftest import until


def publish(connection, *bodies):
    Queue("a")(connection.default_channel).declare()
    producer = connection.Producer()
    with producer.batch():
        for body in bodies:
            producer.publish(body, routing_key="a")


def size(connection, queue="a"):
    return connection.default_channel._size(queue)


def test_a_killed_consumers_messages_come_back_marked(broker, connection, start_consumer):
    broker.needs("recovers")
    publish(connection, 1, 2, 3)
    victim = start_consumer("hold", 2)
    assert victim.stdout.readline() == "1 2\n"
    assert (size(connection), connection.default_channel.depth("a")) == (1, 3)
    heir = start_consumer("hold", 3)
    victim.send_signal(signal.SIGKILL)
    assert sorted(heir.stdout.readline().split()) == ["1", "2", "3"]
    heir.communicate()
    messages = [connection.default_channel.basic_get("a") for _ in range(3)]
    assert all(message.delivery_info["redelivered"] for message in messages)


def test_a_stopped_process_keeps_its_messages(broker, connection, start_consumer):
    broker.needs("recovers")
    publish(connection, 1)
    busy = start_consumer("hold", 1)
    assert busy.stdout.readline() == "1\n"
    files = [channel.store.file.path] if hasattr(channel := connection.default_channel, "store") else []
    until(lambda: are_stopped_without_a_lock([busy.pid], files))
    for _ in range(3):
        _beat(connection.default_channel)
    assert connection.default_channel.depth("a") - size(connection) == 1
    busy.send_signal(signal.SIGCONT)


def _beat(channel):
    if hasattr(channel, "store"):
        channel.store.register()
        channel.store.beat()
    else:
        channel.connection.consumer.start()
        channel.connection.consumer.beat()


def test_a_consumer_that_closes_gives_back_what_it_prefetched(broker, connection, start_consumer):
    broker.needs("shared")
    publish(connection, 1, 2)
    consumer = start_consumer("hold", 2)
    assert consumer.stdout.readline() == "1 2\n"
    consumer.communicate()
    until(lambda: size(connection) == 2)


def test_eight_processes_start_at_once_and_share_the_work(broker, start_consumer):
    broker.needs("shared")
    processes = [start_consumer("work", 25) for _ in range(8)]
    with broker.connect() as connection:
        publish(connection, *range(200))
        outputs = [process.communicate(timeout=60)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * 8
        received = sorted(int(line) for output in outputs for line in output.split())
        assert received == list(range(200))
        assert size(connection, "b") == 200
