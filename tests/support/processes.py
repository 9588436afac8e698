"""Processes that end with the one that started them, also when that is killed."""

from __future__ import annotations

import ctypes
import signal


def die_with_parent() -> None:
    """For Popen's `preexec_fn`."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
