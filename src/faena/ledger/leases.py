"""Posts that one process holds at a time, and whether a process on this host is still alive."""

from __future__ import annotations

import os
from datetime import timedelta

from faena import liveness
from faena.ledger import sql


def me() -> str:
    """This process as the row keeps it: `host|pid|start`; the start tells a reused pid apart."""
    return holder(os.getpid())


def holder(pid: int) -> str:
    """A process of this host as the row keeps it."""
    return "|".join(map(str, liveness.identity(pid)))


def is_alive(holder: str) -> bool | None:
    """Whether the process still runs; None when it ran elsewhere and cannot be asked."""
    return liveness.is_alive(_identity(holder))


def is_stopped(holder: str) -> bool:
    """Whether the process is halted (SIGSTOP): it cannot extend its leases, but it may go on later."""
    return liveness.is_stopped(_identity(holder))


def _identity(holder: str) -> liveness.Identity:
    try:
        host, pid, born = holder.split("|")
        return liveness.Identity(host, int(pid), float(born))
    except ValueError:  # not one of ours: it ran elsewhere
        return liveness.Identity(holder, 0, 0.0)


def take(name: str, duration: timedelta) -> bool:
    """Take or extend a post; whether it is this process's now. A dead holder on this host is replaced at once."""
    with sql.unsynced():
        return _take(name, duration)


def _take(name: str, duration: timedelta) -> bool:
    sql.execute("INSERT INTO faena_lease (name, holder) VALUES (%s, '') ON CONFLICT DO NOTHING", [name])
    held = "UPDATE faena_lease SET holder = %s, until = {until} WHERE name = %s AND {guard}"
    until = sql.now(duration)
    guard = f"(holder IN ('', %s) OR until IS NULL OR until < {sql.now()})"
    if sql.execute(held.format(until=until, guard=guard), [me(), name, me()]):
        return True
    other = sql.rows("SELECT holder FROM faena_lease WHERE name = %s", [name])[0][0]
    if is_alive(other) is False:
        return bool(sql.execute(held.format(until=until, guard="holder = %s"), [me(), name, other]))
    return False


def release(name: str) -> None:
    """Give a post up, if it is this process's."""
    sql.execute("UPDATE faena_lease SET holder = '', until = NULL WHERE name = %s AND holder = %s", [name, me()])
