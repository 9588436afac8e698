"""The name of a failure: what failed jobs are grouped by, besides their kind."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from functools import cache
from pathlib import PurePath

#: Packages that run a body, and none of whose own lines says why it failed.
_MACHINERY = frozenset({"amqp", "billiard", "celery", "django", "faena", "kombu", "vine"})
_FRAME = re.compile(r'^\s*File "([^"]+)", line \d+, in (\S+)', re.MULTILINE)
_BEGIN = "Traceback (most recent call last):"


def name(error_type: str, traceback: str) -> str:
    """What failures are grouped by: the error and where in the user's own code it came from.

    `ValueError in shop/tasks.py:send`: without the line's number, which every deploy moves, and without folders that
    differ between hosts.
    """
    frames = [(*_place(path), function) for path, function in _FRAME.findall(traceback.rpartition(_BEGIN)[2])]
    known = [frame for frame in frames if frame[0].partition("/")[0] not in _MACHINERY]
    own = [frame for frame in known if not frame[1]] or known
    if not own:
        return error_type
    place, _, function = own[-1]
    return f"{error_type} in {place}:{function}"


def _place(path: str) -> tuple[str, bool]:
    """The file as imports find it, and whether it belongs to a library."""
    pure = PurePath(path)
    parts = pure.parts
    is_library = path.startswith("<") or "site-packages" in parts or "dist-packages" in parts
    for root in _roots():
        if pure.is_relative_to(root):
            return pure.relative_to(root).as_posix(), is_library or root == _standard()
    return "/".join(parts[-2:]), is_library


@cache
def _roots() -> list[PurePath]:
    """Where modules are found; the innermost folder first."""
    roots = {PurePath(each) for each in (os.getcwd(), *filter(None, sys.path))}
    return sorted(roots, key=lambda each: len(each.parts), reverse=True)


def _standard() -> PurePath:
    return PurePath(sysconfig.get_path("stdlib"))
