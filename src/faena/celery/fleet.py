"""What people do to running workers: more or fewer processes, quiet, listen, restart, stop. Each is one audit row."""

from __future__ import annotations

from typing import Any

from celery import current_app

from faena.celery.loading import need_app
from faena.errors import WorkerSilent
from faena.ledger.records import Actor, write_audit

#: Seconds that a worker has to answer.
PATIENCE = 3.0

#: What is asked of the worker, and Celery's or our own command for it.
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "grow": ("pool_grow", {"n": 1}),
    "shrink": ("pool_shrink", {"n": 1}),
    "quiet": ("faena_quiet", {}),
    "listen": ("faena_listen", {}),
    "restart": ("faena_restart", {}),
    "stop": ("shutdown", {}),
}


def ask(action: str, worker: str, by: Actor) -> None:
    """Ask a worker to do it, and wait for its answer; one that is stopped gives none.

    Args:
        action: a name of `COMMANDS`.
        worker: the name of its row, `celery@host/4711`.

    Raises:
        WorkerSilent: it did not answer in time, or refused.
        ConfigurationError: this process knows no Celery app.
    """
    need_app()
    command, arguments = COMMANDS[action]
    node = worker.rpartition("/")[0]
    is_last = action == "stop"
    answers = current_app.control.broadcast(
        command, arguments=arguments, destination=[node], reply=not is_last, timeout=PATIENCE, limit=1
    )
    if not is_last:
        _check(worker, answers or [])
    write_audit(by, f"{action} worker", None, {"worker": worker})


def _check(worker: str, answers: list[dict[str, Any]]) -> None:
    answer = next((each for answer in answers for each in answer.values()), None)
    if answer is None:
        raise WorkerSilent(worker)
    if isinstance(answer, dict) and "error" in answer:
        raise WorkerSilent(worker, str(answer["error"]))
