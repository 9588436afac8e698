from __future__ import annotations

import pytest

from faena.models import AuditEntry, Schedule

NEW = {"name": "nightly", "task": "tests.api.add", "kwargs": {"x": 1}, "kind": "crontab", "crontab": "0 8 * * *"}


@pytest.fixture
def made(operator):
    answer = operator.post("/api/schedules", NEW)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_it_is_made_with_its_next_ten_times(made, operator):
    assert len(made["to_come"]) == 10
    assert made["next_due"] == made["to_come"][0]["due_at"]
    assert [each["name"] for each in operator.get("/api/schedules").json()["data"]] == ["nightly"]
    assert operator.get(f"/api/schedules/{made['id']}").json()["when"]
    assert AuditEntry.objects.filter(action="save schedule", actor="token tests operator").count() == 1


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"crontab": "61 * * * *"}, "body.crontab"),
        ({"task": "tests.api.nothing"}, "body.task"),
        ({"task": "faena.act_on_jobs"}, "body.task"),
        ({"kwargs": {"z": 1}}, "body.kwargs"),
        ({"time_zone": "Mars/Olympus"}, "body.time_zone"),
        ({"priority": 11}, "body.priority"),
    ],
)
def test_what_could_never_fire_is_refused(operator, change, place):
    answer = operator.post("/api/schedules", NEW | change)
    assert answer.status_code == 422
    assert [each["place"] for each in answer.json()["errors"]] == [place]
    assert Schedule.objects.count() == 0


def test_a_change_leaves_the_rest(made, operator):
    changed = operator("PATCH", f"/api/schedules/{made['id']}", {"crontab": "30 7 * * *"}).json()
    assert changed["crontab"] == "30 7 * * *"
    assert changed["kwargs"] == {"x": 1}
    assert changed["next_due"] != made["next_due"]


def test_the_name_is_taken(made, operator):
    answer = operator.post("/api/schedules", NEW)
    assert (answer.status_code, answer.json()["errors"][0]["place"]) == (422, "body.name")


def test_it_is_disabled_enabled_run_skipped_and_deleted(made, operator, row):
    path = f"/api/schedules/{made['id']}"
    assert operator.post(f"{path}/disable").json()["next_due"] is None
    assert operator.post(f"{path}/enable").json()["next_due"]
    assert row(operator.post(f"{path}/run").json()["job"]).schedule_id == made["id"]
    skipped = operator.post(f"{path}/skip").json()
    assert operator.get(path).json()["to_come"][0] == {"due_at": skipped["due_at"], "skipped": True}
    assert operator.post(f"{path}/skip", {"due_at": skipped["due_at"]}).status_code == 409
    assert operator.post(f"{path}/unskip").json()["skipped"] is False
    assert operator.post(f"{path}/unskip").status_code == 409
    assert operator("DELETE", path).status_code == 204
    assert operator.get(path).status_code == 404


def test_the_codes_own_is_only_disabled(made, operator):
    Schedule.objects.update(source="code")
    path = f"/api/schedules/{made['id']}"
    assert operator("DELETE", path).status_code == 409
    assert operator("PATCH", path, {"crontab": "1 1 * * *"}).status_code == 409
    assert operator("PATCH", path, {"enabled": False}).json()["enabled"] is False
