"""A wall clock that is wrong, or jumps, for processes that are started with its environment."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


def can_be_wrong() -> bool:
    """Whether this machine has the C compiler that it takes."""
    return shutil.which("gcc") is not None


class WrongClock:
    """Right at first; `jump` moves it for all processes that were started with `env`."""

    def __init__(self, folder: Path, hours: float = 0) -> None:
        self._file = folder / "clock"
        self._library = folder / "clock.so"
        self.jump(hours)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self._library, SOURCE, "-ldl"], check=True)

    @property
    def env(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "WRONG_CLOCK": str(self._file)}

    def jump(self, hours: float) -> None:
        """Be so many hours ahead of the real time; below zero, behind it."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("l", int(hours * 3600)))
