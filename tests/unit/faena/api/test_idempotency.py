from __future__ import annotations

import threading
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from faena.models import ApiToken, AuditEntry, Job, KeyedAnswer
from tests.unit.faena.api.conftest import Caller

GIVEN = {"task": "tests.api.add", "args": [1]}


def test_the_same_key_gives_the_same_answer_once(operator):
    first, second = (operator.post("/api/jobs", GIVEN, idempotency_key="k1") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert (first.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert Job.objects.count() == 1
    assert operator.post("/api/jobs", GIVEN, idempotency_key="k2").json()["id"] != first.json()["id"]


def test_a_key_that_meant_something_else_is_refused(operator):
    operator.post("/api/jobs", GIVEN, idempotency_key="k1")
    answer = operator.post("/api/jobs", GIVEN | {"args": [2]}, idempotency_key="k1")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:faena:problem:key-reused")


def test_what_was_refused_may_be_tried_again(operator):
    assert operator.post("/api/jobs", {"task": "tests.api.nothing"}, idempotency_key="k1").status_code == 422
    assert KeyedAnswer.objects.count() == 0
    assert operator.post("/api/jobs", GIVEN, idempotency_key="k1").status_code == 201


def test_keys_are_each_callers_own(operator, admin):
    ids = {each.post("/api/jobs", GIVEN, idempotency_key="k1").json()["id"] for each in (operator, admin)}
    assert len(ids) == 2


def test_old_answers_are_forgotten(operator):
    operator.post("/api/jobs", GIVEN, idempotency_key="k1")
    KeyedAnswer.objects.update(created=timezone.now() - timedelta(hours=25))
    operator.post("/api/jobs", GIVEN, idempotency_key="k1")
    assert Job.objects.count() == 2


def test_a_tokens_text_is_kept_nowhere(admin):
    answer = admin.post("/api/tokens", {"name": "x"}, idempotency_key="k1")
    assert answer.status_code == 201
    assert KeyedAnswer.objects.count() == 0
    text = answer.json()["token"]
    stored = [str(each) for each in [*ApiToken.objects.values(), *AuditEntry.objects.values()]]
    assert not any(text in each for each in stored)


def test_of_many_at_once_one_does_it(token_of):
    text = token_of("operator")
    barrier = threading.Barrier(8)
    answers = []

    def ask():
        caller = Caller(text)
        barrier.wait()
        try:
            answers.append(caller.post("/api/jobs", GIVEN, idempotency_key="k1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {each.status_code for each in answers} == {201}
    assert len({each.content for each in answers}) == 1
    assert Job.objects.count() == 1
