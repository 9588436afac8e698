from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from faena.cli.main import cli
from faena.ledger import tokens
from faena.models import ApiToken, AuditEntry

pytestmark = pytest.mark.usefixtures("ledger")


def run(*words: str, code: int = 0) -> str:
    ran = CliRunner().invoke(cli, ["tokens", *words])
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran.output


def test_a_token_is_printed_once():
    text = run("create", "export", "--role", "operator").splitlines()[-1]
    assert tokens.find(text).role == "operator"
    assert text not in run("list") + run("list", "--json")
    assert "export" in run("list")


def test_it_is_good_for_ninety_days_or_for_ever():
    run("create", "usual")
    run("create", "always", "--days", "0")
    ends = dict(ApiToken.objects.values_list("name", "expires"))
    created = ApiToken.objects.get(name="usual").created
    assert (ends["usual"] - created).days in {89, 90}
    assert ends["always"] is None


def test_revoking_says_so_and_is_audited():
    text = json.loads(run("create", "export", "--json"))["token"]
    assert run("revoke", "export") == "export is revoked.\n"
    assert tokens.find(text) is None
    assert "No token" in run("revoke", "export", code=2)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["create token", "revoke token"]


def test_a_name_that_is_in_force_is_refused():
    run("create", "export")
    assert "in force" in run("create", "export", code=2)


def test_there_is_none():
    assert "There is no token" in run("list")
