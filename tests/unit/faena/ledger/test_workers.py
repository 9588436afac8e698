from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from faena import queries
from faena.ledger import workers
from faena.ledger.workers import Standing
from faena.models import Worker

pytestmark = pytest.mark.usefixtures("ledger")
ONE = Standing("celery@a/1", "a|1|1.0", "a", 1, "prefork", 2, ["reports", "celery"])


def test_a_beat_writes_the_row_and_the_next_one_changes_it():
    workers.beat(ONE)
    began = Worker.objects.get()
    assert (began.host, began.pid, began.pool, began.slots, began.queues) == (
        "a",
        1,
        "prefork",
        2,
        ["celery", "reports"],
    )
    workers.beat(replace(ONE, queues=["mail"], slots=4))
    now = Worker.objects.get()
    assert (now.queues, now.slots, now.started) == (["mail"], 4, began.started)
    assert now.seen >= began.seen


def test_another_process_of_the_same_name_started_by_itself():
    workers.beat(ONE)
    Worker.objects.update(started=timezone.now() - timedelta(hours=1))
    workers.beat(replace(ONE, holder="a|1|999.0"))
    assert timezone.now() - Worker.objects.get().started < timedelta(minutes=1)


def test_who_leaves_is_gone_and_who_is_silent_for_a_day_too():
    for name in ("left", "silent", "here"):
        workers.beat(replace(ONE, name=name))
    workers.leave("left")
    Worker.objects.filter(name="silent").update(seen=timezone.now() - timedelta(hours=23))
    assert workers.forget_once() == 0
    Worker.objects.filter(name="silent").update(seen=timezone.now() - timedelta(hours=25))
    assert workers.forget_once() == 1
    assert [each.name for each in queries.workers()] == ["here"]
