from __future__ import annotations

from datetime import timedelta

import pytest
from celery import shared_task
from django.utils import timezone

from faena import queries
from faena.filters import JobFilter
from faena.models import Job
from faena.selection import Selection

pytestmark = pytest.mark.django_db


@shared_task(name="filters.sign_in")
def sign_in(user, password): ...


@pytest.fixture
def make():
    def make_it(title: str, **values) -> Job:
        now = timezone.now()
        own = {
            "kind": "shop.send",
            "queue": "q",
            "state": "completed",
            "started": now - timedelta(seconds=5),
            "finished": now,
        }
        return Job.objects.create(**(own | {"title": title} | values))

    return make_it


def found(**wanted) -> set[str]:
    listed = {job.title for job in queries.job_page(JobFilter(**wanted)).jobs}
    assert {job.title for job in Selection(**wanted).jobs()} == listed
    return listed


def test_text_is_found_in_titles_kinds_errors_and_arguments(make):
    make("title with Ñandú")
    make("kind", kind="ñandú.send")
    make("error", error={"type": "E", "message": "no hay ñandú"})
    make("args", args=["Ñandú del sur"])
    make("kwargs", kwargs={"store": 'the "ñandú"'})
    make("other")
    assert found(text="andú") == {"title with Ñandú", "kind", "error", "args", "kwargs"}
    assert found(text='"ñandú"') == {"kwargs"}


def test_secrets_cannot_be_guessed_by_searching(make):
    make("by name", kwargs={"api_key": "hunter2"})
    make("by place", kind=sign_in.name, args=["bob", "hunter2"])
    make("deep", args=[{"password": "hunter2"}])
    make("plain", args=["hunter2"])
    assert found(text="hunter2") == {"plain"}
    assert found(text="bob") == set()


def test_tags_are_whole_words(make):
    make("a", tags=["lima", "vip"])
    make("b", tags=["lima norte"])
    assert found(tag="lima") == {"a"}
    assert found(tag="vip") == {"a"}


def test_schedule_time_failure_and_duration(make):
    now = timezone.now()
    make("old", created=now - timedelta(days=2), schedule_id=7)
    make("slow", started=now - timedelta(minutes=10), created=now - timedelta(hours=1))
    make("bad", state="failed", failure="E in x", created=now)
    assert found(schedule=7) == {"old"}
    assert found(since=now - timedelta(hours=2), until=now - timedelta(minutes=1)) == {"slow"}
    assert found(longer=60.0) == {"slow"}
    assert found(shorter=60.0) == {"old", "bad"}
    assert found(longer=1.0, shorter=60.0, state="failed", failure="E in x") == {"bad"}


def test_a_selection_survives_as_plain_values(make):
    now = timezone.now()
    wanted = Selection(state="failed", schedule=3, since=now, longer=0.0, ids=("a",), before=now)
    assert Selection.of(wanted.as_json()) == wanted
    assert Selection.all_of(JobFilter(text="x", tag="y")).as_json() == {"text": "x", "tag": "y"}
    assert Selection().is_everything
    assert not Selection(tag="y").is_everything
