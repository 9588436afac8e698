"""Each operation × each role, read from the schema: an operation without a rule fails here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from uuid6 import uuid7

from faena.api.rules import ROLE
from faena.api.urls import made
from faena.models import AuditEntry
from faena.permissions import Role
from tests.unit.faena.api.conftest import Caller

SCHEMA = made.get_openapi_schema(path_prefix="/api/")
#: By name, such as `GET /api/jobs`.
OPERATIONS: dict[str, Any] = {
    f"{method.upper()} {path}": operation
    for path, operations in SCHEMA["paths"].items()
    for method, operation in operations.items()
}
LET_IN = set(range(200, 500)) - {401, 403}


def asked_with(call: Callable[[str, str, Any], Any], names: Any = OPERATIONS) -> dict[str, Any]:
    """The answer to each operation, sent with its own example and the id of nothing."""
    return {name: call(*_request(name)) for name in names}


def _request(name: str) -> tuple[str, str, Any]:
    method, path = name.split()
    key = "999999" if "/schedules/" in path or "/tokens/" in path else str(uuid7())
    content = OPERATIONS[name].get("requestBody", {}).get("content", {}).get("application/json", {})
    return method, path.replace("{pk}", key).replace("{name}", "nobody"), content.get("example")


def browser(user: User, strict: bool = False, **headers: str) -> Callable[[str, str, Any], Any]:
    """Ask as a signed-in person's browser does."""
    client = Client(enforce_csrf_checks=strict)
    client.force_login(user)
    client.cookies["csrftoken"] = "a" * 32

    def call(method: str, path: str, body: Any) -> Any:
        content = json.dumps(body) if body else ""
        return client.generic(method, path, content, "application/json", headers=headers)

    return call


def allowed(role: Role) -> set[str]:
    return {name for name, operation in OPERATIONS.items() if role.covers(Role(operation[ROLE]))}


def test_every_operation_names_the_role_it_needs():
    assert len(OPERATIONS) > 30
    for name, operation in OPERATIONS.items():
        assert (operation[ROLE] == "viewer") == (name.startswith("GET") and "/tokens" not in name), name
        assert [set(each) for each in operation["security"]] == [{"Token"}, {"Session"}], name


def test_nobody_is_let_in_without_signing_in():
    for name, answer in asked_with(Caller()).items():
        assert answer.status_code == 401, name
        assert answer["WWW-Authenticate"].startswith("Bearer"), name
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("role", list(Role))
def test_a_token_may_what_its_role_may(role, token_of):
    call = Caller(token_of(role))
    before = AuditEntry.objects.count()
    refused = asked_with(call, OPERATIONS.keys() - allowed(role))
    assert {name: each.status_code for name, each in refused.items()} == dict.fromkeys(refused, 403)
    assert all(each.json()["type"] == "urn:faena:problem:forbidden" for each in refused.values())
    assert AuditEntry.objects.count() == before
    answers = asked_with(call, allowed(role))
    assert {name: each.status_code for name, each in answers.items() if each.status_code not in LET_IN} == {}


@pytest.mark.parametrize("role", list(Role))
def test_a_person_may_what_their_role_may(role):
    user = User.objects.create_user("pat", password="pw-1234-x")
    if role is not Role.VIEWER:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    answers = asked_with(browser(user))
    assert {name for name, each in answers.items() if each.status_code in LET_IN} == allowed(role)
    assert {each.status_code for name, each in answers.items() if name not in allowed(role)} <= {403}


def test_a_persons_write_needs_the_csrf_token():
    user = User.objects.create_superuser("root", password="pw-1234-x")
    writes = [name for name in OPERATIONS if not name.startswith("GET")]
    refused = asked_with(browser(user, strict=True), writes)
    assert {name: each.status_code for name, each in refused.items()} == dict.fromkeys(writes, 403)
    answers = asked_with(browser(user, strict=True, **{"X-CSRFToken": "a" * 32}), writes)
    assert {name: each.status_code for name, each in answers.items() if each.status_code not in LET_IN} == {}


def test_every_operation_has_an_example_of_what_is_sent_and_answered():
    for name, operation in OPERATIONS.items():
        answers = [each for status, each in operation["responses"].items() if isinstance(status, int)]
        for part in [operation.get("requestBody", {}), *answers]:
            assert all("example" in each for each in part.get("content", {}).values()), name


def test_an_inactive_person_is_not_signed_in():
    call = browser(User.objects.create_user("gone", password="pw-1234-x"))
    User.objects.update(is_active=False)
    assert call("GET", "/api/jobs", None).status_code == 401


def test_a_bad_token_does_not_fall_back_on_a_session():
    user = User.objects.create_superuser("root", password="pw-1234-x")
    assert browser(user, authorization="Bearer faena_wrong")("GET", "/api/jobs", None).status_code == 401
