"""Remote-control commands that Celery has not: quiet, listen again, restart. Imported by workers only."""

from __future__ import annotations

import os
import signal
from typing import Any

from celery.worker.control import control_command, nok, ok

#: The queues that a quiet worker listened to.
_before: list[str] = []


@control_command()
def faena_quiet(state: Any, **_: object) -> dict[str, Any]:
    """Take no new jobs; those that run go on."""
    listening = list(state.consumer.app.amqp.queues.consume_from)
    if listening:
        _before[:] = listening
    for queue in listening:
        state.consumer.cancel_task_queue(queue)
    return ok("quiet")


@control_command()
def faena_listen(state: Any, **_: object) -> dict[str, Any]:
    """Listen again to the queues that it listened to before it was quiet."""
    for queue in _before:
        state.consumer.add_task_queue(queue)
    return ok("listening")


@control_command()
def faena_restart(state: Any, **_: object) -> dict[str, Any]:
    """Begin anew in the same process, with the code that is there now; running jobs are handed over."""
    hangup = getattr(signal, "SIGHUP", None)
    # Celery restarts at this signal, but not under a terminal and not on Windows.
    if hangup is None or not callable(signal.getsignal(hangup)):
        return nok("This worker cannot restart itself: it runs in a terminal or on Windows.")
    os.kill(os.getpid(), hangup)
    return ok("restarting")
