"""Plain Celery: its own Redis transport, or Faena's with BENCH_TRANSPORT=faena; nothing else differs."""

from __future__ import annotations

import json
import os
import time

from benchmarks.peers import counting
from celery import Celery
from kombu.utils.uuid import uuid

if os.environ.get("BENCH_TRANSPORT") == "faena":
    from faena.transports import register

    register()

app = Celery("plain", broker=os.environ.get("BENCH_BROKER", f"{counting.URL}/0"))
app.conf.update(
    task_ignore_result=True,
    # Celery's guide for many short tasks: "64 or 128".
    worker_prefetch_multiplier=int(os.environ.get("BENCH_PREFETCH", "64")),
    broker_connection_retry_on_startup=True,
)
app.conf.update(json.loads(os.environ.get("BENCH_SETTINGS", "{}")))


@app.task
def noop() -> None:
    counting.count()


@app.task
def idle(number: int) -> None:
    """Do nothing."""


@app.task
def note(sent: float) -> None:
    counting.note(sent)


@app.task
def slow(job: int) -> None:
    counting.sleep(job)


def send_slow(count: int) -> None:
    for number in range(count):
        slow.delay(number)


def kept() -> int:
    """Messages that the broker still has, waiting or for workers that took them."""
    with app.connection_for_read() as connection:
        client = connection.default_channel.client
        return int(client.llen("celery") + client.hlen("unacked"))


def send(count: int) -> None:
    """Publish in batches: how the messages got there is not what is measured."""
    with app.producer_pool.acquire(block=True) as producer, producer.batch():
        for _ in range(count):
            noop.apply_async(producer=producer, retry=False)


def send_idle(count: int) -> None:
    """Publish tasks that do nothing, in batches."""
    with app.producer_pool.acquire(block=True) as producer, producer.batch():
        for number in range(count):
            idle.apply_async((number,), producer=producer, retry=False)


def send_spaced(count: int) -> None:
    """Send one task every 20 ms, over a connection that stands."""
    idle.delay(0)
    for _ in range(count):
        note.delay(time.time())
        time.sleep(0.02)


def publish_rate(count: int) -> float:
    """Messages a second, one `delay` after the other."""
    noop.delay()
    started = time.perf_counter()
    for _ in range(count):
        noop.delay()
    return count / (time.perf_counter() - started)


def bulk_publish_rate(count: int) -> float:
    """Messages a second, complete Celery messages, in batches of kombu's own making."""
    with app.producer_pool.acquire(block=True) as producer:
        producer.publish("", routing_key="warm-up")
        started = time.perf_counter()
        with producer.batch():
            for _ in range(count):
                built = app.amqp.as_task_v2(uuid(), noop.name)
                producer.publish(
                    built.body, routing_key="celery", serializer="json", headers=built.headers, **built.properties
                )
        return count / (time.perf_counter() - started)
