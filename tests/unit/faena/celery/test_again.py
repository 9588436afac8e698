from __future__ import annotations

import json

import pytest
from celery import chain

from faena.celery.again import retry_with
from faena.errors import AlreadyLive, NotAllowed, WrongArguments
from faena.ledger import hold, settle
from faena.ledger.records import Actor
from faena.ledger.settle import Error, Failed
from faena.models import AuditEntry, Job
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")

ANA = Actor("ana", "10.0.0.7")


def ended(sent, state: str = "completed") -> Job:
    inline.drain()
    job = Job.objects.get(pk=sent.id)
    assert job.state == state
    return job


def test_a_new_job_with_the_other_arguments(row):
    old = ended(jobs.titled.apply_async(kwargs={"text": "old"}, priority=7))
    new = row(retry_with(old.pk, [], {"text": "new"}, ANA))
    assert (new.kind, new.queue, new.priority, new.retry_of, new.created_by) == (old.kind, "celery", 7, old.pk, "ana")
    assert (new.title, new.kwargs, new.state, new.attempt) == ("The new", {"text": "new"}, "pending", 0)
    inline.drain()
    assert (row(new.pk).state, row(new.pk).result) == ("completed", "new")
    assert (row(old.pk).kwargs, row(old.pk).result) == ({"text": "old"}, "old")


@pytest.mark.parametrize("state", ["failed", "cancelled", "completed", "completed_with_errors"])
def test_whatever_is_over_may_be_retried_so(state):
    sent = {
        "failed": lambda: jobs.boom.delay("a"),
        "cancelled": lambda: jobs.boom.delay("a"),
        "completed": lambda: jobs.titled.delay("a"),
        "completed_with_errors": lambda: jobs.picky.delay([1, 0]),
    }[state]()
    if state == "cancelled":
        hold.cancel(Job.objects.get().pk)
    old = ended(sent, state)
    assert retry_with(old.pk, [[1]] if state == "completed_with_errors" else ["b"], {})


@pytest.mark.parametrize("act", [None, hold.pause])
def test_what_is_not_over_may_not(act):
    sent = jobs.titled.delay("a")
    job = Job.objects.get(pk=sent.id)
    if act:
        act(job.pk)
    with pytest.raises(NotAllowed, match="cannot be retried with other arguments"):
        retry_with(job.pk, ["b"], {})
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("task", "first", "args", "kwargs", "field", "problem"),
    [
        (jobs.titled, ["a"], [], {}, "text", "missing"),
        (jobs.titled, ["a"], ["b"], {"texx": "c"}, "texx", "unknown"),
        (jobs.titled, ["a"], ["b", "c"], {}, "", "too many"),
        (jobs.titled, ["a"], ["b"], {"text": "c"}, "text", "too many"),
        (jobs.titled, ["a"], [7], {}, "text", "type"),
        (jobs.count, [1], ["3"], {}, "total", "type"),
        (jobs.count, [1], [True], {}, "total", "type"),
        (jobs.count, [1], [1], {"pause": "x"}, "pause", "type"),
        (jobs.echo, [1], [], {"vallue": 1}, "vallue", "unknown"),
        (jobs.retry_with, [1], [], {}, "value", "missing"),
    ],
)
def test_wrong_arguments_are_refused_whole_with_the_field(task, first, args, kwargs, field, problem):
    sent = task.delay(*first)
    hold.cancel(Job.objects.get(pk=sent.id).pk)
    with pytest.raises(WrongArguments) as caught:
        retry_with(Job.objects.get().pk, args, kwargs, ANA)
    assert (caught.value.field, caught.value.problem) == (field, problem)
    assert Job.objects.count() == 1
    assert not AuditEntry.objects.filter(actor="ana").exists()


def test_a_whole_number_is_a_float_too(row):
    old = ended(jobs.count.delay(1))
    assert retry_with(old.pk, [2], {"pause": 0})


def test_a_task_that_is_gone_is_not_guessed_at(make_job):
    job_id = make_job(kind="shop.gone")
    hold.cancel(job_id)
    with pytest.raises(WrongArguments, match=r"does not know the task 'shop\.gone'"):
        retry_with(job_id, [], {})


def test_a_live_twin_is_named():
    sent = jobs.only_one.delay("n")
    hold.cancel(Job.objects.get(pk=sent.id).pk)
    twin = jobs.only_one.delay("m")
    with pytest.raises(AlreadyLive) as caught:
        retry_with(Job.objects.get(pk=sent.id).pk, ["m"], {})
    assert str(caught.value.job_id) == twin.id
    assert Job.objects.count() == 2


def test_the_audit_names_both_and_hides_secrets(make_job):
    job_id = make_job(kind=jobs.echo.name, kwargs=json.dumps({"value": {"password": "old"}}))
    hold.cancel(job_id)
    new = retry_with(job_id, [], {"value": {"password": "new", "shop": 3}}, ANA)
    entry = AuditEntry.objects.get(actor="ana")
    assert (entry.action, entry.job_id, entry.address) == ("retry with arguments", job_id, "10.0.0.7")
    assert entry.details["new_job"] == str(new)
    assert "old" not in json.dumps(entry.details["before"])
    assert "new" not in json.dumps(entry.details["after"])
    assert entry.details["after"]["kwargs"]["value"]["shop"] == 3


def test_callbacks_are_kept(row):
    sent = jobs.boom.apply_async(("no",), link_error=jobs.failed_id.s())
    old = ended(sent, "failed")
    before = Job.objects.filter(kind=jobs.failed_id.name).count()
    retry_with(old.pk, ["again"], {})
    inline.drain()
    assert Job.objects.filter(kind=jobs.failed_id.name).count() == before + 1


def test_the_rest_of_the_chain_follows_a_step_that_had_failed(row):
    sent = chain(jobs.only_even.s(1), jobs.add.s(10))()
    first = ended(sent.parent, "failed")
    retry_with(first.pk, [2], {})
    inline.drain()
    assert (row(sent.id).state, row(sent.id).result) == ("completed", 12)


def test_a_chain_that_went_on_does_not_go_on_again():
    sent = chain(jobs.only_even.s(2), jobs.add.s(10))()
    inline.drain()
    first = Job.objects.get(pk=sent.parent.id)
    retry_with(first.pk, [4], {})
    inline.drain()
    assert Job.objects.filter(kind=jobs.add.name).count() == 1


def test_limits_are_kept(make_job, take, row):
    sent = jobs.one_per_shop.delay("lima", 0.0)
    old = Job.objects.get(pk=sent.id)
    hold.cancel(old.pk)
    new = row(retry_with(old.pk, ["cuzco", 0.0], {}))
    assert new.limit == 1
    assert new.limit_key == old.limit_key.replace("lima", "cuzco")


def test_an_expiry_belonged_to_the_old_job(row):
    sent = jobs.boom.apply_async(("no",), expires=3600)
    old = ended(sent, "failed")
    assert "expires" in old.message["headers"]
    assert "expires" not in row(retry_with(old.pk, ["b"], {})).message.get("headers", {})


def test_the_settled_error_stays_with_the_old_job(make_job, take, row):
    job_id = make_job(kind=jobs.echo.name, args="[1]")
    settle.settle(take(job_id), Failed(Error("E", "m")))
    retry_with(job_id, [2], {})
    assert (row(job_id).state, row(job_id).error["message"]) == ("failed", "m")
