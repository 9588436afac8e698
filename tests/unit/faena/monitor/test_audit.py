from __future__ import annotations

import pytest
from django.urls import reverse
from uuid6 import uuid7

from faena.models import AuditEntry

EVIL = "<script>alert(1)</script>"
PAGE = "/audit/"


@pytest.fixture
def entries(db):
    job = uuid7()
    AuditEntry.objects.create(actor="olga", action="retry", job_id=job, address="10.0.0.1")
    AuditEntry.objects.create(actor="vito", action="pause queue", details={"queue": EVIL, "token": "hunter2"})
    return job


def shown(client, **query) -> str:
    return client.get(PAGE, query).content.decode()


def test_who_did_what_to_which_job_from_where(looking, entries):
    text = shown(looking)
    for said in ("olga", "Retry", "10.0.0.1", reverse("monitor:job", args=[entries]), "Pause queue"):
        assert said in text
    assert EVIL not in text
    assert "hunter2" not in text.partition("<pre")[2]


@pytest.mark.parametrize("query", [{"actor": "olga"}, {"action": "retry"}, {"address": "10.0.0.1"}])
def test_it_is_filtered(looking, entries, query):
    rows = shown(looking, **query).partition("<tbody>")[2]
    assert "olga" in rows
    assert "vito" not in rows


def test_by_job(looking, entries):
    assert "vito" not in shown(looking, job=str(entries)).partition("<tbody>")[2]
    assert "Nothing here" in shown(looking, job=str(uuid7()))


def test_it_is_paged(looking, db):
    AuditEntry.objects.bulk_create([AuditEntry(actor=f"p{n:03}", action="retry") for n in range(60)])
    first = shown(looking)
    assert ">p059<" in first.partition("<tbody>")[2]
    below = AuditEntry.objects.get(actor="p010").pk
    assert f"below={below}" in first
    assert ">p009<" in shown(looking, below=below).partition("<tbody>")[2]


def test_absurd_filters_break_nothing(looking, entries):
    assert looking.get(PAGE, {"below": "9" * 30, "job": "x", "address": "x", "actor": "\0"}).status_code == 200


def test_it_speaks_spanish(looking, entries, settings):
    settings.LANGUAGE_CODE = "es"
    assert "Pausa de una cola" in shown(looking)
