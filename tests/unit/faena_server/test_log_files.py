"""Log files that several processes share and rotate."""

from __future__ import annotations

import logging
import logging.config
import subprocess
import sys
from pathlib import Path

import pytest

from faena_server import log_files
from faena_server.log_files import SharedFile, logging_settings

WRITER = """
import logging, sys
from faena_server.log_files import SharedFile
handler = SharedFile(sys.argv[1], max_bytes=4000, kept=200)
for number in range(400):
    handler.handle(logging.makeLogRecord({"msg": f"{sys.argv[2]} {number:04d}"}))
"""


def write(handler: SharedFile, text: str) -> None:
    handler.handle(logging.makeLogRecord({"msg": text}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "django.log"


def test_no_file_before_there_is_something_to_write(path):
    handler = SharedFile(path)
    assert not path.parent.exists()
    write(handler, "first")
    handler.close()
    assert path.read_text() == "first\n"


def test_a_full_file_is_put_aside_and_the_oldest_forgotten(path):
    handler = SharedFile(path, max_bytes=10, kept=2)
    for number in range(5):
        write(handler, f"line {number} is long")
    handler.close()
    kept = {file.name: file.read_text() for file in path.parent.iterdir()}
    assert kept == {
        "django.log": "line 4 is long\n",
        "django.log.1": "line 3 is long\n",
        "django.log.2": "line 2 is long\n",
    }


def test_a_handler_follows_when_another_one_rotated(path):
    one, other = SharedFile(path, max_bytes=10), SharedFile(path, max_bytes=10)
    write(one, "a long first line")
    write(other, "second")
    write(one, "third")
    one.close()
    other.close()
    assert path.read_text() == "second\nthird\n"


def test_the_lock_of_a_dead_process_is_ignored_in_time(path, monkeypatch):
    handler = SharedFile(path, max_bytes=10)
    write(handler, "a long first line")
    lock = path.with_name("django.log.lock")
    lock.touch()
    write(handler, "second")
    assert path.read_text() == "a long first line\nsecond\n"
    monkeypatch.setattr(log_files, "STALE_SECONDS", -1)
    write(handler, "third")
    handler.close()
    assert path.read_text() == "third\n"
    assert not lock.exists()


def test_three_processes_lose_no_line(path):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "abc"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    lines = [line for file in path.parent.iterdir() for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{name} {number:04d}" for name in "abc" for number in range(400))
    assert len(list(path.parent.iterdir())) > 1


def test_who_writes_where(tmp_path):
    script = f"""
import logging, logging.config
from pathlib import Path
from faena_server.log_files import logging_settings
logging.config.dictConfig(logging_settings(Path({str(tmp_path)!r}), "INFO"))
logging.getLogger("shop").info("sold")
logging.getLogger("faena_systems.telemetry.tasks").error("[CELERY] failed")
logging.getLogger("httpx").info("every request")
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    said = {file.name: [line.split("  ")[-1] for line in file.read_text().splitlines()] for file in tmp_path.iterdir()}
    assert said == {
        "django.log": ["sold", "[CELERY] failed"],
        "errors.log": ["[CELERY] failed"],
        "panaccess.log": ["[CELERY] failed"],
    }


def test_the_settings_are_what_logging_takes(tmp_path):
    assert logging_settings(tmp_path, "DEBUG")["root"]["level"] == "DEBUG"
