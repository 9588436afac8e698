"""A consumer of queue ``a`` in its own process.

``consumer.py URL hold N``: receive N messages, print them, acknowledge none, wait for the end of stdin.
``consumer.py URL work N``: publish N messages to ``b``, then print and acknowledge what is in ``a`` until idle.
"""

from __future__ import annotations

import sys
from queue import Empty

from kombu import Connection, Queue

from tests.conformance.schemes import register


def hold(connection: Connection, count: int) -> None:
    got: list[object] = []
    with connection.Consumer([Queue("a")], callbacks=[lambda body, _: got.append(body)], prefetch_count=count):
        while len(got) < count:
            connection.drain_events(timeout=30)
        print(*got, flush=True)
        sys.stdin.read()


def work(connection: Connection, count: int) -> None:
    for number in range(count):
        connection.Producer().publish(number, routing_key="b")

    def receive(body: object, message: object) -> None:
        print(body, flush=True)
        message.ack()  # type: ignore[attr-defined]

    with connection.Consumer([Queue("a")], callbacks=[receive], prefetch_count=4):
        try:
            while True:
                connection.drain_events(timeout=1)
        except (TimeoutError, Empty):
            return


if __name__ == "__main__":
    register()
    url, act, number = sys.argv[1:]
    with Connection(url) as opened:
        {"hold": hold, "work": work}[act](opened, int(number))
