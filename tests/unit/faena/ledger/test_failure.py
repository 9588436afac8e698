from __future__ import annotations

import os
import sys
import sysconfig
import traceback
from pathlib import Path

import celery
import django
import pytest

import faena
from faena.ledger import failure

STANDARD = sysconfig.get_path("stdlib")
LIBRARY = str(Path(celery.__file__).parents[1])


def text(*frames: tuple[str, str], error: str = "ValueError: no") -> str:
    lines = [f'  File "{path}", line {number}, in {name}\n    pass' for number, (path, name) in enumerate(frames, 1)]
    return "\n".join(["Traceback (most recent call last):", *lines, error])


CALLER = (celery.__file__.replace("__init__", "app/trace"), "trace_task")
OURS = (str(Path(faena.__file__).parent / "celery/performing.py"), "_body")
DJANGO = (os.path.join(os.path.dirname(django.__file__), "db/models/query.py"), "get")
ELSEWHERE = (os.path.join(os.getcwd(), "shop/rows.py"), "<lambda>")
BODY = (os.path.join(os.getcwd(), "shop/tasks.py"), "send")


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([CALLER, OURS, BODY], "ValueError in shop/tasks.py:send"),
        # What the user's own line called is a library's, or Python's: the user's line is the place.
        ([CALLER, OURS, BODY, (f"{LIBRARY}/requests/api.py", "get")], "ValueError in shop/tasks.py:send"),
        ([CALLER, OURS, BODY, (f"{STANDARD}/json/decoder.py", "decode")], "ValueError in shop/tasks.py:send"),
        ([CALLER, OURS, BODY, DJANGO], "ValueError in shop/tasks.py:send"),
        ([CALLER, OURS, BODY, ("<frozen importlib._bootstrap>", "_find")], "ValueError in shop/tasks.py:send"),
        ([CALLER, OURS, BODY, ELSEWHERE], "ValueError in shop/rows.py:<lambda>"),
        # An app that was installed like a library: its innermost line is the best there is.
        ([CALLER, OURS, (f"{LIBRARY}/shop/tasks.py", "send")], "ValueError in shop/tasks.py:send"),
        # A folder that Python does not look in.
        ([CALLER, ("/elsewhere/of/mine/tasks.py", "send")], "ValueError in mine/tasks.py:send"),
        ([CALLER, OURS], "ValueError"),
        ([], "ValueError"),
    ],
)  # fmt: skip
def test_the_place_is_the_innermost_line_of_the_users_own(frames, expected):
    assert failure.name("ValueError", text(*frames)) == expected


def test_of_chained_errors_the_last_one_counts():
    first = text(CALLER, (os.path.join(os.getcwd(), "shop/net.py"), "fetch"))
    both = f"{first}\n\nThe above exception was the direct cause…\n\n{text(CALLER, BODY, error='TypeError: x')}"
    assert failure.name("TypeError", both) == "TypeError in shop/tasks.py:send"


def test_a_line_that_moves_is_still_the_same_failure():
    code = "def deep():\n    raise KeyError('a')\n"
    names = set()
    for moved in (code, f"# a comment\n\n{code}"):
        space: dict = {}
        exec(compile(moved, os.path.join(os.getcwd(), "shop/tasks.py"), "exec"), space)
        try:
            space["deep"]()
        except KeyError:
            names.add(failure.name("KeyError", traceback.format_exc()))
    # This test's own frame is the outer one.
    assert names == {"KeyError in shop/tasks.py:deep"}


def test_other_hosts_keep_the_project_elsewhere(monkeypatch):
    failure._roots.cache_clear()
    monkeypatch.setattr(sys, "path", ["/srv/app/src", "/srv/app"])
    try:
        assert failure.name("E", text(("/srv/app/src/shop/tasks.py", "send"))) == "E in shop/tasks.py:send"
    finally:
        failure._roots.cache_clear()
