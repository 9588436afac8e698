"""Tasks of every class, and what opted out of the ledger."""

from __future__ import annotations

import pytest
from celery import Celery, Task, chain, chord, shared_task, signals

import faena
from faena import enqueue_many, registry
from faena.celery.message import HAS_ROW
from faena.celery.task import LedgerTask
from faena.errors import ConfigurationError
from faena.ledger import doorbell
from faena.models import Job
from faena_server import app
from tests.support import inline, jobs


def test_an_apps_own_annotations_apply_beside_ours(monkeypatch):
    monkeypatch.setattr(doorbell, "broker", doorbell.broker)  # installing connects it to the new app,
    monkeypatch.setattr(registry, "tasks", registry.tasks)  # and this too
    own = Celery("annotated", set_as_current=False, broker="memory://")
    faena.install(own)
    own.conf.task_annotations = {"*": {"rate_limit": "5/s"}, "theirs": {"priority": 7}}

    class Theirs(Task):
        def __call__(self):
            return "theirs"

    @own.task(name="theirs", base=Theirs)
    def theirs():
        pass

    @own.task(name="ours")
    def ours():
        pass

    assert (theirs.priority, theirs.rate_limit, ours.rate_limit) == (7, "5/s", "5/s")
    assert type(theirs).__call__ is not Theirs.__call__
    assert theirs() == "theirs"
    assert isinstance(ours, LedgerTask)


@pytest.mark.usefixtures("ledger")
def test_the_result_of_an_unrecorded_task_is_an_error_at_once():
    sent = jobs.plain.delay(1)
    for ask in (sent.get, lambda: sent.state, sent.ready):
        with pytest.raises(ConfigurationError, match="not recorded"):
            ask()


@pytest.mark.usefixtures("ledger")
def test_an_unrecorded_part_of_a_chord_is_an_error_where_it_is_sent():
    with pytest.raises(ConfigurationError, match="part of a chord"):
        chord([jobs.plain.s(1)])(jobs.tsum.s())


@pytest.mark.usefixtures("ledger")
def test_a_chord_whose_wait_is_not_recorded_polls(settings):
    settings.FAENA = {"UNRECORDED": ["celery.*"]}
    app.amqp._recorded.clear()
    try:
        chord([jobs.add.s(1, 1), jobs.add.s(2, 2)])(jobs.tsum.s())
        inline.drain()
        assert not Job.objects.filter(kind="celery.chord_unlock").exists()
        assert Job.objects.get(kind=jobs.tsum.name).result == 6
    finally:
        app.amqp._recorded.clear()


@pytest.mark.usefixtures("ledger")
def test_a_task_class_of_somebody_elses_is_recorded_and_run_once(row):
    sent = jobs.theirs_plain.delay(0)
    [sent_message] = inline.sent()
    inline.perform(sent_message)
    inline.perform(sent_message)
    assert (row(sent.id).state, row(sent.id).result, row(sent.id).fence) == ("completed", "plain", 1)


@pytest.mark.usefixtures("ledger")
def test_a_unique_job_of_such_a_class_is_the_one_that_lives():
    assert jobs.theirs_job.delay("a").id == jobs.theirs_job.delay("a").id


FOLLOWED = {
    "chain": lambda: chain(jobs.only_one.s("u"), jobs.echo.si("rest")).apply_async(),
    "callback": lambda: jobs.only_one.apply_async(("u",), link=jobs.echo.si("rest")),
    "chord": lambda: chord([jobs.only_one.s("u"), jobs.add.s(1, 1)], jobs.echo.si("rest")).apply_async(),
    "chain in a chord": lambda: chord(
        [chain(jobs.only_one.s("u"), jobs.add.si(1, 1))], jobs.echo.si("rest")
    ).apply_async(),
}


@pytest.mark.parametrize("way", FOLLOWED)
def test_what_follows_from_a_unique_job_comes_although_a_like_one_is_live(ledger, way):
    live = jobs.only_one.apply_async(("u",), countdown=1000)
    FOLLOWED[way]()
    inline.drain()
    assert Job.objects.get(kind=jobs.echo.name).result == "rest"
    beside = Job.objects.get(kind=jobs.only_one.name, state="completed")
    assert (str(beside.pk) == live.id, beside.unique_key) == (False, None)
    assert jobs.only_one.delay("u").id == live.id


@shared_task(name="tests.fans_out")
def fans_out(task):
    """Send children in bulk and singly."""
    enqueue_many(app.tasks[task], [{"name": "a"}, {"name": "b"}] if task == jobs.only_one.name else [(1,), (2,)])
    return jobs.echo.delay(3).id


@pytest.mark.parametrize("task", [jobs.echo, jobs.only_one], ids=["plain", "unique"])
def test_children_sent_in_bulk_know_their_parent_and_root(ledger, row, task):
    root = chain(jobs.echo.si(task.name), fans_out.s()).apply_async().parent
    for _ in range(2):
        inline.perform(next(inline.messages()))
    parent = Job.objects.get(kind=fans_out.name)
    children = inline.sent()
    assert len(children) == 3
    for each in children:
        child = row(each.headers["id"])
        assert (child.parent_id, str(child.root_id)) == (parent.pk, root.id)
        assert (each.headers["parent_id"], each.headers["root_id"]) == (str(parent.pk), root.id)


@pytest.mark.parametrize("watched", [False, True])
def test_of_a_task_that_is_not_recorded_only_the_messages_are_sent_in_bulk(ledger, watched):
    seen = []
    if watched:
        signals.before_task_publish.connect(lambda headers, **_: seen.append(headers["id"]), weak=False, dispatch_uid=1)
    try:
        ids = enqueue_many(jobs.plain, [(1,), (2,)])
    finally:
        signals.before_task_publish.disconnect(dispatch_uid=1)
    messages = inline.sent()
    assert [each.headers["id"] for each in messages] == list(map(str, ids))
    assert not any(HAS_ROW in each.headers for each in messages)
    assert len(seen) == (2 if watched else 0)
    assert not Job.objects.exists()


def test_jobs_sent_in_bulk_by_nobody_are_their_own_roots_when_they_are_sent_again(ledger, row):
    ids = enqueue_many(jobs.echo, [(1,), (2,)])
    inline.sent()
    doorbell.ring(ids)
    for each in inline.sent():
        assert each.headers["root_id"] == each.headers["id"]
        assert str(row(each.headers["id"]).root_id) == each.headers["id"]
