"""People, tokens and a client that speaks JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.test import Client

from faena.ledger import sql, tokens
from faena.ledger.records import SYSTEM
from faena.permissions import Role
from tests.unit.faena.api import tasks  # noqa: F401


class Caller:
    """Calls the API as a program does."""

    def __init__(self, token: str = "") -> None:
        self.client = Client()
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {"data": json.dumps(body), "content_type": "application/json"} if body is not None else {}
        headers = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method, path, given.get("data", ""), content_type="application/json", headers=headers
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)


@pytest.fixture(autouse=True)
def surroundings(ledger, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.LANGUAGE_CODE = "en"
    yield
    Session.objects.all().delete()
    User.objects.all().delete()
    Group.objects.all().delete()


@pytest.fixture
def token_of() -> Callable[[Role | str], str]:
    """The text of a new token of a role."""
    return lambda role: tokens.create(f"tests {role}", Role(role), SYSTEM)[1]


@pytest.fixture
def viewer(token_of) -> Caller:
    return Caller(token_of("viewer"))


@pytest.fixture
def operator(token_of) -> Caller:
    return Caller(token_of("operator"))


@pytest.fixture
def admin(token_of) -> Caller:
    return Caller(token_of("admin"))


@pytest.fixture
def failed(make_job) -> Callable[..., Any]:
    """A job that has failed."""

    def make(**values: Any):
        pk = make_job(**values)
        error = json.dumps({"type": "ValueError", "message": "no", "traceback": "Traceback…", "args": []})
        sql.execute(
            f"""UPDATE faena_job SET state = 'failed', started = {sql.now()}, finished = {sql.now()}, error = %s,
                   failure = 'ValueError in tests' WHERE id = %s""",
            [error, sql.key(pk)],
        )
        return pk

    return make
