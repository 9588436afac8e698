"""How much CPU and memory a worker uses, its pool included: read from the system at every heartbeat."""

from __future__ import annotations

from collections.abc import Iterable

import psutil


class Usage:
    """Keeps a handle per process, as CPU is what was used since the look before."""

    def __init__(self) -> None:
        self._processes: dict[int, psutil.Process] = {}

    def look(self, pids: Iterable[int]) -> tuple[float, int]:
        """Per cent of one core, and bytes, that these processes use together; one that has ended uses nothing."""
        wanted = set(pids)
        for gone in set(self._processes) - wanted:
            del self._processes[gone]
        cpu, memory = 0.0, 0
        for pid in wanted:
            try:
                process = self._processes.get(pid) or self._processes.setdefault(pid, psutil.Process(pid))
                with process.oneshot():
                    cpu += process.cpu_percent()
                    memory += process.memory_info().rss
            except psutil.Error:
                self._processes.pop(pid, None)
        return round(cpu, 1), memory
