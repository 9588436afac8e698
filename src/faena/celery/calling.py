"""Create a job by the name of its task, checked before anything is written, for a person who is audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery import Celery, current_app
from celery.exceptions import QueueNotFound
from django.db import transaction
from uuid6 import uuid7

from faena import registry
from faena.celery import message
from faena.celery.again import check_arguments, refuse_own
from faena.celery.loading import need_app
from faena.errors import WrongArguments
from faena.ledger import hold
from faena.ledger.records import Actor, write_audit
from faena.masking import masked, masked_args


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call by name.

    Args:
        options: queue, priority, countdown, eta, expires, as `apply_async` takes them; unique, tags.
        auto_start: whether it begins by itself; otherwise it is paused.
    """

    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    auto_start: bool = True


class Refused(WrongArguments):
    """Such a call cannot be; `place` is task, args or kwargs."""

    def __init__(self, place: str, said: str) -> None:
        super().__init__(place, "unknown")
        self.args, self.place = (said,), place


def create(wanted: Wanted, by: Actor) -> tuple[UUID, bool]:
    """Enqueue it and audit it, in one transaction; its id, and whether it is new: a live twin is not.

    Raises:
        Refused: there is no such task.
        WrongArguments: the task does not take these, or nobody but Faena calls it.
        ConfigurationError: this process knows no Celery app.
    """
    need_app()
    app: Celery = current_app._get_current_object()
    _check(app, wanted)
    options = dict(wanted.options)
    own = {
        message.CREATED_BY: by.name,
        message.UNIQUE: options.pop("unique", ""),
        message.TAGS: options.pop("tags", []),
    }
    asked = uuid7()
    with transaction.atomic():
        try:
            sent = app.tasks[wanted.task].apply_async(
                wanted.args, wanted.kwargs, task_id=str(asked), headers=own, **options
            )
        except QueueNotFound as error:
            raise Refused("queue", str(error)) from None
        made = message.job_id(sent.id)
        if made == asked:
            _audit(wanted, made, by)
            if not wanted.auto_start:
                hold.pause(made, by)
    return made, made == asked


def _check(app: Celery, wanted: Wanted) -> None:
    refuse_own(wanted.task)
    problems = registry.tasks.find_problems(wanted.task, wanted.args, wanted.kwargs)
    if problems and "task" in problems:
        raise Refused("task", problems["task"])
    if not app.amqp.is_recorded(wanted.task):
        raise Refused("task", f"{wanted.task} is not recorded: it would leave no job behind.")
    check_arguments(app, wanted.task, wanted.args, wanted.kwargs)
    for place, said in problems.items():
        raise Refused(place, said)


def _audit(wanted: Wanted, made: UUID, by: Actor) -> None:
    shown = {"args": masked_args(wanted.task, wanted.args), "kwargs": masked(wanted.kwargs)}
    write_audit(by, "create", made, {"task": wanted.task} | shown)
