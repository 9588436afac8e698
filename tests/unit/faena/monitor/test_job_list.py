from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.urls import reverse
from django.utils import timezone

from faena.masking import MASK
from faena.models import AuditEntry, Job, SavedView, Schedule
from faena.states import State

LIST = "/jobs/"


def shown(client, **query) -> str:
    return client.get(LIST, query).content.decode()


def titles(text: str, *names: str) -> set[str]:
    return {name for name in names if f">{name}</a>" in text}


def test_every_filter_lives_in_the_address(looking, make):
    schedule = Schedule.objects.create(name="hourly", task="t", kind="interval", every=60)
    now = timezone.now()
    make(State.COMPLETED, title="Alpha", tags=["vip"], schedule_id=schedule.pk, args=["Lima"])
    make(State.COMPLETED, title="Beta", started=now - timedelta(hours=1), created=now - timedelta(days=3))
    both = ("Alpha", "Beta")
    for query in ({"tag": "vip"}, {"schedule": schedule.pk}, {"q": "lima"}, {"shorter": "60"}):
        assert titles(shown(looking, **query), *both) == {"Alpha"}
    for query in ({"longer": "60,5"}, {"until": (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")}):
        assert titles(shown(looking, **query), *both) == {"Beta"}
    since = timezone.localtime(now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert titles(shown(looking, since=since), *both) == {"Alpha"}


@pytest.mark.parametrize(
    "query",
    [
        {"schedule": "x"},
        {"longer": "nan"},
        {"longer": "1e99"},
        {"since": "2026-99-01T00:00"},
        {"until": "0001-01-01T00:00"},
    ],
)
def test_what_makes_no_sense_is_left_out(looking, make, query):
    make(title="Alpha")
    assert titles(shown(looking, **query), "Alpha") == {"Alpha"}


def test_each_filter_can_be_taken_away(looking, make):
    make(tags=["vip"])
    text = shown(looking, tag="vip", kind="tests.work", before="x")
    assert 'href="/jobs/?kind=tests.work"' in text
    assert 'href="/jobs/?tag=vip"' in text


def test_filters_offer_what_there_is(looking, make):
    make(tags=["vip"], kind="a.b", queue="slow")
    text = shown(looking)
    for offered in ("vip", "a.b", "slow"):
        assert f'<option value="{offered}"></option>' in text


@pytest.mark.parametrize(
    ("state", "verbs"), [("failed", {"retry", "discard"}), ("pending", {"pause", "cancel"}), ("", set())]
)
def test_the_tab_decides_what_is_done_to_all(acting, looking, make, state, verbs):
    make(State.FAILED)
    make(State.PENDING)
    text = shown(acting, state=state)
    assert {verb for verb in ("retry", "discard", "pause", "cancel", "resume") if f"many-{verb}" in text} == verbs
    assert "many-" not in shown(looking, state=state)


def many(client, action: str, filter: str):
    return client.post(reverse("monitor:act-on-many", args=[action]), {"filter": filter})


def test_acting_on_all_is_a_background_job_over_the_whole_filter(acting, make):
    make(State.FAILED)
    answer = many(acting, "retry", "state=failed&kind=tests.work&tag=vip&longer=2&since=2026-01-01T00:00")
    job = Job.objects.get(kind="faena.act_on_jobs")
    assert answer.url == reverse("monitor:job", args=[job.pk])
    since = {"since": "2026-01-01T00:00:00+00:00"}
    assert job.args[1] == {"state": "failed", "kind": "tests.work", "tag": "vip", "longer": 2.0} | since
    assert AuditEntry.objects.get().action == "retry many"


@pytest.mark.parametrize(("action", "query"), [("retry", ""), ("retry", "state=pending"), ("cancel", "kind=a")])
def test_what_the_filters_state_does_not_allow_is_refused(acting, make, action, query):
    make()
    many(acting, action, query)
    assert not Job.objects.filter(kind="faena.act_on_jobs").exists()


def test_viewers_act_on_none(looking, make):
    make(State.FAILED)
    assert many(looking, "retry", "state=failed").status_code == 403


def save(client, name: str, query: str, **more):
    return client.post(reverse("monitor:save-view"), {"name": name, "filter": query} | more, follow=True)


def test_views_are_kept_shared_replaced_and_deleted(looking, acting, make):
    make()
    assert "is kept" in save(looking, "Failures of Lima", "state=failed&q=lima&before=x&evil=1").content.decode()
    view = SavedView.objects.get()
    assert view.query == "state=failed&q=lima"
    assert "Failures of Lima" in shown(looking)
    assert "Failures of Lima" not in shown(acting)
    save(looking, "Failures of Lima", "state=failed", shared="on")
    assert "Failures of Lima" in shown(acting)
    acting.post(reverse("monitor:delete-view", args=[view.pk]))
    assert SavedView.objects.get().query == "state=failed"
    looking.post(reverse("monitor:delete-view", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_a_view_without_a_name_is_refused_kindly(looking, db):
    assert "A view needs a name" in save(looking, " ", "state=failed").content.decode()


def test_csv_has_one_line_per_job_and_no_formulas(looking, make):
    make(State.FAILED, title="=HYPERLINK(1)", error={"type": "ValueError", "message": "-1"}, kind="a")
    make(State.COMPLETED, title="other", kind="b")
    answer = looking.get(reverse("monitor:export", args=["csv"]), {"kind": "a"})
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["title"], row["error_message"], row["seconds"]) for row in rows] == [("'=HYPERLINK(1)", "'-1", "3.0")]


def test_json_has_arguments_without_secrets(looking, make):
    make(State.COMPLETED, kwargs={"token": "hunter2", "store": "Lima"}, result={"n": 1})
    found = json.loads(looking.get(reverse("monitor:export", args=["json"])).content)
    assert (found[0]["kwargs"], found[0]["result"]) == ({"token": MASK, "store": "Lima"}, {"n": 1})


def test_an_export_goes_on_over_pages(looking, make, monkeypatch):
    monkeypatch.setattr("faena.monitor.exporting.PAGE", 2)
    now = timezone.now()
    for number in range(5):
        make(title=str(number), created=now + timedelta(seconds=number // 2), pk=UUID(int=number))
    found = json.loads(looking.get(reverse("monitor:export", args=["json"])).content)
    assert [job["title"] for job in found] == ["4", "3", "2", "1", "0"]
