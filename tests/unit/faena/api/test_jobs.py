from __future__ import annotations

import json
from uuid import UUID

import pytest
from uuid6 import uuid7

from faena.celery import many
from faena.ledger import hold, queues
from faena.ledger.records import Item, Line, write_items, write_lines
from faena.models import AuditEntry, Job
from faena.states import ItemState, State
from tests.support import inline

MASK = "••••••"


def test_a_job_is_created_by_the_name_of_its_task(operator, row):
    given = {"task": "tests.api.send", "kwargs": {"to": "ana", "api_key": "s3cret"}, "queue": "mail", "priority": 7}
    answer = operator.post("/api/jobs", given | {"tags": ["x"]})
    assert answer.status_code == 201
    said = answer.json()
    assert (said["kind"], said["title"], said["queue"], said["priority"]) == (
        "tests.api.send",
        "Send to ana",
        "mail",
        7,
    )
    assert said["kwargs"] == {"to": "ana", "api_key": MASK}
    assert said["tags"] == ["x"]
    job = row(said["id"])
    assert job.kwargs["api_key"] == "s3cret"
    assert job.created_by == "token tests operator"
    entry = AuditEntry.objects.get(action="create")
    assert (entry.actor, entry.address, entry.job_id) == ("token tests operator", "127.0.0.1", job.pk)
    assert entry.details["kwargs"]["api_key"] == MASK


def test_a_created_job_runs(operator, row):
    pk = operator.post("/api/jobs", {"task": "tests.api.add", "args": [2, 3]}).json()["id"]
    inline.drain()
    assert row(pk).result == 5


def test_one_that_is_not_to_start_waits_until_it_is_started(operator, row):
    pk = operator.post("/api/jobs", {"task": "tests.api.add", "args": [2, 3], "auto_start": False}).json()["id"]
    inline.drain()
    assert row(pk).state == "paused"
    assert operator.post(f"/api/jobs/{pk}/start").json()["state"] == "pending"
    inline.drain()
    assert row(pk).result == 5


def test_a_delayed_job_may_be_started_now(operator, row):
    pk = operator.post("/api/jobs", {"task": "tests.api.add", "args": [1], "countdown": 3600}).json()["id"]
    assert inline.drain() == 0
    assert operator.post(f"/api/jobs/{pk}/start").status_code == 200
    inline.drain()
    assert row(pk).state == "completed"
    assert operator.post(f"/api/jobs/{pk}/start").status_code == 409


def test_a_unique_job_that_lives_is_answered_again(operator):
    given = {"task": "tests.api.add", "args": [1], "unique": "only"}
    first, second = (operator.post("/api/jobs", given) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"task": "tests.api.nothing"}, "body.task"),
        ({"task": "faena.act_on_jobs", "args": ["cancel", {}, "somebody else"]}, "body.task"),
        ({"task": "tests.api.add"}, "body.kwargs.x"),
        ({"task": "tests.api.add", "args": ["one"]}, "body.kwargs.x"),
        ({"task": "tests.api.add", "kwargs": {"x": 1, "z": 2}}, "body.kwargs.z"),
        ({"task": "tests.api.add", "args": [1], "priority": 10}, "body.priority"),
        ({"task": "tests.api.add", "args": [1], "tsak": "x"}, "body.tsak"),
        ({"task": "tests.api.add", "args": [1], "eta": "2030-01-01T00:00:00"}, "body.eta"),
        ({"task": "tests.api.add", "args": {"x": 1}}, "body.args"),
        ({}, "body.task"),
    ],
)
def test_what_cannot_be_is_refused_whole_with_its_place(operator, given, place):
    answer = operator.post("/api/jobs", given)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert place in [each["place"] for each in answer.json()["errors"]]
    assert Job.objects.count() == 0


def test_the_list_is_filtered_as_the_monitors(viewer, make_job, failed):
    make_job(queue="mail")
    wanted = failed(kind="tests.special")
    found = viewer.get("/api/jobs?state=failed&kind=tests.special").json()["data"]
    assert [each["id"] for each in found] == [str(wanted)]
    assert found[0]["error"] == {"type": "ValueError", "message": "no"}
    assert len(viewer.get("/api/jobs?queue=mail").json()["data"]) == 1
    assert viewer.get("/api/jobs?state=lost").status_code == 422
    assert viewer.get("/api/jobs?limit=0").status_code == 422
    assert viewer.get("/api/jobs?cursor=x").json()["errors"][0]["place"] == "query.cursor"


def test_an_unknown_filter_is_refused(viewer):
    answer = viewer.get("/api/jobs?stat=failed")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "query.stat"


def test_pages_stay_put_while_jobs_arrive(viewer, make_job):
    there = [make_job() for _ in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        page = viewer.get(f"/api/jobs?limit=2&cursor={cursor}").json()
        seen += [each["id"] for each in page["data"]]
        cursor = page["next"]
        make_job()
    assert seen == [str(each) for each in reversed(there)]


def test_a_stuck_job_is_set_to_failed_and_its_holder_loses_it(operator, make_job, take, row):
    from faena.errors import LeaseLost
    from faena.ledger.settle import Done, settle

    held = take(make_job())
    answer = operator("PATCH", f"/api/jobs/{held.job_id}", {"status": "failed"})
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert answer.json()["error"]["type"] == "DeclaredFailed"
    with pytest.raises(LeaseLost):
        settle(held, Done("1"))
    assert row(held.job_id).state == "failed"
    assert AuditEntry.objects.filter(action="fail", job_id=held.job_id).exists()


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        ("pending", "paused", "paused"),
        ("pending", "cancelled", "cancelled"),
        ("pending", "failed", "failed"),
        ("paused", "running", "pending"),
        ("paused", "cancelled", "cancelled"),
        ("failed", "pending", "pending"),
    ],
)
def test_patch_moves_as_the_states_allow(operator, make_job, failed, before, status, after):
    pk = failed() if before == "failed" else make_job()
    if before == "paused":
        hold.pause(pk)
    assert operator("PATCH", f"/api/jobs/{pk}", {"status": status}).json()["state"] == after


def test_patch_says_why_not(operator, failed):
    answer = operator("PATCH", f"/api/jobs/{failed()}", {"status": "paused"})
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:faena:problem:not-allowed"
    assert answer.json()["state"] == "failed"
    assert operator("PATCH", f"/api/jobs/{failed()}", {"status": "completed"}).status_code == 422


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "cancel", "discard", "retry"])
def test_each_verb_of_an_unknown_job_is_not_found(operator, verb):
    answer = operator.post(f"/api/jobs/{uuid7()}/{verb}")
    assert answer.status_code == 404
    assert "no job" in answer.json()["detail"]


def test_pause_resume_and_cancel(operator, make_job):
    pk = make_job()
    said = [operator.post(f"/api/jobs/{pk}/{verb}").json()["state"] for verb in ("pause", "resume", "cancel")]
    assert said == ["paused", "pending", "cancelled"]
    assert AuditEntry.objects.filter(job_id=pk).count() == 3


def test_retry_as_it_was_or_with_other_arguments(operator, failed, row):
    pk = failed(kind="tests.api.send", kwargs=json.dumps({"to": "ana", "api_key": "s3cret"}))
    assert operator.post(f"/api/jobs/{pk}/retry", {"kwargs": {"too": "x"}}).status_code == 422
    answer = operator.post(f"/api/jobs/{pk}/retry", {"kwargs": {"to": "eva", "api_key": MASK}})
    assert answer.status_code == 201
    new = row(answer.json()["id"])
    assert new.kwargs == {"to": "eva", "api_key": "s3cret"}
    assert new.retry_of == pk
    answer = operator.post(f"/api/jobs/{pk}/retry")
    assert (answer.status_code, answer.json()["id"]) == (200, str(pk))
    assert operator.post(f"/api/jobs/{failed()}/retry", {}).json()["state"] == "pending"


def test_nobody_says_in_anothers_name_who_asked(operator, failed):
    pk = failed(kind=many.NAME, args=json.dumps(["cancel", {}, "ana"]))
    assert operator.post(f"/api/jobs/{pk}/retry", {"args": ["cancel", {}, "eva"]}).status_code == 422


def test_items_and_log_go_on_where_the_page_before_ended(viewer, make_job):
    from django.utils import timezone

    pk, now = make_job(), timezone.now()
    write_items(pk, [Item(str(n), ItemState.DONE, "", {"password": "x"}, now, 0.1) for n in range(3)])
    write_lines(pk, [Line(now, "info", f"line {n}", 0) for n in range(3)])
    first = viewer.get(f"/api/jobs/{pk}/items?limit=2").json()
    second = viewer.get(f"/api/jobs/{pk}/items?limit=2&cursor={first['next']}").json()
    assert [each["key"] for each in first["data"] + second["data"]] == ["0", "1", "2"]
    assert second["next"] is None
    assert first["data"][0]["output"] == {"password": MASK}
    log = viewer.get(f"/api/jobs/{pk}/log").json()
    assert [each["text"] for each in log["data"]] == ["line 0", "line 1", "line 2"]
    assert viewer.get(f"/api/jobs/{pk}/log?cursor={log['next']}").json() == {"data": [], "next": log["next"]}


def test_why_it_is_not_running(viewer, make_job):
    queues.pause("celery")
    said = viewer.get(f"/api/jobs/{make_job()}/why").json()
    assert said["code"] == "queue_paused"
    assert "paused" in said["sentence"]


def test_many_jobs_are_acted_upon_by_a_background_job(operator, failed, row):
    pks = [failed(kind="tests.api.add", args="[1]") for _ in range(3)]
    answer = operator.post("/api/jobs/bulk", {"action": "retry", "filter": {"state": "failed"}})
    assert answer.status_code == 202
    assert answer.json()["count"] == 3
    inline.drain()
    assert {row(pk).state for pk in pks} == {State.COMPLETED}
    assert row(UUID(answer.json()["job"])).args[2:] == ["token tests operator", "127.0.0.1"]
    assert operator.post("/api/jobs/bulk", {"action": "retry", "filter": {}}).status_code == 422


def test_failures_are_grouped_and_acted_upon(operator, failed, row):
    pk = failed()
    group = operator.get("/api/failures").json()["data"][0]
    assert (group["kind"], group["count"], group["example"]) == ("tests.nothing", 1, str(pk))
    wanted = {name: group[name] for name in ("kind", "failure")}
    assert operator.post("/api/failures/discard", wanted).status_code == 202
    inline.drain()
    assert row(pk).state == "cancelled"
