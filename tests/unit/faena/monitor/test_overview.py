from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from faena.models import Incident, Minute, Schedule, Snapshot, Worker
from faena.models.alert_rule import AlertRule
from faena.states import State

PAGE = "/"


@pytest.fixture
def books(db):
    def keep(difference: int = 0):
        value = {"accepted": 12, "pruned": 2, "difference": difference, "is_balanced": not difference}
        value |= {"by_state": {"completed": 9, "failed": 1, "paused": 0}, "impossible": {}}
        Snapshot.objects.create(name="books", at=timezone.now(), value=value)

    return keep


def shown(client) -> str:
    return client.get(PAGE).content.decode()


def test_an_old_address_of_the_list_leads_to_the_list(looking):
    answer = looking.get("/?state=failed&kind=a.b")
    assert (answer.status_code, answer.url) == (301, "/jobs/?state=failed&kind=a.b")


def test_it_says_what_waits_for_how_long_and_who_works(looking, make):
    make(queue="slow", run_at=timezone.now() - timedelta(minutes=5))
    make(State.RUNNING)
    make(State.FAILED, title="Broken", error={"type": "ValueError", "message": "no"})
    now = timezone.now()
    own = {"holder": "h", "host": "h", "pid": 1, "pool": "prefork", "started": now}
    Worker.objects.create(name="w/1", slots=3, queues=["celery"], seen=now, **own)
    text = shown(looking)
    assert "the first for 5 min" in text
    assert "of 3 places" in text
    assert "nobody listens" in text
    assert "ValueError: no" in text


def test_the_chart_has_words_for_what_it_shows(looking, db):
    minute = timezone.now().replace(second=0, microsecond=0)
    Minute.objects.create(minute=minute, completed=7, failed=2)
    text = shown(looking)
    assert "7 completed and 2 failed, the most in one step 9" in text
    assert "22.2 % failed" in text
    assert 'class="chart-failed"' in text


@pytest.mark.parametrize("span", ["", "day", "week", "nonsense"])
def test_every_span_is_drawn(looking, db, span):
    assert looking.get(PAGE, {"span": span}).status_code == 200


def test_balanced_books_are_an_equation(looking, books):
    books()
    text = shown(looking)
    assert "balanced" in text
    assert "9 Completed" in text
    assert "2 pruned" in text


def test_books_out_of_balance_are_marked_red(looking, books):
    books(difference=3)
    text = shown(looking)
    assert "out of balance" in text
    assert "3 jobs are missing." in text
    assert 'id="books" aria-labelledby="books-title" data-level="error"' in text


def test_open_incidents_stand_on_top(looking, db):
    rule = AlertRule.objects.create(name="Late", condition="oldest_wait", threshold=60, channel="mail", target="a@b.co")
    Incident.objects.create(rule=rule, started=timezone.now(), found={"value": 90, "names": ["slow"]})
    assert "A job has been waiting for 90 s. Queue: slow." in shown(looking)


def test_what_is_due_next_is_said(looking, db):
    soon = timezone.now() + timedelta(minutes=2, seconds=3)
    Schedule.objects.create(name="merge", task="t", kind="interval", every=120, next_due=soon)
    text = shown(looking)
    assert "every 2 minutes" in text
    assert "in 2 min" in text


def test_it_needs_few_queries(looking, make, django_assert_max_num_queries):
    for state in State:
        make(state)
    looking.get(PAGE)
    with django_assert_max_num_queries(18):
        looking.get(reverse("monitor:overview-live"))
