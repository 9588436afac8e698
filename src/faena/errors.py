"""Faena's errors.

FaenaError
├── ConfigurationError   a setting or a job's declaration is wrong
├── Invalid              the input is bad: the job fails now, no retries
├── PermanentFailure     retrying cannot help: the job fails now
├── LeaseLost            another worker holds the job; this one must stop
├── NotAllowed           the job's state does not allow the action
│   └── NoInput          a part of a chain or chord cannot be retried: what it was to work on never came to be
├── WrongArguments       a job cannot be called like this; `field` names what is wrong
├── NotNow               a schedule cannot do what was asked of it now
├── WorkerSilent         a worker did not do what was asked of it
└── AlreadyLive          a job with the same unique key is still live

Stopped (a BaseException, so that a body's `except Exception` cannot swallow it) ends a body that was asked
to pause, to cancel or to hand over to another worker.
"""

from __future__ import annotations

from uuid import UUID

from faena.states import State, Stop


class FaenaError(Exception):
    """Root of everything Faena raises on purpose."""


class ConfigurationError(FaenaError):
    """A setting or a job's declaration is wrong."""


class Invalid(FaenaError):
    """The input is bad: the job fails now, with this reason and no retries."""


class PermanentFailure(FaenaError):
    """Retrying cannot help, so the job fails now."""


class LeaseLost(FaenaError):
    """Another worker holds this job now; nothing this one writes counts any more."""

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"Job {job_id} is no longer held by this worker: its lease ran out or it was ended.")
        self.job_id = job_id


class NotAllowed(FaenaError):
    """The job's state does not allow the action."""

    def __init__(self, job_id: UUID, action: str, state: State | str) -> None:
        super().__init__(f"Job {job_id} cannot {action}: it is {state}.")
        self.job_id, self.action, self.state = job_id, action, state


class NoInput(NotAllowed):
    """A step of a chain, or the body of a chord, failed only because a part before it did: it has nothing to run on."""

    #: What people read, in the monitor in their language.
    REASON = (
        "It never had its input, as a part before it did not complete. Retry that part; a chord whose body this is "
        "must be enqueued again."
    )

    def __init__(self, job_id: UUID, action: str, state: State | str) -> None:
        super().__init__(job_id, action, state)
        self.args = (f"Job {job_id} cannot {action}. {self.REASON}",)


class WrongArguments(FaenaError):
    """A job cannot be called with these arguments.

    Args:
        field: the argument that is wrong; empty when it is none of them.
        problem: missing | unknown | too many | type | unknown task | own task
        wanted: the type that the argument should have.
    """

    def __init__(self, field: str, problem: str, wanted: str = "") -> None:
        said = {
            "missing": f"The argument {field!r} is missing.",
            "unknown": f"There is no argument {field!r}.",
            "too many": "There are more arguments than the job takes.",
            "type": f"The argument {field!r} should be of the type {wanted}.",
            "unknown task": f"This process does not know the task {field!r}, so its arguments cannot be checked.",
            "own task": f"{field} is a task of Faena itself: nobody else calls it.",
        }
        super().__init__(said[problem])
        self.field, self.problem, self.wanted = field, problem, wanted


class NotNow(FaenaError):
    """A schedule cannot do what was asked of it now; the message says why, `why` in the reader's language if it can."""

    def __init__(self, message: str, why: str = "") -> None:
        super().__init__(message)
        self.why = why


class WorkerSilent(FaenaError):
    """A worker did not answer, or refused with this reason (empty: it did not answer)."""

    def __init__(self, worker: str, reason: str = "") -> None:
        super().__init__(f"{worker}: {reason or 'no answer; it may be busy, stopped or gone.'}")
        self.worker, self.reason = worker, reason


class AlreadyLive(FaenaError):
    """A job with the same unique key is still live; `job_id` names it."""

    def __init__(self, job_id: UUID, unique_key: str) -> None:
        super().__init__(f"A job with the unique key {unique_key!r} is still live: {job_id}.")
        self.job_id = job_id


class Stopped(BaseException):
    """Raised inside a body between two rows when it was asked to stop."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop)
        self.stop = stop
