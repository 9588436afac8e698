"""Enqueue many jobs of one task: a few INSERTs, then one go to the broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from celery import Task, signals
from celery.utils.saferepr import saferepr
from django.db import transaction

from faena.celery import message
from faena.celery.amqp import producer_of
from faena.errors import AlreadyLive
from faena.ledger import doorbell, enqueue
from faena.ledger.enqueue import NewJob

Call = tuple[UUID, Sequence[Any], dict[str, Any]]

#: Jobs per publish.
BATCH = 1_000
_FLAT = {bool, float, int, str, type(None)}
#: Options that say what the message is, not how it travels.
_IN_MESSAGE = {"expires", "ignore_result", "time_limit", "soft_time_limit"}


def enqueue_calls(task: Task, calls: Sequence[Call]) -> list[UUID]:
    """Write the rows, all or none, and send the messages on commit; the ids in the order of the calls.

    Of a task that is not recorded only the messages are sent, at once, as `delay` sends one.

    Raises:
        kombu's OperationalError: the broker did not take messages that have no row.
    """
    amqp = task.app.amqp
    if not calls:
        return []
    if not amqp.is_recorded(task.name):
        return _only_send(task, calls)
    declared = amqp.declaration_of(task.name)
    options = _options(task)
    queue = options.get("queue") or task.app.conf.task_default_queue
    family = _family(task)
    first = message.new_job(task.name, _built(task, calls[0], family), options, getattr(queue, "name", queue), declared)
    jobs = [first, *message.like(first, calls[1:], declared)]
    with transaction.atomic():
        if declared.unique is None:
            enqueue.insert(jobs)
            written = [job.id for job in jobs]
        else:
            # In the order of their keys: who enqueues the same ones in another would wait for us, and we for them.
            found = {job.id: _insert_or_find(job) for job in sorted(jobs, key=lambda each: each.unique_key or "")}
            written = [found[job.id] for job in jobs]
        for start in range(0, len(written), BATCH):
            part = slice(start, start + BATCH)
            publish = None
            if not (declared.unique or _is_watched(task)):
                publish = _publisher(task, options, calls[part], family, {message.HAS_ROW: 1})
            doorbell.ring_on_commit(written[part], publish)
    return written


def _only_send(task: Task, calls: Sequence[Call]) -> list[UUID]:
    if _is_watched(task):
        for job_id, args, kwargs in calls:
            task.apply_async(args, kwargs, task_id=str(job_id))
    else:
        _publisher(task, _options(task), calls, _family(task), {})()
    return [job_id for job_id, _, _ in calls]


def _options(task: Task) -> dict[str, Any]:
    # None would overrule what the route says.
    own = {name: value for name, value in task._get_exec_options().items() if value is not None}
    options = task.app.amqp.router.route(own, task.name, (), {}, task)
    return {name: value for name, value in options.items() if name not in _IN_MESSAGE}


def _family(task: Task) -> dict[str, str]:
    """root_id and parent_id, as Celery gives them to what a running body sends."""
    parent = task.app.current_worker_task
    if not parent:
        return {}
    return {"root_id": parent.request.root_id or parent.request.id, "parent_id": parent.request.id}


def _built(task: Task, call: Call, family: dict[str, str]) -> Any:
    job_id, args, kwargs = call
    return task.app.amqp.create_task_message(
        str(job_id),
        task.name,
        args,
        kwargs,
        **family,
        expires=task.expires,
        ignore_result=task.ignore_result,
        time_limit=task.time_limit,
        soft_time_limit=task.soft_time_limit,
    )


def _insert_or_find(job: NewJob) -> UUID:
    try:
        enqueue.insert([job])
    except AlreadyLive as live:
        return live.job_id
    return job.id


def _is_watched(task: Task) -> bool:
    """Whether somebody wants to hear of every single message."""
    listeners = (signals.before_task_publish, signals.after_task_publish, signals.task_sent)
    return task.app.conf.task_send_sent_event or any(signal.receivers for signal in listeners)


def _publisher(
    task: Task, options: dict[str, Any], calls: Sequence[Call], family: dict[str, str], own_headers: dict[str, Any]
) -> Callable[[], None]:
    """What sends the messages of these calls: Celery makes and addresses the first, the others are like it."""

    def publish() -> None:
        app, envelope = task.app, _Envelope()
        app.amqp.plain_sender(envelope, task.name, _built(task, calls[0], family), **(options | {"retry": False}))
        how = envelope.how
        levels = app.conf.task_repr_maxlevels
        with producer_of(app) as producer, producer.batch():
            for job_id, args, kwargs in calls:
                key = str(job_id)
                how["headers"] = how["headers"] | {
                    "id": key,
                    "root_id": family.get("root_id", key),
                    "argsrepr": _shown(args, app.amqp.argsrepr_maxsize, levels),
                    "kwargsrepr": _shown(kwargs, app.amqp.kwargsrepr_maxsize, levels),
                    **own_headers,
                }
                how["correlation_id"] = key
                producer.publish((args, kwargs, envelope.body[2]), **how)
                how["declare"] = None

    return publish


def _shown(values: Any, most: int, levels: int) -> str:
    """Celery's `saferepr`, which is slow, unless the plain one is as safe."""
    inner = values.values() if isinstance(values, dict) else values
    if all(type(value) in _FLAT for value in inner) and len(plain := repr(values)) <= most:
        return plain
    return saferepr(values, most, maxlevels=levels)


class _Envelope:
    """Takes a producer's place, and keeps what it would have sent and how."""

    body: Any
    how: dict[str, Any]

    def publish(self, body: Any, **how: Any) -> None:
        """Keep it."""
        self.body, self.how = body, how
