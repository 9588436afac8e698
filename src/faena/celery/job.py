"""`@job`: declare a job. An ordinary Celery task whose body gets a `Run` as its first argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from celery import Task, shared_task
from celery.utils.functional import head_from_fun
from uuid6 import uuid7

from faena.celery.declaration import check_template, signature_without_run
from faena.celery.reaching import reach
from faena.errors import ConfigurationError, Invalid, LeaseLost, PermanentFailure
from faena.ledger.limits import Rate

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Backoff = Literal["exponential", "fixed"]


def job(
    body: Callable | None = None,
    *,
    name: str | None = None,
    queue: str | None = None,
    priority: int | None = None,
    attempts: int = 1,
    backoff: Backoff = "exponential",
    backoff_seconds: int = 5,
    backoff_max_seconds: int = 3600,
    timeout: str | int | None = None,
    unique: str | None = None,
    limit: int | None = None,
    limit_key: str | None = None,
    rate: str | None = None,
    max_crashes: int = 5,
    title: str = "",
    **celery_options: Any,
) -> Any:
    """Declare a job.

    Args:
        attempts: how often the body may fail before the job does.
        backoff: the pause before the next attempt: doubled each time with jitter, or always the same.
        timeout: seconds, or "90s", "20m", "2h": the body then gets SoftTimeLimitExceeded and, 30 s later, is killed.
        unique: a template over the arguments; while such a job is live, enqueueing again returns the live one.
        limit: at most this many run at once, across all workers; per value of `limit_key` if it is given.
        limit_key: a template over the arguments; `limit` and `rate` count per value of it instead of per kind.
        rate: "60/m", "20/5m", "10/s": at most so many starts, first ones, retries and others alike, in any window
            of that length, across all workers; at most 1000.
        title: a template over the arguments, for people.
        celery_options: whatever Celery's `shared_task` takes.

    Raises:
        ConfigurationError: a value makes no sense.
    """

    def declare(function: Callable) -> Task:
        owner = function.__qualname__
        if limit_key is not None and limit is None and rate is None:
            raise ConfigurationError(f"{owner}: limit_key needs limit, the number allowed at once, or rate.")
        for word, value in {"limit": limit, "attempts": attempts, "max_crashes": max_crashes}.items():
            if value is not None and value < 1:
                raise ConfigurationError(f"{owner}: {word}={value} would never run; the least is 1.")
        signature = signature_without_run(function)
        for template in filter(None, (title, unique, limit_key)):
            check_template(template, signature, owner)
        options: dict[str, Any] = {
            "faena_options": {
                "title": title,
                "unique": unique,
                "limit": limit,
                "limit_key": limit_key,
                "rate": None if rate is None else str(Rate.parse(rate)),
                "max_crashes": max_crashes,
                "signature": signature,
            },
            # Callers pass the arguments after `run`; Celery checks them against this.
            "__header__": staticmethod(head_from_fun(function, bound=True)),
            "max_retries": attempts - 1,
            **_retrying(attempts, backoff, backoff_seconds, backoff_max_seconds),
            **_time_limits(timeout),
        }
        optional = {"name": name, "queue": queue, "priority": priority}
        options |= {key: value for key, value in optional.items() if value is not None}
        return shared_task(**(options | celery_options))(function)

    return declare if body is None else declare(body)


def enqueue_many(task: Task, calls: Iterable[Sequence[Any] | Mapping[str, Any]]) -> list[UUID]:
    """Enqueue one job per call, in few INSERTs and in one go to the broker; with `faena=False`, only the latter.

    Args:
        calls: a sequence of positional arguments, or a mapping of keyword arguments, per job.

    Returns:
        The ids, in the order of the calls.
    """
    from faena.celery.bulk import enqueue_calls

    chosen = [(uuid7(), *_split(call)) for call in calls]
    return reach(lambda: enqueue_calls(task, chosen))


def _split(call: Sequence[Any] | Mapping[str, Any]) -> tuple[tuple, dict]:
    return ((), dict(call)) if isinstance(call, Mapping) else (tuple(call), {})


def _retrying(attempts: int, backoff: Backoff, seconds: int, most: int) -> dict[str, Any]:
    if attempts <= 1:
        return {}
    options: dict[str, Any] = {
        "autoretry_for": (Exception,),
        "dont_autoretry_for": (Invalid, PermanentFailure, LeaseLost),
    }
    if backoff == "exponential":
        return options | {"retry_backoff": seconds, "retry_backoff_max": most, "retry_jitter": True}
    return options | {"default_retry_delay": seconds}


def _time_limits(timeout: str | int | None) -> dict[str, int]:
    if timeout is None:
        return {}
    seconds = timeout if isinstance(timeout, int) else _seconds(timeout)
    return {"soft_time_limit": seconds, "time_limit": seconds + 30}


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)\s*([smhd])", text.strip())
    if not found:
        raise ConfigurationError(f"timeout={text!r}: write seconds, or a number with s, m, h or d, such as '20m'.")
    return int(found[1]) * _UNITS[found[2]]
