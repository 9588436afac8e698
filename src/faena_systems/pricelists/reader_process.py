"""Reads spreadsheets in a process of its own, with a ceiling on memory and time.

A few kilobytes can describe a sheet of billions of cells, and the reader is native code: whatever a file
does to it, the web server and the worker go on, and the memory goes back to the system.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Any

from faena_systems.pricelists import reading

MEMORY = 1 << 30
SECONDS = 180
# A preview shows no more of a sheet, and no more sheets: a row may have 16,384 columns, a cell 32,767 letters.
MAX_COLUMNS = 40
MAX_TEXT = 200
MAX_SHEETS = 30
MAX_REPLY = 8 << 20  # bytes; the fullest preview has 30 sheets of 20 rows
ENVIRONMENT = {"PYTHONUTF8": "1", "RUST_BACKTRACE": "0"}
log = logging.getLogger(__name__)


def ask(request: dict[str, Any]) -> Any:
    """Have a child process answer a request (see ``answer``); raise ReadError with its problem."""
    # A file takes what a pipe would bring into this process whole.
    with tempfile.TemporaryFile() as output:
        try:
            child = subprocess.run(
                [sys.executable, "-m", "faena_systems.pricelists.reader_process"],
                input=json.dumps(request),
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                timeout=SECONDS,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **ENVIRONMENT},
            )
        except subprocess.TimeoutExpired as error:
            raise reading.ReadError("too_slow") from error
        if child.returncode:
            log.warning("The reader ended with %s: %s", child.returncode, child.stderr[-2000:])
            # Negative: the reader aborted, which it does when it is refused memory.
            raise reading.ReadError("too_large" if child.returncode < 0 else "broken")
        output.seek(0)
        content = output.read(MAX_REPLY + 1)
    if len(content) > MAX_REPLY:
        raise reading.ReadError("too_large")
    reply = json.loads(content)
    if problem := reply.get("problem"):
        raise reading.ReadError(problem, reply.get("row"))
    return reply["answer"]


def answer(request: dict[str, Any]) -> Any:
    """Do what is asked: describe a file's sheets, or write some of them as CSVs of ours."""
    path = Path(request["path"])
    if request["verb"] == "inspect":
        found = enumerate(reading.sheets(path))
        return [describe(path, sheet, request["rows"]) if n < MAX_SHEETS else named(sheet) for n, sheet in found]
    return [reading.write_csv(Path(target), reading.rows(path, sheet)) for sheet, target in request["sheets"]]


def describe(path: Path, sheet: reading.Sheet, count: int) -> dict[str, Any]:
    """Give a sheet's name, its number of rows and its first rows, as far as a page shows them."""
    rows = reading.rows(path, sheet.name)
    head = [narrowed(row) for row in islice(rows, count)]
    return {**named(sheet), "head": head, "rows": len(head) + sum(1 for _ in rows)}


def named(sheet: reading.Sheet) -> dict[str, Any]:
    """Give the name of a sheet that nobody looked into."""
    return {**sheet._asdict(), "head": [], "rows": 0}


def narrowed(row: list[reading.Cell]) -> list[reading.Cell]:
    """Keep as much of a row as fits a page."""
    return [cell[:MAX_TEXT] if isinstance(cell, str) else cell for cell in row[:MAX_COLUMNS]]


def main() -> None:
    """Answer the one request on standard input."""
    with contextlib.suppress(ImportError):  # Windows has no such limits.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        reply = {"answer": answer(json.load(sys.stdin))}
    except reading.ReadError as error:
        reply = {"problem": error.problem, "row": error.row}
    except MemoryError:
        reply = {"problem": "too_large"}
    json.dump(reply, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
