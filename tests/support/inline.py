"""Be the worker: take the messages that Celery really sent, and run them through Celery's own tracer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kombu import Message

from faena.celery import holding
from faena.ledger import sql
from faena.ledger.enqueue import NOT_YET
from faena.testing import trace
from faena_server import app

QUEUES = ("celery",)


def messages(queue: str = "celery") -> Iterator[Message]:
    """Take the messages out of the queue, one after the other."""
    with app.connection_for_read() as connection:
        channel = connection.default_channel
        channel.queue_declare(queue, durable=True, auto_delete=False)
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            yield connection.Consumer([], accept=["json"]).channel.message_to_python(message)


def sent(queue: str = "celery") -> list[Message]:
    """All messages of the queue, taken out."""
    return list(messages(queue))


def ids(found: list[Message]) -> list[str]:
    """The task ids of these messages."""
    return [each.headers["id"] for each in found]


def perform(message: Message) -> Any:
    """Run one message as a worker's pool process would; Celery's (retval, info, runtime, repr)."""
    holding.be_worker("inline@tests/1")
    return trace(
        app,
        message.headers,
        message.payload,
        delivery_info=message.delivery_info | {"priority": message.properties.get("priority")},
        reply_to=message.properties.get("reply_to"),
        correlation_id=message.properties.get("correlation_id"),
    )


def drain(queue: str = "celery", most: int = 1000) -> int:
    """Run messages, and those that they send, until the queue is empty; how many there were."""
    for count in range(most):
        message = next(messages(queue), None)
        if message is None:
            return count
        perform(message)
    raise AssertionError(f"{most} messages and no end")


def make_due() -> None:
    """Let the time pass that delayed jobs wait for, and send them."""
    from faena.duties.relay import relay_once

    sql.execute(
        f"UPDATE faena_job SET run_at = {sql.now()} WHERE state = 'pending' AND run_at > {sql.now()} AND run_at < %s",
        [sql.moment(NOT_YET)],
    )
    relay_once()
