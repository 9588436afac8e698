"""How long from a change of a job to the message about it, with 500 sockets open on one web process?

    .venv/bin/python -m benchmarks.live [--quick]

The embedded default: one SQLite file, one uvicorn process as `faena up` starts it. 500 sockets look at 50 jobs, ten at
each; another process pauses and resumes the jobs with the ledger's own verbs, 10 a second, 600 times (--quick: 150).
Measured at every socket: from the commit of the change to the message, by one clock. Then all 500 look at one job.
Then nothing changes for a while: the share of a CPU that the web process takes with 500 sockets that look, and once
all are closed.

Caveat: the 500 readers are one Python process on the same two cores, and its time is in the figure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from benchmarks.peers.machine import ROOT, until
from websockets.asyncio.client import ClientConnection, connect

from faena.cli.stack import free_port, web_command

SOCKETS, JOBS = 500, 50
CHANGES, QUICK_CHANGES = 600, 150
IDLE, QUICK_IDLE = 10.0, 5.0


class Changer:
    """A process that changes jobs, and says of each change when it was committed."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "benchmarks.peers.live_changer"]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=env, cwd=ROOT, **pipes)
        self._turn = asyncio.Lock()
        self.token, *self.jobs = self.ask(str(JOBS))

    def ask(self, line: str) -> list[str]:
        """Send a line, and take the answer apart."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    async def change(self, job_id: str) -> float:
        """Pause or resume the job; when that was committed."""
        async with self._turn:
            return float((await asyncio.to_thread(self.ask, job_id))[0])


async def arrival(socket: ClientConnection) -> float:
    """When the next message about a state comes."""
    while json.loads(await socket.recv())["type"] != "status_update":
        pass
    return time.time()


async def measured(changer: Changer, watched: dict[str, list[ClientConnection]], changes: int) -> list[float]:
    """Milliseconds from each change to each socket that looks at the job."""
    taken: list[float] = []
    names = list(watched)

    async def one(number: int) -> None:
        job_id = names[number % len(names)]
        reading = [asyncio.create_task(arrival(each)) for each in watched[job_id]]
        changed = await changer.change(job_id)
        taken.extend(1000 * (at - changed) for at in await asyncio.gather(*reading))

    for first in range(0, changes, 10):
        began = time.monotonic()
        await asyncio.gather(*(one(first + n) for n in range(min(10, changes - first))))
        await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began)))
    return sorted(taken)


async def opened(url: str, token: str, job_ids: list[str]) -> list[ClientConnection]:
    """One socket for each of these ids, each having said where its job stands."""
    sockets: list[ClientConnection] = []
    headers = {"Authorization": f"Bearer {token}"}
    for start in range(0, len(job_ids), 25):
        part = job_ids[start : start + 25]
        calls = (connect(f"{url}/ws/jobs/{each}", additional_headers=headers, compression=None) for each in part)
        sockets += await asyncio.gather(*calls)
    for each in sockets:
        assert json.loads(await each.recv())["type"] == "connected"
    return sockets


async def closed(sockets: list[ClientConnection]) -> None:
    await asyncio.gather(*(each.close() for each in sockets))


async def busy(web: psutil.Process, seconds: float) -> float:
    """The share of a CPU that the web process takes, in percent."""
    before = sum(web.cpu_times()[:2])
    await asyncio.sleep(seconds)
    return 100 * (sum(web.cpu_times()[:2]) - before) / seconds


async def run(port: int, changer: Changer, web: psutil.Process, quick: bool) -> dict[str, float]:
    url, idle = f"ws://127.0.0.1:{port}", QUICK_IDLE if quick else IDLE
    ids = [changer.jobs[n % JOBS] for n in range(SOCKETS)]
    before = web.memory_info().rss
    began = time.monotonic()
    sockets = await opened(url, changer.token, ids)
    opening = time.monotonic() - began
    watched: dict[str, list[ClientConnection]] = {}
    for job_id, socket in zip(ids, sockets, strict=True):
        watched.setdefault(job_id, []).append(socket)
    taken = await measured(changer, watched, QUICK_CHANGES if quick else CHANGES)
    memory = (web.memory_info().rss - before) / 1e6
    looking = await busy(web, idle)
    await closed(sockets)
    sockets = await opened(url, changer.token, [changer.jobs[0]] * SOCKETS)
    together = []
    for _ in range(10 if quick else 30):
        together += await measured(changer, {changer.jobs[0]: sockets}, 1)
    await closed(sockets)
    await asyncio.sleep(2)
    return {
        "sockets": SOCKETS,
        "p50_ms": taken[len(taken) // 2],
        "p95_ms": taken[int(len(taken) * 0.95)],
        "max_ms": taken[-1],
        "one_job_p95_ms": sorted(together)[int(len(together) * 0.95)],
        "messages": len(taken),
        "open_s": opening,
        "sockets_mb": memory,
        "looking_cpu_percent": looking,
        "nobody_cpu_percent": await busy(web, idle),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer changes, under a minute")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="faena-bench-") as name:
        env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "faena_server.settings", "FAENA_ENV_FILE": os.devnull, "FAENA_DATA_DIR": name,
            "FAENA_SYSTEMS": "", "FAENA_LOG_LEVEL": "WARNING",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        }  # fmt: skip
        changer, port = Changer(env), free_port("127.0.0.1", 8600)
        with (Path(name) / "web.log").open("wb") as log:
            command = web_command("faena_server.asgi:application", "127.0.0.1", port)
            web = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            until(lambda: _listens(port))
            figures = asyncio.run(run(port, changer, psutil.Process(web.pid), quick))
        finally:
            for process in (web, changer.process):
                process.kill()
                process.wait()
    for key, value in figures.items():
        print(f"{key:>20}: {value:10.1f}")
    print(json.dumps({key: round(value, 1) for key, value in figures.items()}))


def _listens(port: int) -> bool:
    return any(each.laddr.port == port and each.status == "LISTEN" for each in psutil.net_connections("tcp"))


if __name__ == "__main__":
    main()
