from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from faena.ledger import schedules
from faena.models import AuditEntry, Job, Occurrence, Schedule
from faena.models.schedule import Source
from tests.support import jobs

pytestmark = pytest.mark.usefixtures("ledger")

ADD = reverse("admin:faena_schedule_add")
LIST = reverse("admin:faena_schedule_changelist")


@pytest.fixture
def client(ledger):
    users = get_user_model().objects
    boss = users.create_superuser("boss")
    made = Client(headers={"accept-language": "en"})
    made.force_login(boss)
    yield made
    boss.delete()


def form(**values) -> dict:
    usual = {
        "name": "nightly", "task": jobs.add.name, "args": "[1, 2]", "kwargs": "{}", "enabled": "on",
        "kind": "crontab", "crontab": "0 8 * * *", "time_zone": "UTC", "starts_0": "2026-01-01", "starts_1": "00:00:00",
        "overlap": "skip", "misfire": "once", "catch_up": "10", "jitter": "0",
    }  # fmt: skip
    return usual | values


def change(schedule: Schedule) -> str:
    return reverse("admin:faena_schedule_change", args=[schedule.pk])


def test_a_schedule_is_made_and_knows_its_next_time(client):
    assert client.post(ADD, form()).status_code == 302
    made = Schedule.objects.get()
    assert (made.args, made.kwargs, made.next_due.hour) == ([1, 2], {}, 8)
    assert AuditEntry.objects.get().actor == "boss"
    shown = client.get(LIST).content.decode()
    assert "every day at 08:00 (UTC)" in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"task": "tests.support.jobs.ad"}, "did you mean tests.support.jobs.add?"),
        ({"crontab": "0 0 31 2 *"}, "never comes"),
        ({"args": "[1]"}, "missing 1 required positional argument"),
        ({"args": "[1"}, "valid JSON"),
        ({"kind": "interval"}, "needs a value"),
        ({"time_zone": "Mars"}, "no time zone of this name"),
    ],
)
def test_what_could_never_fire_is_refused_in_the_form(client, values, said):
    answer = client.post(ADD, form(**values))
    assert answer.status_code == 200
    assert said in answer.content.decode().replace("&#x27;", "'")
    assert not Schedule.objects.exists()


def test_no_arguments_are_none(client):
    client.post(ADD, form(task=jobs.killer.name, args="", kwargs=""))
    assert (Schedule.objects.get().args, Schedule.objects.get().kwargs) == ([], {})


def test_of_the_codes_only_whether_it_is_enabled_is_changed(client):
    schedules.synchronise(
        [
            Schedule(
                name="code", source=Source.CODE, task="gone", kind="interval", every=60.0, problem="Unknown task gone."
            )
        ]
    )
    made = Schedule.objects.get()
    page = client.get(change(made)).content.decode()
    assert 'name="enabled"' in page
    assert 'name="task"' not in page
    assert client.post(change(made), {}).status_code == 302
    made.refresh_from_db()
    assert (made.enabled, made.task, made.every) == (False, "gone", 60)
    assert client.get(reverse("admin:faena_schedule_delete", args=[made.pk])).status_code == 403


def test_actions(client):
    client.post(ADD, form())
    made = Schedule.objects.get()

    def act(action: str) -> str:
        answer = client.post(LIST, {"action": action, "_selected_action": [made.pk]}, follow=True)
        made.refresh_from_db()
        return answer.content.decode()

    act("disable")
    assert made.next_due is None
    act("enable")
    assert made.next_due
    assert "1 schedule: done." in act("run_now")
    assert "the one before was not over" in act("run_now")
    act("skip_next")
    assert Job.objects.count() == 1
    assert Occurrence.objects.get(due_at=made.next_due).why == "by boss"
