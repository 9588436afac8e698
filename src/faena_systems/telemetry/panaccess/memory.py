"""Keep a worker small that reads thousands of half-megabyte answers."""

from __future__ import annotations

import ctypes
import logging

logger = logging.getLogger(__name__)

#: glibc's M_MMAP_THRESHOLD, and bytes.
MMAP_THRESHOLD, LARGE = -3, 128 * 1024


def give_large_blocks_back() -> None:
    """Have glibc return large blocks to the system when they are freed; elsewhere nothing needs to be done.

    By itself it begins to keep them after the first few, and small ones that lie between make its heap grow with
    every page.
    """
    try:
        ctypes.CDLL(None).mallopt(MMAP_THRESHOLD, LARGE)
    except (AttributeError, OSError, TypeError):
        logger.debug("This system's memory is not glibc's.")
