from __future__ import annotations

from collections.abc import Iterator

import pytest

from faena_sandbox.panaccess.behaviour import Behaviour
from faena_sandbox.panaccess.service import PanAccess
from faena_systems.telemetry.panaccess import client
from tests.support.panaccess import served


@pytest.fixture
def panaccess(monkeypatch: pytest.MonkeyPatch) -> Iterator[PanAccess]:
    """An installation of PanAccess over HTTP, empty, at which this process's environment points."""
    monkeypatch.setattr(client, "PAUSE", 0.01)
    account = Behaviour()
    with served() as (made, url):
        monkeypatch.setenv("PANACCESS_URL", url)
        monkeypatch.setenv("PANACCESS_USERNAME", account.username)
        monkeypatch.setenv("PANACCESS_PASSWORD", account.password)
        monkeypatch.setenv("PANACCESS_SALT", account.salt)
        monkeypatch.setenv("PANACCESS_API_TOKEN", account.api_token)
        yield made
        client.close_all()


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that does not know PanAccess."""
    for name in ("URL", "USERNAME", "PASSWORD", "SALT", "API_TOKEN"):
        monkeypatch.delenv(f"PANACCESS_{name}", raising=False)
