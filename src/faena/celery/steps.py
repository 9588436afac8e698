"""What Faena adds to a worker: the heartbeat of its leases, its place in the list of workers, and a keeper."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import platform
import signal
import sys
import threading
from uuid import UUID

from celery import bootsteps, signals
from celery.worker import state as worker_state
from django.db import connection, connections

from faena.celery import holding, message
from faena.celery.grace import Grace
from faena.celery.heartbeat import Asked, Heartbeat
from faena.celery.usage import Usage
from faena.duties.keeper import Keeper
from faena.ledger import hold, leases, workers
from faena.ledger.forking import brief_connection, guard_forks

logger = logging.getLogger(__name__)

#: The worker's main process, as its pool processes have inherited it.
_main_pid = 0


class LedgerStep(bootsteps.StartStopStep):
    """A worker's heartbeat and keeper.

    They run until the process ends, not until this step stops: a warm shutdown waits for jobs, and those
    need their leases meanwhile.
    """

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent, **options) -> None:
        self.heartbeat: Heartbeat | None = None
        self.keeper: Keeper | None = None
        super().__init__(parent, **options)

    def start(self, parent) -> None:
        """Begin to beat and to keep."""
        from faena.celery import remote  # noqa: F401  registers commands; only workers pay for Celery's

        grace, usage = Grace(parent), Usage()

        def after_beat(asked: list[Asked]) -> None:
            workers.beat(_standing(parent, usage))
            grace.look(asked)

        self.heartbeat = Heartbeat(_active_jobs, holding.worker(), after_beat)
        self.keeper = Keeper()
        _synchronise_schedules(parent.app)
        self.heartbeat.start()
        self.keeper.start()
        signals.worker_shutdown.connect(self._leave, weak=False)
        if parent.pool.is_green:
            signals.task_postrun.connect(close_connections)

    def stop(self, parent) -> None:
        """The shutdown begins: give the keeper's post up; the heart beats on."""
        if self.keeper is not None:
            self.keeper.stopping.set()
            self.keeper.join(timeout=5)

    def _leave(self, **_: object) -> None:
        """The worker has ended in good order: nobody need look for it."""
        if self.heartbeat is not None:
            self.heartbeat.stopping.set()
            self.heartbeat.join(timeout=5)
        try:
            with brief_connection():
                workers.leave(holding.worker())
        except Exception as error:
            logger.warning("The list of workers keeps this one for a day (%s).", error)


def _standing(worker, usage: Usage) -> workers.Standing:
    """What Celery's WorkController is now; remote control may have changed its pool and its queues."""
    info = worker.pool.info if hasattr(worker.pool, "info") else {}
    pool = info.get("processes", []) if isinstance(info, dict) else []
    cpu, memory = usage.look([os.getpid(), *(pid for pid in pool if isinstance(pid, int))])
    return workers.Standing(
        name=holding.worker(),
        holder=leases.me(),
        host=platform.node(),
        pid=os.getpid(),
        pool=type(worker.pool).__module__.rpartition(".")[2],
        slots=worker.pool.num_processes,
        queues=list(worker.app.amqp.queues.consume_from),
        cpu=cpu,
        memory=memory,
    )


def _synchronise_schedules(app) -> None:
    """Read the app's `beat_schedule`; what is wrong with it keeps no worker from working."""
    from faena.celery import schedule_sources  # models need Django to be set up

    try:
        with brief_connection():
            schedule_sources.synchronise(app)
    except Exception:
        logger.exception("The schedules of the code were not read; those that were known go on.")


def _active_jobs() -> list[UUID]:
    return [message.job_id(request.id) for request in list(worker_state.active_requests)]


def on_worker_init(sender=None, **_: object) -> None:
    """Before the pool forks: name the worker, let no child inherit a database connection, and keep memory shared."""
    global _main_pid
    _main_pid = os.getpid()
    holding.be_worker(f"{sender.hostname}/{_main_pid}")
    guard_forks()
    # A child's garbage collector writes into every object it looks at, and thereby copies the memory it inherited.
    gc.collect()
    gc.freeze()


def on_pool_process_init(sender=None, **_: object) -> None:
    """In a pool process: die with the worker, so that a dead worker leaves no body running unseen."""
    if not holding.worker():  # started by spawn: nothing is inherited but the parent
        holding.be_worker(f"{sender}/{os.getppid()}")
    # A solo worker is its own pool process, and may well outlive the shell that started it.
    if sys.platform == "linux" and os.getpid() != _main_pid:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if _main_pid and os.getppid() != _main_pid:
            os._exit(1)  # it died before the line above


def on_worker_shutting_down(**_: object) -> None:
    """Ask the running bodies to stop at their next row; another worker, or the next start, goes on there.

    In a thread of its own: a signal handler must not wait for the database.
    """
    threading.Thread(target=_hand_over, name="faena-handover", daemon=True).start()


def _hand_over() -> None:
    try:
        with brief_connection():
            hold.hand_over(holding.worker())
    except Exception as error:
        logger.warning("Running jobs were not asked to hand over (%s); the worker waits for them.", error)


def close_connections(**_: object) -> None:
    """After a task in a greenlet of its own: it ends, and would leave its connection open until it is collected."""
    if holding.current_hold() is None and not connection.in_atomic_block:
        connections.close_all()
