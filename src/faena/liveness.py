"""Is the process that held something still there? Shared by the ledger and the transports; knows neither."""

from __future__ import annotations

import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped, unused-ignore]


class Identity(NamedTuple):
    """One process, told apart from a later one that got the same pid.

    ``born`` is in seconds: since boot on Linux, where the wall clock may jump (a Raspberry Pi boots in
    1970), since the epoch elsewhere.
    """

    host: str
    pid: int
    born: float


def whoami() -> Identity:
    """Return the identity of the calling process."""
    return identity(os.getpid())


def is_alive(other: Identity) -> bool | None:
    """Say whether a process lives; None if it cannot be asked from here (another host or container)."""
    if other.host != whoami().host:
        return None
    try:
        return _process(other) is not None
    except psutil.AccessDenied:
        return True


def is_stopped(other: Identity) -> bool:
    """Say whether a process of this host is there but halted (SIGSTOP): it does nothing until it is continued."""
    process = _process(other)
    return process is not None and process.status() == psutil.STATUS_STOPPED


def _process(other: Identity) -> psutil.Process | None:
    """That very process, and no later one of the same pid."""
    try:
        process = psutil.Process(other.pid)
        same = abs(_born(process) - other.born) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same else None


@lru_cache(maxsize=4)  # keyed by pid: a forked child is somebody else
def identity(pid: int) -> Identity:
    """Return the identity of a process of this host; raise psutil.NoSuchProcess if there is none."""
    return Identity(_host(), pid, _born(psutil.Process(pid)))


def _born(process: psutil.Process) -> float:
    return process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0)


def _host() -> str:
    """Name the space in which a pid means something: the machine, its boot and its pid namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{platform.node()}/{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return platform.node()
