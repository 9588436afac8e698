from __future__ import annotations

import re
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from uuid6 import uuid7

from faena.models import AuditEntry, Job
from faena.monitor import copying
from faena.monitor.graph import APART, graph
from faena.monitor.timeline import steps, stretches
from faena.states import State


def page(client, job, **query) -> str:
    return client.get(reverse("monitor:job", args=[job.pk]), query).content.decode()


def test_the_timeline_tells_attempts_and_people_in_order(make):
    now = timezone.now()
    errors = [{"type": "E", "message": "", "attempt": 0, "at": (now - timedelta(minutes=3)).isoformat()}]
    times = {"created": now - timedelta(minutes=5), "started": now - timedelta(minutes=1), "finished": now}
    job = make(State.COMPLETED, errors=errors, attempt=1, **times)
    act = AuditEntry.objects.create(actor="olga", action="pause", job_id=job.pk)
    act.at = now - timedelta(minutes=2)
    told = [(str(each.label), each.by, each.after and each.after.seconds) for each in steps(job, [act])]
    assert told == [
        ("Created", "", None), ("Attempt 1 failed", "", 120), ("pause", "olga", 60), ("Started", "", 60),
        ("Ended", "", 60),
    ]  # fmt: skip


def test_a_job_that_ran_once_shows_how_long_it_waited_and_ran(make):
    now = timezone.now()
    job = make(
        State.COMPLETED, created=now - timedelta(seconds=10), started=now - timedelta(seconds=8), finished=now, fence=1
    )
    assert [(each.state, each.lasted.seconds, each.width) for each in stretches(job, now)] == [
        ("pending", 2, "20.00"), ("running", 8, "80.00"),
    ]  # fmt: skip
    assert stretches(make(State.COMPLETED, fence=2), now) == []


def test_what_people_did_is_told(looking, make):
    job = make()
    AuditEntry.objects.create(actor="olga", action="retry with arguments", job_id=job.pk)
    text = page(looking, job)
    assert "Retry with arguments" in text
    assert "olga" in text


def test_the_log_is_narrowed_by_level(looking, make):
    job = make(State.RUNNING)
    for level in ("debug", "info", "warning", "error"):
        job.logs.create(level=level, text=f"a {level}", at=timezone.now())
    shown = re.findall(r"a (debug|info|warning|error)<", page(looking, job, level="warning"))
    assert shown == ["warning", "error"]
    assert len(re.findall(r"a (debug|info|warning|error)<", page(looking, job, level="nonsense"))) == 4


def test_items_show_their_output_without_secrets(looking, make):
    job = make(State.COMPLETED, done=1, total=1)
    job.items.create(key="row 1", state="done", output={"file": "a.pdf", "token": "hunter2"}, at=timezone.now())
    text = page(looking, job)
    assert "a.pdf" in text
    assert "hunter2" not in text


def member(parent: Job | None = None, root: Job | None = None, **values) -> Job:
    own = {
        "id": uuid7(),
        "kind": "k",
        "state": "completed",
        "parent_id": parent and parent.pk,
        "root_id": root and root.pk,
    }
    return Job(**(own | values))


def test_a_chain_goes_from_left_to_right():
    first = member(title="first")
    second = member(first, first, title="second")
    drawn = graph([first, second], second.pk)
    assert [(box.title, box.is_here) for box in drawn.boxes] == [("first", False), ("second", True)]
    assert drawn.boxes[0].x < drawn.boxes[1].x
    assert drawn.boxes[1].link


def test_many_alike_are_one_box_with_the_state_that_matters():
    root = member()
    parts = [member(root, root, kind="x.part", state="failed" if n == 3 else "completed") for n in range(APART + 1)]
    drawn = graph([root, *parts], root.pk)
    assert [(box.title, box.state) for box in drawn.boxes] == [("k", "completed"), (f"{APART + 1} × part", "failed")]


def test_a_job_alone_has_no_picture(looking, make):
    assert graph([member()], uuid7()) is None
    assert "graph-title" not in page(looking, make())


def test_relatives_that_point_at_each_other_are_drawn_once():
    one = member()
    two = member(one, one)
    one.parent_id = two.pk
    assert graph([one, two], one.pk) is None or graph([one, two], one.pk).width > 0


def test_the_page_draws_its_family(looking, make):
    root = make(State.COMPLETED, title="Root")
    make(State.FAILED, title="Child", root_id=root.pk, parent_id=root.pk)
    text = page(looking, root)
    assert "graph-title" in text
    assert "Child · Failed" in text


def test_it_is_copied_for_a_terminal_without_secrets(make):
    job = make(kind="shop.send", args=["it's"], kwargs={"token": "hunter2", "n": 1})
    cli, curl = copying.as_cli(job), copying.as_curl(job, "http://faena.example/")
    assert cli.startswith("celery -A APP call shop.send ")
    assert "hunter2" not in cli + curl
    assert "http://faena.example/api/jobs" in curl
    assert '"it' in curl
