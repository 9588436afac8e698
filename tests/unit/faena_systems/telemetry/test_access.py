"""Sessions, logins and their limit, against PanAccess over HTTP."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from faena.ledger import limits
from faena_sandbox.panaccess.behaviour import FUNCTIONS, Fault
from faena_systems.telemetry.errors import (
    LoginRefused,
    NoAccess,
    NotConfigured,
    ServiceError,
    UnknownFunction,
    Unreachable,
    UnreadableAnswer,
)
from faena_systems.telemetry.models import PanaccessSession
from faena_systems.telemetry.panaccess import configuration
from faena_systems.telemetry.panaccess.access import LOGIN_RATE, Access
from faena_systems.telemetry.panaccess.client import of_process
from faena_systems.telemetry.panaccess.place import ordered

pytestmark = pytest.mark.django_db(transaction=True)


def access() -> Access:
    """As a process of its own has it; without a job it waits for its permits in plain."""
    run = SimpleNamespace(permit=limits.acquire)
    return Access(of_process(configuration.read()), run)


def first_page(made: Access):
    return made.list_records(ordered(0, 10))


def test_all_workers_share_one_session(panaccess):
    panaccess.dataset.rows = 3
    assert [first_page(access()).size for _ in range(5)] == [3] * 5
    assert panaccess.calls["login"] == 1


def test_an_expired_session_is_replaced_once(panaccess):
    made = access()
    first_page(made)
    panaccess.expire_sessions()
    panaccess.dataset.rows = 2
    assert first_page(made).size == 2
    assert panaccess.calls["login"] == 2


def test_a_session_that_another_worker_opened_is_taken_over(panaccess):
    one, other = access(), access()
    first_page(one)
    panaccess.expire_sessions()
    first_page(other)
    logins = panaccess.calls["login"]
    first_page(one)
    assert panaccess.calls["login"] == logins
    assert one.session_id == other.session_id == PanaccessSession.objects.get().session_id


def test_the_same_answer_right_after_a_login_is_a_lack_of_rights(panaccess, monkeypatch):
    monkeypatch.setenv("PANACCESS_FUNCTION", FUNCTIONS[0])
    panaccess.behaviour.has_rights = False
    with pytest.raises(NoAccess, match="no_access_to_function"):
        first_page(access())
    assert panaccess.calls["login"] == 1


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_known_name_of_the_list_is_found(panaccess, name):
    panaccess.behaviour.function = name
    made = access()
    first_page(made)
    first_page(made)
    assert made.client.function == name
    assert panaccess.calls[FUNCTIONS[0]] <= (2 if name == FUNCTIONS[0] else 1)


def test_an_installation_without_any_of_the_names(panaccess):
    panaccess.behaviour.function = "listEverything"
    with pytest.raises(UnknownFunction, match="PANACCESS_FUNCTION"):
        first_page(access())


def test_the_configured_name_is_the_only_one_tried(panaccess, monkeypatch):
    monkeypatch.setenv("PANACCESS_FUNCTION", "listEverything")
    panaccess.behaviour.function = "listEverything"
    first_page(access())
    assert set(panaccess.calls) == {"login", "listEverything"}


@pytest.mark.parametrize("kind", ["error", "http_500", "html", "truncated"])
def test_a_burst_of_failures_is_survived(panaccess, kind):
    panaccess.dataset.rows = 4
    panaccess.faults.append(Fault(kind, times=3))
    assert first_page(access()).size == 4


@pytest.mark.parametrize(
    ("kind", "error"), [("error", ServiceError), ("http_500", UnreadableAnswer), ("truncated", UnreadableAnswer)]
)
def test_failures_without_an_end_are_told(panaccess, kind, error):
    panaccess.faults.append(Fault(kind, times=4))
    with pytest.raises(error):
        first_page(access())


def test_a_login_that_fails_by_chance_is_tried_again(panaccess):
    panaccess.faults.append(Fault("html", times=2, function="login"))
    first_page(access())
    assert panaccess.calls["login"] == 3


def test_a_wrong_password_is_told_without_it(panaccess, monkeypatch, caplog):
    monkeypatch.setenv("PANACCESS_PASSWORD", "hunter2")
    with caplog.at_level(logging.DEBUG), pytest.raises(LoginRefused, match="PANACCESS_PASSWORD") as refused:
        first_page(access())
    digest = configuration.read().password_digest
    for secret in ("hunter2", digest, "token"):
        assert secret not in f"{refused.value!s} {refused.value!r} {caplog.text} {configuration.read()!r}"


def test_a_secret_that_panaccess_repeats_is_struck_out(panaccess):
    client = of_process(configuration.read())
    error = client._failure("f", {"success": False, "errorMessage": "bad password secreto of operador"})
    assert str(error) == "PanAccess failed: bad password … of operador"


def test_nobody_answers(panaccess, monkeypatch):
    monkeypatch.setenv("PANACCESS_URL", "http://127.0.0.1:1/")
    with pytest.raises(Unreachable, match="PANACCESS_URL"):
        first_page(access())


def test_the_limit_of_logins_holds_whoever_logs_in(panaccess):
    key = f"panaccess:login:{configuration.read().account}"
    for _ in range(limits.Rate.parse(LOGIN_RATE).count):
        assert limits.take(key, LOGIN_RATE) == 0
    impatient = access()
    impatient._run.permit = lambda key, rate: limits.acquire(key, rate, timeout=0)
    with pytest.raises(TimeoutError):
        first_page(impatient)
    assert panaccess.calls["login"] == 0


def test_what_is_missing_is_named(unconfigured, monkeypatch):
    monkeypatch.setenv("PANACCESS_URL", "http://localhost/")
    monkeypatch.setenv("PANACCESS_SALT", "")
    with pytest.raises(NotConfigured) as error:
        configuration.read()
    assert error.value.missing == ["PANACCESS_USERNAME", "PANACCESS_PASSWORD", "PANACCESS_API_TOKEN"]
