from __future__ import annotations

import pytest
from django.db import OperationalError
from django.utils import timezone
from uuid6 import uuid7

from faena.celery import holding, many
from faena.celery.many import act_on_many
from faena.duties.relay import relay_once
from faena.errors import NoInput
from faena.ledger import hold, settle
from faena.ledger.enqueue import NewJob
from faena.ledger.records import Actor
from faena.ledger.settle import Done, Error, Failed
from faena.models import AuditEntry, Job, JobItem
from faena.selection import Selection
from tests.support import inline

pytestmark = pytest.mark.usefixtures("ledger")

ANA = Actor("ana", "10.0.0.7")


@pytest.fixture
def failed(make_job, take):
    def make(error: str = "E", **values):
        job_id = make_job(**values)
        settle.settle(take(job_id), Failed(Error(error, "m")))
        return job_id

    yield make


def run(job_id) -> Job:
    """Do the background job here; the messages of the jobs that it sends are left alone."""
    (message,) = [each for each in inline.sent() if each.headers["id"] == str(job_id)]
    inline.perform(message)
    return Job.objects.get(pk=job_id)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("retry", "failed", "pending"),
        ("discard", "failed", "cancelled"),
        ("pause", "pending", "paused"),
        ("cancel", "pending", "cancelled"),
        ("resume", "paused", "pending"),
    ],
)
def test_each_verb(make_job, take, failed, action, before, after):
    made = [failed(kind="k") if before == "failed" else make_job(kind="k") for _ in range(3)]
    if before == "paused":
        for each in made:
            hold.pause(each)
    AuditEntry.objects.all().delete()
    job = run(act_on_many(action, Selection(kind="k"), ANA))
    assert (job.state, job.done, job.total, job.result) == (
        "completed", 3, 3, {"done": 3, "failed": 0, "skipped": 0, "total": 3},
    )  # fmt: skip
    assert {each.state for each in Job.objects.filter(kind="k")} == {after}
    audit = list(AuditEntry.objects.order_by("id"))
    assert [(each.action, each.job_id) for each in audit] == [
        (f"{action} many", job.pk),
        *((action, each) for each in made),
    ]
    assert {(each.actor, each.address) for each in audit} == {("ana", "10.0.0.7")}
    assert audit[0].details == {"kind": "k"}


def test_what_is_refused_is_an_item_with_the_reason(make_job, take, failed):
    twin = failed(unique_key="u")
    live = make_job(unique_key="u")
    done = make_job()
    settle.settle(take(done), Done(None))
    unrun = NewJob(id=uuid7(), kind="tests.nothing", queue="celery")
    settle.write_unrun(unrun, Error("ChordError", "no"))
    fine = failed()
    job = run(act_on_many("retry", Selection(ids=(str(twin), str(done), str(unrun.id), str(fine))), ANA))
    assert (job.state, job.done, job.skipped) == ("completed", 1, 3)
    assert {each.key: each.message for each in JobItem.objects.filter(job=job)} == {
        str(twin): "A job with the same unique key is live.",
        str(done): "It is completed.",
        str(unrun.id): NoInput.REASON,
    }
    assert JobItem.objects.get(key=str(twin)).output == str(live)
    assert Job.objects.get(pk=twin).state == "failed"


def test_a_group_of_failures(failed):
    ours = [failed("ValueError", kind="shop.send") for _ in range(2)]
    others = [failed("KeyError", kind="shop.send"), failed("ValueError", kind="shop.buy")]
    run(act_on_many("discard", Selection(state="failed", kind="shop.send", failure="ValueError"), ANA))
    assert {each.pk for each in Job.objects.filter(state="cancelled")} == set(ours)
    assert {each.pk for each in Job.objects.filter(state="failed")} == set(others)


def test_it_does_not_act_on_itself(make_job):
    waiting = make_job()
    job = run(act_on_many("cancel", Selection(), ANA))
    assert (job.state, job.done) == ("completed", 1)
    assert Job.objects.get(pk=waiting).state == "cancelled"


def test_what_fails_later_is_not_in_the_set(failed, make_job, take, monkeypatch):
    monkeypatch.setattr(many, "BATCH", 1)
    old, late = failed(kind="k"), make_job(kind="k")
    retried = []

    def retry_and_fail_again(job_id, by):
        retried.append(job_id)
        hold.retry(job_id, by)
        settle.settle(take(job_id), Failed(Error("E", "again")))
        if not Job.objects.filter(pk=late, state="failed").exists():
            settle.settle(take(late), Failed(Error("E", "later")))

    monkeypatch.setitem(many.VERBS, "retry", retry_and_fail_again)
    run(act_on_many("retry", Selection(state="failed"), ANA))
    assert retried == [old]


def test_after_a_crash_it_goes_on_with_the_next_batch(failed, monkeypatch):
    monkeypatch.setattr(many, "BATCH", 2)
    made = [failed(kind="k") for _ in range(5)]
    calls = []

    def dies(job_id, by):
        calls.append(job_id)
        if len(calls) == 4:
            raise SystemExit("as if killed")
        hold.discard(job_id, by)

    monkeypatch.setitem(many.VERBS, "discard", dies)
    job_id = act_on_many("discard", Selection(kind="k"), ANA)
    (message,) = inline.sent()
    with pytest.raises(SystemExit):
        inline.perform(message)
    # The batch of the crash was rolled back with its audit.
    assert Job.objects.filter(state="cancelled").count() == 2
    holding.end(job_id)
    settle.crash(job_id, Job.objects.get(pk=job_id).fence, "died")
    relay_once()
    inline.drain()
    job = Job.objects.get(pk=job_id)
    assert (job.state, job.done, job.total) == ("completed", 5, 5)
    assert calls == [made[0], made[1], made[2], made[3], made[2], made[3], made[4]]
    assert AuditEntry.objects.filter(action="discard").count() == 5


def test_a_deadlock_costs_a_batch_and_not_the_job(failed, monkeypatch):
    monkeypatch.setattr(many, "BATCH", 2)
    made = [failed(kind="k") for _ in range(5)]
    calls = []

    def loses_once(job_id, by):
        calls.append(job_id)
        hold.discard(job_id, by)
        if len(calls) == 4:
            raise OperationalError("deadlock detected")

    monkeypatch.setitem(many.VERBS, "discard", loses_once)
    job_id = act_on_many("discard", Selection(kind="k"), ANA)
    assert run(job_id).state == "pending"
    inline.make_due()
    job = run(job_id)
    assert (job.state, job.done, job.total) == ("completed", 5, 5)
    assert {each.state for each in Job.objects.filter(pk__in=made)} == {"cancelled"}
    assert AuditEntry.objects.filter(action="discard").count() == 5


def test_a_selection_survives_as_json():
    wanted = Selection(state="failed", kind="k", before=timezone.now(), ids=("a", "b"))
    assert Selection.of(wanted.as_json()) == wanted
    assert Selection.of({}) == Selection()
    assert Selection().is_everything
    assert not wanted.is_everything
