"""Keep a worker small that reads thousands of half-megabyte answers."""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

#: glibc's M_MMAP_THRESHOLD and a number of bytes; M_ARENA_MAX.
MMAP_THRESHOLD, LARGE = -3, 64 * 1024
ARENA_MAX = -8


def give_large_blocks_back() -> None:
    """Have glibc return large blocks to the system when they are freed; elsewhere nothing needs to be done.

    By itself it begins to keep them after the first few, and gives every thread a heap of its own; small blocks that
    lie between make those heaps grow with every page.
    """
    try:
        glibc = ctypes.CDLL(None)
        glibc.mallopt(MMAP_THRESHOLD, LARGE)
        glibc.mallopt(ARENA_MAX, 1)
    except (AttributeError, OSError, TypeError):
        logger.debug("This system's memory is not glibc's.")
