from __future__ import annotations

import subprocess
import sys

import pytest

POOL_PROCESS = """
import os
from faena.celery import steps
steps._main_pid = {main_pid}
steps.on_pool_process_init()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
@pytest.mark.parametrize(("main_pid", "code"), [("os.getppid()", 0), ("os.getppid() + 1", 1), ("os.getpid()", 0)])
def test_only_a_pool_process_whose_worker_died_before_it_was_set_up_ends(main_pid, code):
    assert subprocess.run([sys.executable, "-c", POOL_PROCESS.format(main_pid=main_pid)]).returncode == code
