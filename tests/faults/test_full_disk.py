"""The disk is full: jobs are refused with a reason rather than lost, and work goes on once there is space."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from tests.faults.test_kills import halfway, numbers
from tests.support import jobs, places
from tests.support.stack import Stack
from tests.support.waiting import eventually


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own, of 12 MB."""
    folder = Path(tempfile.mkdtemp(prefix="disk-", dir=places.scratch()))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def stack(small_disk: Path, django_db_blocker) -> Iterator[Stack]:
    """An installation on that disk, its logs elsewhere."""
    with django_db_blocker.unblock():
        made = Stack("sqlite", "sqlite", f"sqlite:///{small_disk}/faena.sqlite3")
        made.broker_file = small_disk / "broker.sqlite3"
        made.broker_url = f"sqlite:///{made.broker_file}"
        try:
            yield made
        finally:
            made.close()


def fill(disk: Path) -> Path:
    """Leave no byte free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_a_full_disk_costs_no_job(stack, small_disk):
    worker = stack.worker(concurrency=2)
    exact, plain = jobs.exact.delay(300, 5, 0.05), jobs.sleepy.delay(2)
    halfway(stack, exact.id)
    stack.until(plain.id, "running")
    ballast = fill(small_disk)
    accepted = []
    with pytest.raises(OperationalError, match="full"):
        while True:  # what the write-ahead log still has room for is accepted
            accepted.append(jobs.add.delay(1, 2))
    connection.close()
    eventually(lambda: "disk is full" in worker.log.read_text())
    time.sleep(3)  # a heartbeat's time
    ballast.unlink()
    stack.until_each([exact.id, plain.id, *(each.id for each in accepted)], "completed")
    assert numbers(exact.id) == list(range(300))
    assert stack.job(plain.id).fence == 1
    assert jobs.add.delay(2, 2).get(timeout=30) == 4
