"""The tasks that exist, as the core knows them: `faena.install(app)` puts the Celery app's here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from faena.errors import ConfigurationError

#: The task that tells people of an incident; `faena.celery` declares it.
TELL = "faena.tell_people"
#: What the names of Faena's own tasks begin with. Their arguments say who asked, and nobody else is to say that.
OWN = "faena."


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a task by name, as its `.apply_async()` takes it."""

    task: str
    args: list[Any]
    kwargs: dict[str, Any]
    job_id: UUID
    created_by: str
    #: The schedule that asks for it, if one does.
    schedule_id: int | None = None
    run_at: datetime | None = None
    #: queue, priority, expires, … as in `apply_async`.
    options: dict[str, Any] = field(default_factory=dict)


class Tasks(Protocol):
    """What the core asks of whoever knows the tasks."""

    def find_problems(self, task: str, args: Any, kwargs: Any) -> dict[str, str]:
        """Why such a call would fail, as texts by `task`, `args` and `kwargs`; empty when it would not."""

    def places(self, task: str, count: int) -> list[str]:
        """The names of the parameters that so many arguments by place are for; fewer where the task is not known."""

    def names(self) -> list[str]:
        """The names of the tasks that may be enqueued."""

    def enqueue(self, call: Call) -> UUID | None:
        """Write the job's row in the current transaction.

        Returns:
            The id of the job: another one's where a job with the same unique key is live; None where the task is
            not recorded, and is sent after the commit.

        Raises:
            Whatever `apply_async` raises for a call that cannot be.
        """


class _Nobody:
    """Before `install`: no task is known."""

    def find_problems(self, task: str, args: Any, kwargs: Any) -> dict[str, str]:
        return {"task": "No tasks are known here: faena.install(app) has not run in this process."}

    def places(self, task: str, count: int) -> list[str]:
        return []

    def names(self) -> list[str]:
        return []

    def enqueue(self, call: Call) -> UUID | None:
        raise ConfigurationError(self.find_problems(call.task, call.args, call.kwargs)["task"])


def is_own(task: str) -> bool:
    """Whether the task is one of Faena's, which nobody else calls."""
    return task.startswith(OWN)


tasks: Tasks = _Nobody()


def connect(known: Tasks) -> None:
    """Ask this one from now on."""
    global tasks
    tasks = known
