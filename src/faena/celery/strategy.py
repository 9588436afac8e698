"""How a worker takes a task out of its message: Celery's way, and a shorter one where nothing special is asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery import Celery, Task, signals
from celery.app.task import Context
from celery.utils.imports import symbol_by_name
from celery.worker import strategy
from celery.worker.request import create_request_cls
from celery.worker.state import task_reserved

from faena.transports import settles_anywhere

#: Headers that Celery itself reads. Where there are others, Celery collects them for `request.headers`.
_CELERYS = frozenset(Context.__dict__) | {"lang", "task", "argsrepr", "kwargsrepr", "compression"}


def default(task: Task, app: Celery, consumer: Any) -> Callable:
    """Celery's default strategy, which leaves messages that ask for nothing special to `short`.

    What is special: an ETA, an expiry, stamps, a rate limit, a revoke, task events, a log that wants each task, and
    messages of Celery's first protocol. What `short` saves is decoding the body twice, searching each message for
    headers of the sender's own, and an event loop's turn between a task and its acknowledgement.
    """
    celerys = strategy.default(task, app, consumer)
    if strategy.logger.isEnabledFor(logging.INFO):
        return celerys
    make_request = _request_maker(task, app, consumer)
    eventer, revoked = consumer.event_dispatcher, consumer.controller.state.revoked
    bucket_of = (lambda _: None) if consumer.disable_rate_limits else consumer.task_buckets.__getitem__
    name, received = task.name, signals.task_received

    def is_special(headers: dict[str, Any]) -> Any:
        return (
            headers.get("eta") is not None
            or headers.get("expires") is not None
            or headers.get("stamped_headers")
            or headers["id"] in revoked
            or bucket_of(name)
            or (eventer and eventer.enabled and not (eventer.groups and "task" not in eventer.groups))
        )

    def short(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> Any:
        if body is not None or is_special(message.headers) or type(message.payload) is not list:
            return celerys(message, body, ack, reject, callbacks)
        # After a reconnect Celery may hang the return to the full prefetch count on its own way to acknowledge.
        if not consumer.restart_count and settles_anywhere(message.channel):
            ack, reject = message.ack_log_error, message.reject_log_error
        request = make_request(message, ack, reject)
        received.send(sender=consumer, request=request)
        task_reserved(request)
        for callback in callbacks:
            callback(request)
        consumer.on_task_request(request)
        return None

    return short


def _request_maker(task: Task, app: Celery, consumer: Any) -> Callable:
    base = symbol_by_name(task.Request)
    request_class = create_request_cls(base, task, consumer.pool, consumer.hostname, consumer.event_dispatcher, app=app)
    constant = {
        "app": app,
        "hostname": consumer.hostname,
        "eventer": consumer.event_dispatcher,
        "task": task,
        "connection_errors": consumer.connection_errors,
        "utc": app.uses_utc_timezone(),
    }

    def make(message: Any, ack: Any, reject: Any) -> Any:
        headers = message.headers
        request = request_class(
            message, on_ack=ack, on_reject=reject, body=message.payload, headers=headers, decoded=True, **constant
        )
        if headers.keys() <= _CELERYS:
            request.request_dict["headers"] = {}
        return request

    return make
