"""A real web process of an installation: uvicorn as `faena up` starts it."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request

from django.conf import settings

from faena.cli.stack import web_command
from tests.support.places import free_port
from tests.support.processes import die_with_parent
from tests.support.stack import ROOT, Stack
from tests.support.waiting import eventually


class Web:
    """Started with the installation's environment; ends with `close`."""

    def __init__(self, stack: Stack, application: str = "faena_server.asgi:application", **env: str) -> None:
        self.port = free_port()
        self.log = stack.folder / f"web-{self.port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                web_command(application, "127.0.0.1", self.port),
                env=stack.env | {"FAENA_LANGUAGE": "en", "FAENA_SECRET_KEY": settings.SECRET_KEY} | env,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        eventually(self._answers, what="the web process answers")

    @property
    def origin(self) -> str:
        """Such as `http://127.0.0.1:8700`."""
        return f"http://127.0.0.1:{self.port}"

    def socket(self, path: str) -> str:
        """The address of a WebSocket."""
        return f"ws://127.0.0.1:{self.port}{path}"

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            with urllib.request.urlopen(f"{self.origin}/health/live", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
