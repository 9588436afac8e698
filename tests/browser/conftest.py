"""A real browser before a real web server with a real worker. All stories of this folder share them.

    def test_story(server, page):            `page` is signed in as an operator
        job = jobs.count.delay(total=10)     `.delay()` enqueues in the server's own installation
        page.goto(f"/jobs/{job.id}/")

A story fails when the browser reports an error: a script's, a refused resource, a broken security policy.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from faena.monitor.sign_in import make_sign_in_link
from tests.support.processes import die_with_parent
from tests.support.stack import PROGRAMS, ROOT, Stack
from tests.support.waiting import eventually

CHROMIUM = Path("/usr/bin/chromium")
MISSING = "no browser; to run it: apt-get install chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TIMEOUT_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # CI installs the browser and must not leave these out.
            if not CHROMIUM.exists() and not os.environ.get("FAENA_REQUIRE_BROWSER"):
                item.add_marker(pytest.mark.skip(reason=MISSING))


class Server(Stack):
    """An installation on SQLite with a web server; systems included, in English."""

    def __init__(self) -> None:
        super().__init__("sqlite", "sqlite")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.web_log = self.folder / "web.log"
        self.web = self._start_web()
        self.worker()
        eventually(self._answers, what="the web server answers")

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        return super().env | {"FAENA_SYSTEMS": "pricelists,telemetry", "FAENA_LANGUAGE": "en"}

    def user(self, name: str, **values: Any) -> User:
        """A person who may sign in."""
        return User.objects.get_or_create(username=name, defaults=values)[0]

    def link(self, user: User) -> str:
        """A one-time sign-in link."""
        return self.url + make_sign_in_link(user)

    def close(self) -> None:
        """End every process."""
        self.web.kill()
        self.web.wait(timeout=30)
        super().close()

    def _start_web(self) -> subprocess.Popen:
        command = [
            PROGRAMS / "uvicorn",
            "tests.support.web_app:application",
            "--port",
            str(self.port),
            "--lifespan",
            "off",
        ]
        with self.web_log.open("wb") as log:
            return subprocess.Popen(
                command,
                env=self.env,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def _answers(self) -> bool:
        assert self.web.poll() is None, self.web_log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="package")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock():
        made = Server()
        try:
            yield made
        finally:
            made.close()


@pytest.fixture(scope="package")
def browser(server: Server) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the stories use the database in between, never during it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=OPTIONS)
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_page(browser: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Open a browser window with nobody signed in; what it complains about fails the story."""
    contexts, complaints = [], []

    def make(width: int = 1280, height: int = 900, **options: Any) -> Any:
        viewport = {"width": width, "height": height}
        context = browser.new_context(base_url=server.url, locale="en", viewport=viewport, **options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def sign_in(server: Server) -> Callable[..., None]:
    """Sign a window in by a one-time link."""

    def by_link(page: Any, name: str = "olga", **values: Any) -> None:
        page.goto(server.link(server.user(name, **values)))
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url("**/")

    return by_link


@pytest.fixture
def page(new_page: Callable[..., Any], sign_in: Callable[..., None]) -> Any:
    """A window in which an operator is signed in."""
    window = new_page()
    sign_in(window, is_staff=True)
    return window


@pytest.fixture
def phone(new_page: Callable[..., Any], sign_in: Callable[..., None]) -> Any:
    """The same, 400 pixels wide and in the dark."""
    window = new_page(width=400, height=860, color_scheme="dark")
    sign_in(window, is_staff=True)
    return window
