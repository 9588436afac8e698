"""The tasks of a Celery app, as the core asks for them by name."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from functools import partial
from typing import Any
from uuid import UUID

from celery import Celery, Task
from django.db import transaction
from django.utils.translation import gettext as _
from kombu.utils.json import dumps

from faena import registry
from faena.celery import message
from faena.celery.loading import load
from faena.errors import ConfigurationError
from faena.registry import Call

#: Headers of jobs that a schedule enqueues, besides Celery's own word for them.
_FROM_BEAT = {"celery_beat_task": True}
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class KnownTasks:
    """Looks tasks up, says what is wrong with a call, and calls."""

    def __init__(self, app: Celery) -> None:
        self.app = app

    def find_problems(self, task: str, args: Any, kwargs: Any) -> dict[str, str]:
        """Why such a call would fail, as texts by `task`, `args` and `kwargs`; empty when it would not."""
        try:
            found = self._task(task)
        except ConfigurationError as error:
            return {"task": str(error)}
        if not isinstance(args, list):
            return {"args": _("Positional arguments are a list.")}
        if not isinstance(kwargs, dict):
            return {"kwargs": _("Keyword arguments are an object.")}
        try:
            dumps([args, kwargs])
        except TypeError as error:
            return {"args": _("Arguments must be JSON: %(error)s.") % {"error": error}}
        try:
            self._check(found, args, kwargs)
        except (TypeError, ConfigurationError) as error:
            return {"kwargs" if kwargs and not args else "args": str(error)}
        return {}

    def places(self, task: str, count: int) -> list[str]:
        """The names of the parameters that so many arguments by place are for; fewer where the task is not known."""
        try:
            found = self._task(task)
        except ConfigurationError:
            return []
        signature = self.app.amqp.declaration_of(task).signature or inspect.signature(found.run)
        names = [each.name for each in signature.parameters.values() if each.kind in _BY_PLACE]
        rest = [each.name for each in signature.parameters.values() if each.kind is each.VAR_POSITIONAL]
        return [*names, *(rest * (count - len(names)))][:count]

    def names(self) -> list[str]:
        """The names of the tasks that may be enqueued: not those of Celery and Faena themselves."""
        load(self.app)
        return sorted(name for name in self.app.tasks if not name.startswith(("celery.", registry.OWN)))

    def enqueue(self, call: Call) -> UUID | None:
        """Write the job's row in the current transaction, through the task's own `apply_async`.

        Returns:
            The id of the job: another one's where a job with the same unique key is live; None where the task is
            not recorded, and is sent after the commit.

        Raises:
            ConfigurationError: there is no such task.
            Whatever `apply_async` raises for a call that cannot be.
        """
        task = self._task(call.task)
        own: dict[str, Any] = {message.CREATED_BY: call.created_by}
        if call.schedule_id is not None:
            own |= _FROM_BEAT | {message.SCHEDULE: call.schedule_id}
        headers = call.options.get("headers", {}) | own
        options = call.options | {"headers": headers, "task_id": str(call.job_id), "eta": call.run_at}
        send = partial(task.apply_async, call.args, call.kwargs, **options)
        if not self.app.amqp.is_recorded(task.name):
            transaction.on_commit(send, robust=True)
            return None
        return message.job_id(send().id)

    def _task(self, name: str) -> Task:
        load(self.app)
        if name in self.app.tasks:
            return self.app.tasks[name]
        near = get_close_matches(name, self.app.tasks, n=1)
        if near:
            raise ConfigurationError(
                _("Unknown task %(name)s, did you mean %(near)s?") % {"name": name, "near": near[0]}
            )
        raise ConfigurationError(_("Unknown task %(name)s.") % {"name": name})

    def _check(self, task: Task, args: list[Any], kwargs: dict[str, Any]) -> None:
        """As Celery checks a call's arguments, and as the declaration's templates use them.

        Raises:
            TypeError: the task does not take them.
            ConfigurationError: a template cannot be filled in with them.
        """
        if task.typing:
            task.__header__(*args, **kwargs)
        self.app.amqp.declaration_of(task.name).named(args, kwargs)
