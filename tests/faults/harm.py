"""What a storm does to an installation, and whom it hit."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
from django.db import InterfaceError, OperationalError, connection

from faena.models import Job, Lease
from faena.states import HELD
from tests.support.breakable import Breakable
from tests.support.stack import Worker

#: Long past a lease.
STOPPED_SECONDS = 17.0


@dataclass(frozen=True)
class Hit:
    """A job that was running when its process was killed or stopped."""

    fault: str
    job_id: str
    fence: int
    at: float
    clock: str


@dataclass
class Harm:
    """Breaks parts of an installation, and mends them a little later."""

    stack: Breakable
    chance: random.Random
    size: int = 4
    kills: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)
    #: Processes that were stopped for so long that their jobs were taken from them.
    silenced: set[int] = field(default_factory=set)
    _mend: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    _stopped: set[str] = field(default_factory=set)
    _away: set[str] = field(default_factory=set)

    def faults(self) -> dict[str, tuple[int, Callable[[], int | None]]]:
        """The faults of this installation: how likely each is, and what does it.

        That returns the number of processes it killed, or None when it could not be done now.
        """
        common: dict[str, tuple[int, Callable[[], int | None]]] = {
            "pool process": (70, self._pool_process),
            "worker": (10, lambda: self._worker(self._ready())),
            "worker's main process": (6, self._main_process),
            "keeper": (4, lambda: self._worker(self._keepers())),
            "all workers": (1, self._all_workers),
            "stopped worker": (1, self._stop),
            "broker wiped": (2, self._wipe),
        }
        if self.stack.redis:
            common["redis-server"] = (2, self._redis)
            common["broker's wire"] = (2, lambda: self._wire("broker"))
        if self.stack.postgresql:
            common["PostgreSQL killed"] = (2, lambda: self._postgresql(self.stack.postgresql.kill))
            common["PostgreSQL immediate"] = (1, lambda: self._postgresql(self.stack.postgresql.stop))
            common["database's wire"] = (2, lambda: self._wire("database"))
        return common

    def once(self) -> None:
        """One fault, at random."""
        faults = self.faults()
        [name] = self.chance.choices(list(faults), [weight for weight, _ in faults.values()])
        self.fault = name
        struck = faults[name][1]()
        if struck is None:
            return
        self.kills += struck
        self.counts[name] = self.counts.get(name, 0) + max(1, struck)

    def mend(self, everything: bool = False) -> None:
        """Mend what is due, and start workers for those that are gone."""
        due = [each for each in self._mend if everything or each[0] <= time.monotonic()]
        for each in due:
            self._mend.remove(each)
            each[1]()
        for _ in range(self.size - len(self._living())):
            self.stack.worker(concurrency=2, ready=False)

    # --- processes -----------------------------------------------------------------------------

    def _living(self) -> list[Worker]:
        return [each for each in self.stack.workers if each.process.poll() is None]

    def _running(self) -> list[Worker]:
        return [each for each in self._living() if each.name not in self._stopped]

    def _ready(self) -> list[Worker]:
        """Those that take jobs; none when it is the last one, as starting a worker takes its time."""
        ready = [each for each in self._running() if each.is_ready]
        return ready if len(ready) > 1 else []

    def _pool_process(self) -> int | None:
        # Celery gives a worker up whose pool loses a process before it is ready.
        pool = [child for worker in self._running() if worker.is_ready for child in _children(worker)]
        if not pool:
            return None
        busy = {pid for _, _, pid in _held()}
        # Most of the time one that runs a job.
        victim = self.chance.choice([each for each in pool if each.pid in busy] * 9 + pool)
        self._note({victim.pid})
        victim.kill()
        return 1

    def _worker(self, among: list[Worker]) -> int | None:
        if not among:
            return None
        victim = self.chance.choice(among)
        self._note(_pids([victim]))
        victim.kill()
        return 1

    def _main_process(self) -> int | None:
        if not (among := self._ready()):
            return None
        victim = self.chance.choice(among)
        self._note(_pids([victim]))
        victim.process.kill()
        victim.process.wait()
        return 1

    def _all_workers(self) -> int:
        victims = self._running()
        self._note(_pids(victims))
        for each in victims:
            each.signal(signal.SIGKILL)
        for each in victims:
            each.kill()
        return len(victims)

    def _keepers(self) -> list[Worker]:
        try:
            holder = Lease.objects.filter(name="keeper").values_list("holder", flat=True).first()
        except (OperationalError, InterfaceError):
            connection.close()
            return []
        pid = int(holder.split("|")[1]) if holder else 0
        return [each for each in self._ready() if each.process.pid == pid]

    def _stop(self) -> int | None:
        if not (among := self._ready()):
            return None
        victim = self.chance.choice(among)
        pids = _pids([victim])
        self._note(pids)
        self.silenced |= pids
        self._stopped.add(victim.name)
        victim.signal(signal.SIGSTOP)
        self._later(STOPPED_SECONDS, lambda: self._wake(victim))
        return 0

    def _wake(self, worker: Worker) -> None:
        self._stopped.discard(worker.name)
        os.killpg(worker.process.pid, signal.SIGCONT)

    # --- servers and wires ---------------------------------------------------------------------

    def _wipe(self) -> int | None:
        if "redis" not in self._away:
            self.stack.wipe_broker()
        return 0

    def _redis(self) -> int | None:
        assert self.stack.redis
        return self._down("redis", self.stack.redis.kill, self.stack.redis.start)

    def _postgresql(self, end: Callable[[], object]) -> int | None:
        assert self.stack.postgresql
        return self._down("postgresql", end, self.stack.postgresql.start)

    def _down(self, what: str, end: Callable[[], object], start: Callable[[], object]) -> int | None:
        if what in self._away:
            return None
        self._away.add(what)
        end()

        def back() -> None:
            start()
            self._away.discard(what)

        self._later(self.chance.uniform(0.2, 2.0), back)
        return 1

    def _wire(self, what: str) -> int:
        wire = self.stack.wires[what]
        self.chance.choice([wire.cut, wire.stall])()
        self._later(self.chance.uniform(0.5, 5.0), wire.heal)
        return 0

    # --- who was hit ---------------------------------------------------------------------------

    def _note(self, pids: set[int]) -> None:
        for job_id, fence, pid in _held():
            if pid in pids:
                self.hits.append(Hit(self.fault, job_id, fence, time.monotonic(), time.strftime("%H:%M:%S")))

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        self._mend.append((time.monotonic() + seconds, act))


def _held() -> list[tuple[str, int, int]]:
    """(id, fence, process) of what runs; nothing while the database is away."""
    try:
        held = list(Job.objects.filter(state__in=HELD).values_list("id", "fence", "holder"))
    except (OperationalError, InterfaceError):
        connection.close()
        return []
    return [(str(job_id), fence, int(holder.split("|")[1])) for job_id, fence, holder in held]


def _pids(workers: list[Worker]) -> set[int]:
    return {pid for each in workers for pid in (each.process.pid, *(child.pid for child in _children(each)))}


def _children(worker: Worker) -> list[psutil.Process]:
    try:
        return worker.children()
    except psutil.NoSuchProcess:
        return []
