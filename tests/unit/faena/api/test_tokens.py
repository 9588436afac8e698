from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from faena.errors import NotNow
from faena.ledger import tokens
from faena.ledger.records import Actor
from faena.models import ApiToken, AuditEntry
from faena.permissions import Role
from tests.unit.faena.api.conftest import Caller

ANA = Actor("ana", "10.0.0.7")


def test_only_the_hash_is_kept():
    made, text = tokens.create("export", Role.VIEWER, ANA)
    assert text.startswith("faena_")
    assert text not in str(ApiToken.objects.values())
    assert tokens.find(text) == made
    assert tokens.find(text + "x") is None
    assert tokens.find("") is None


def test_one_name_is_in_force_once():
    made, _ = tokens.create("export", Role.VIEWER, ANA)
    with pytest.raises(NotNow, match="in force"):
        tokens.create("export", Role.ADMIN, ANA)
    assert tokens.revoke(made.pk, ANA)
    tokens.create("export", Role.ADMIN, ANA)


def test_a_revoked_or_expired_token_opens_nothing():
    revoked, first = tokens.create("revoked", Role.VIEWER, ANA)
    expired, second = tokens.create("expired", Role.VIEWER, ANA, timedelta(days=1))
    assert {Caller(each).get("/api/jobs").status_code for each in (first, second)} == {200}
    tokens.revoke(revoked.pk, ANA)
    ApiToken.objects.filter(pk=expired.pk).update(expires=Now())
    assert {Caller(each).get("/api/jobs").status_code for each in (first, second)} == {401}
    assert not tokens.is_in_force(expired.pk)
    assert not tokens.revoke(revoked.pk, ANA)


def test_making_and_revoking_is_audited():
    made, _ = tokens.create("export", Role.OPERATOR, ANA)
    tokens.revoke(made.pk, ANA)
    said = [(each.action, each.actor, each.address, each.details["token"]) for each in AuditEntry.objects.all()]
    assert said == [
        ("revoke token", "ana", "10.0.0.7", "export"),
        ("create token", "ana", "10.0.0.7", "export"),
    ]


def test_the_last_use_is_noted_now_and_then():
    made, text = tokens.create("export", Role.VIEWER, ANA)
    tokens.find(text)
    first = ApiToken.objects.get(pk=made.pk).used
    tokens.find(text)
    assert ApiToken.objects.get(pk=made.pk).used == first
    ApiToken.objects.update(used=Now() - timedelta(hours=1))
    tokens.find(text)
    assert ApiToken.objects.get(pk=made.pk).used >= first


def test_admins_make_list_and_revoke_them(admin):
    made = admin.post("/api/tokens", {"name": "ci", "role": "operator", "days": 7}).json()
    assert Caller(made["token"]).get("/api/queues").status_code == 200
    assert "token" not in admin.get("/api/tokens").json()["data"][0]
    assert admin.post("/api/tokens", {"name": "ci"}).status_code == 409
    assert admin("DELETE", f"/api/tokens/{made['id']}").status_code == 204
    assert Caller(made["token"]).get("/api/queues").status_code == 401
    assert admin("DELETE", f"/api/tokens/{made['id']}").status_code == 404
