"""Logs on the console and in files that all processes share: `django.log`, `errors.log`, `panaccess.log`."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from logging import LogRecord
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

MAX_BYTES = 10 * 1024 * 1024
KEPT = 5
#: A lock that is older belongs to a process that died while it rotated.
STALE_SECONDS = 30


class SharedFile(WatchedFileHandler):
    """A file that several processes append to; one of them renames it when it is full, the others follow.

    Windows renames no file that is open elsewhere: there it grows until a process is alone with it.

    Args:
        max_bytes: the size at which it is put aside as `.1`, and `.1` as `.2`, up to `kept`.
    """

    def __init__(self, filename: str | Path, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self._max_bytes, self._kept = max_bytes, kept
        self._folder = Path(filename).parent
        super().__init__(filename, encoding="utf-8", delay=True)

    def emit(self, record: LogRecord) -> None:
        """Append a line, in a new file if this one is full."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._is_full():
                self._rotate()
            super().emit(record)
        except OSError:
            self.handleError(record)

    def _is_full(self) -> bool:
        with suppress(FileNotFoundError):
            return os.stat(self.baseFilename).st_size >= self._max_bytes
        return False

    def _rotate(self) -> None:
        """Put the file aside, unless another process is about to."""
        lock = Path(f"{self.baseFilename}.lock")
        with suppress(FileNotFoundError):
            if time.time() - lock.stat().st_mtime > STALE_SECONDS:
                lock.unlink()
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return
        try:
            # Another process may have done it between our look and the lock.
            if self._is_full():
                self._put_aside()
        finally:
            lock.unlink(missing_ok=True)

    def _put_aside(self) -> None:
        if self.stream:
            self.stream.close()
            self.stream = None
        names = [self.baseFilename, *(f"{self.baseFilename}.{number}" for number in range(1, self._kept + 1))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            with suppress(FileNotFoundError, PermissionError):
                os.replace(newer, older)


def logging_settings(folder: Path, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to the console and `django.log`, errors to `errors.log` as well.

    What is said about PanAccess also stands in `panaccess.log`. No file is made before there is something to write.
    """

    def shared(name: str, **more: Any) -> dict[str, Any]:
        return {"()": SharedFile, "filename": folder / name, "formatter": "plain"} | more

    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s"}},
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "plain"},
            "everything": shared("django.log"),
            "errors": shared("errors.log", level="ERROR"),
            "panaccess": shared("panaccess.log"),
        },
        "root": {"handlers": ["console", "everything", "errors"], "level": level},
        "loggers": {
            "uvicorn.access": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "faena_systems.telemetry": {"handlers": ["panaccess"]},
        },
    }
