"""What every answer has in common: the shape of errors, headers, limits, nothing that a browser would run."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError

from faena import queries
from faena.api.guard import MAX_BODY
from tests.unit.faena.api.conftest import Caller

SHAPE = {"type", "title", "status", "detail"}


def is_problem(answer, status):
    said = json.loads(answer.content)
    assert answer.status_code == said["status"] == status
    assert answer["Content-Type"] == "application/problem+json"
    assert set(said) >= SHAPE
    return said


def test_markup_in_a_job_stays_text(viewer, failed):
    evil = "</script><script>alert(1)</script>&"
    pk = failed(title=evil, kwargs=json.dumps({"x": evil}))
    answer = viewer.get(f"/api/jobs/{pk}")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert not set("<>&") & set(answer.content.decode())
    assert (answer.json()["title"], answer.json()["kwargs"]["x"]) == (evil, evil)


def test_markup_in_an_error_stays_text(operator):
    answer = operator.post("/api/jobs", {"task": "<img src=x>"})
    assert "<" not in answer.content.decode()
    assert "<img src=x>" in is_problem(answer, 422)["detail"]


@pytest.mark.parametrize("body", ["{", '{"task": NaN}', "\\", "[1]", '"x"', "null"])
def test_a_body_that_is_no_such_json_is_refused(operator, body):
    answer = operator.client.post("/api/jobs", body, content_type="application/json", headers=operator.headers)
    assert answer.status_code in {400, 422}
    is_problem(answer, answer.status_code)


def test_a_body_that_is_too_large_is_refused(operator):
    is_problem(operator.post("/api/jobs", {"task": "x" * MAX_BODY}), 413)


def test_djangos_own_limit_is_told_alike(operator, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    is_problem(operator.post("/api/jobs", {"task": "x" * 2000}), 413)


def test_other_addresses_and_methods(viewer):
    is_problem(viewer.get("/api/nothing"), 404)
    is_problem(viewer.get("/api/jobs/not-an-id"), 404)
    assert is_problem(viewer("DELETE", "/api/jobs"), 405)
    assert "GET" in viewer("DELETE", "/api/jobs")["Allow"]


def test_a_failure_says_nothing_of_itself(viewer, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(queries, "job_page", fail)
    assert "1234" not in is_problem(viewer.get("/api/jobs"), 500)["detail"]


def test_a_database_that_is_away_is_a_503(viewer, monkeypatch):
    def fail(*_, **__):
        raise DatabaseError("secret host")

    monkeypatch.setattr(queries, "job_page", fail)
    assert "secret" not in is_problem(viewer.get("/api/jobs"), 503)["detail"]


def test_the_schema_is_openapi_3_1():
    schema = Caller().get("/api/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert schema["components"]["securitySchemes"]["Token"]["scheme"] == "bearer"


def test_nul_characters_are_refused(operator):
    is_problem(operator.get("/api/jobs?text=%00"), 422)
    is_problem(operator.post("/api/jobs", {"task": "x\0"}), 422)
    is_problem(operator.post("/api/queues/%00/pause"), 404)
