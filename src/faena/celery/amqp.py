"""Enqueue: every message that Celery sends passes here, and becomes a row first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any
from uuid import UUID

from amqp.exceptions import ChannelError
from celery import Celery, Task
from celery.app.amqp import AMQP
from django.db import transaction
from kombu import Connection
from kombu.exceptions import ContentDisallowed, EncodeError, SerializerNotInstalled
from kombu.utils.objects import cached_property

from faena import conf
from faena.celery import declaration, message
from faena.celery.holding import current_hold
from faena.celery.loading import load
from faena.celery.reaching import reach
from faena.errors import AlreadyLive, ConfigurationError
from faena.ledger import doorbell, endings, enqueue, reuse, settle, sql
from faena.ledger.settle import Error
from faena.states import State

logger = logging.getLogger(__name__)

#: Errors that are the row's fault, not the broker's.
_NO_MESSAGE = (EncodeError, SerializerNotInstalled, ContentDisallowed, LookupError, TypeError, ValueError)


class LedgerAMQP(AMQP):
    """Celery's AMQP (an app's `amqp_cls`) that records jobs before they are sent."""

    @cached_property
    def plain_sender(self) -> Callable:
        """Celery's own sender, which only publishes."""
        return self._create_task_sender()

    @cached_property
    def send_task_message(self) -> Callable:
        """What Celery calls to send one task; the same arguments as Celery's own."""
        return self._reach_and_send

    def is_recorded(self, kind: str) -> bool:
        """Whether jobs of this task have rows: all but those that opt out."""
        known = self._recorded.get(kind)
        if known is None:
            known = getattr(self._task(kind), "faena", True) and not any(
                fnmatch(kind, pattern) for pattern in conf.get().UNRECORDED
            )
            self._recorded[kind] = known
        return known

    def declaration_of(self, kind: str) -> declaration.Declaration:
        """What the task's declaration says, read once."""
        if kind not in self._declarations:
            self._declarations[kind] = declaration.read(self._task(kind), kind)
        return self._declarations[kind]

    def _task(self, kind: str) -> Task | None:
        """The task of that name, its module imported if this process has not done so yet."""
        if kind not in self.app.tasks:
            load(self.app)
        return self.app.tasks.get(kind)

    @cached_property
    def _recorded(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _declarations(self) -> dict[str, declaration.Declaration]:
        return {}

    def _reach_and_send(self, *args: Any, **options: Any) -> Any:
        return reach(lambda: self._record_and_send(*args, **options))

    def _record_and_send(self, producer: Any, name: str, task_message: Any, **options: Any) -> Any:
        if not self.is_recorded(name):
            _refuse_as_part(name, task_message)
            return self.plain_sender(producer, name, task_message, **options)
        # The broker's own time to live would drop a message while its row waits; the header `expires` stays.
        options.pop("expiration", None)
        queue = options.get("queue") or options.get("routing_key") or self.app.conf.task_default_queue
        queue_name = getattr(queue, "name", queue)
        job = message.new_job(name, task_message, options, queue_name, self.declaration_of(name))
        hold = current_hold()
        if hold is not None and hold.job_id == job.id:
            # `self.retry()` and `self.replace()` send the running job itself: its settlement carries it.
            hold.again = job
        elif hold is not None and hold.body_ended and not hold.settled:
            hold.follow_ups.append(job)
        else:
            self._insert_and_ring(job, name, task_message, options)
        return None

    def _insert_and_ring(self, job: enqueue.NewJob, name: str, task_message: Any, options: dict) -> None:
        try:
            _insert(job)
        except AlreadyLive:
            embed = task_message[2][2]
            if not any(embed.get(part) for part in ("chain", "chord", "callbacks")):
                raise
            # What follows from this very job would never run: beside the live one rather than that.
            job.unique_key = None
            _insert(job)
        if job.is_due:
            doorbell.ring_on_commit([job.id], lambda: self._publish(name, task_message, options, job.fence))

    def _publish(self, name: str, task_message: Any, options: dict[str, Any], fence: int) -> None:
        # The ETA has passed or there was none: a worker must not wait for it in its memory.
        task_message[0].update({"eta": None, message.HAS_ROW: fence + 1})
        with producer_of(self.app) as producer:
            self.plain_sender(producer, name, task_message, **(options | {"retry": False}))


def _insert(job: enqueue.NewJob) -> None:
    hold = current_hold()
    # A body that runs again after a crash sends the same ids again; who sends one that is older means a new job.
    sender = None if hold is None or hold.settled else hold.job_id
    if not enqueue.insert([job]) and reuse.make_room(job.id, older_than=sender):
        enqueue.insert([job])


def _refuse_as_part(name: str, task_message: Any) -> None:
    embed = task_message[2][2]
    if embed.get("chord"):
        raise ConfigurationError(
            f"{name} cannot be a part of a chord: it is not recorded (faena=False, or a pattern in UNRECORDED), so "
            "nothing keeps the result that the chord's body waits for. Record it."
        )


class CeleryBroker:
    """The ledger's doorbell: makes messages from rows and counts what the queues hold."""

    def __init__(self, app: Celery) -> None:
        self.app = app

    def publish(self, job_ids: Sequence[UUID]) -> None:
        """Send one message per row that still is pending.

        Raises:
            kombu's OperationalError and whatever else the transport raises.
        """
        columns = ("id", "kind", "queue", "args", "kwargs", "message", "attempt", "fence")
        found = sql.rows(
            f"SELECT {', '.join(columns)} FROM faena_job WHERE {sql.STATE} = 'pending' AND id IN {sql.holes(job_ids)}"
            " ORDER BY priority DESC, run_at, id",
            [sql.key(each) for each in job_ids],
        )
        with producer_of(self.app) as producer, producer.batch():
            for values in found:
                row = dict(zip(columns, values, strict=True))
                row["id"] = sql.uuid(row["id"])
                try:
                    self._publish_one(producer, row)
                except _NO_MESSAGE as error:
                    # A row that makes no message must not hold up the others for ever.
                    logger.error("Job %s cannot be sent: %s", row["id"], error)
                    with transaction.atomic():
                        if settle.end_unheld(row["id"], "", State.FAILED, Error(type(error).__name__, str(error))):
                            endings.owe(row["id"])

    def _publish_one(self, producer: Any, row: dict[str, Any]) -> None:
        built, delivery = message.celery_message(self.app, row)
        if "exchange" not in delivery:
            delivery["queue"] = row["queue"]
        self.app.amqp.plain_sender(producer, row["kind"], built, retry=False, **delivery)

    def depth(self, queue: str) -> int | None:
        """Messages in the queue that no worker has reserved.

        A busy worker may have reserved one that an idle worker could run; sent again, it runs there.
        """
        with self.app.connection_for_read() as connection:
            _connect(connection)
            channel = connection.default_channel
            try:
                return channel.queue_declare(queue, passive=True).message_count
            except (ChannelError, *connection.channel_errors):
                return 0  # the broker has never heard of it, or has forgotten it


@contextmanager
def producer_of(app: Celery) -> Iterator[Any]:
    """A producer whose connection stands; one that cannot be made is an error at once, not after seconds."""
    with app.producer_or_acquire() as producer:
        _connect(producer.connection)
        yield producer


def _connect(connection: Connection) -> None:
    """Try each of the broker's addresses once."""
    connection.ensure_connection(max_retries=max(0, len(connection.alt) - 1), interval_start=0)
