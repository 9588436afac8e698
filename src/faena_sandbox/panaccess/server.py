"""Start the stand-in in a process of its own, and tell it what to do: for tests, the demo and the benchmark."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from typing import Any

from .behaviour import Behaviour

PATIENCE_SECONDS = 30.0


class Server:
    """A running stand-in; a context manager that ends it."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "faena_sandbox.panaccess", "--port", "0", "--follow-stdin", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None  # noqa: S101  it is a pipe
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"The PanAccess sandbox did not start: {' '.join(command)}")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What a process has to have in its environment to be a client of it."""
        account = Behaviour()
        return {
            "PANACCESS_URL": self.url,
            "PANACCESS_USERNAME": account.username,
            "PANACCESS_PASSWORD": account.password,
            "PANACCESS_API_TOKEN": account.api_token,
            "PANACCESS_SALT": account.salt,
        }

    def control(self, **wanted: Any) -> dict[str, Any]:
        """Change something, and return how things stand."""
        body = json.dumps(wanted).encode() if wanted else None
        with urllib.request.urlopen(f"{self.url}_control", body, timeout=30) as answer:  # noqa: S310  our own
            return json.load(answer)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=PATIENCE_SECONDS)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
