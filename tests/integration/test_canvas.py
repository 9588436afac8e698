"""Chains, groups and chords, with real workers: whatever becomes of their parts, nobody waits for ever."""

from __future__ import annotations

import uuid

import pytest
from celery import chain, chord, group
from celery.exceptions import ChordError, TaskRevokedError
from celery.result import AsyncResult

from faena.ledger import hold as people
from faena.models import Job
from tests.support import jobs
from tests.support.jobs import add, boom, gathers, tsum
from tests.support.stack import Stack
from tests.support.waiting import eventually

#: A warning of Celery's own, about a change in how it links errors to chords.
pytestmark = pytest.mark.filterwarnings("ignore:task_allow_error_cb_on_chord_header")


@pytest.fixture(autouse=True)
def worker(stack: Stack):
    return stack.a_worker()


def waiting_job(result: AsyncResult) -> Job:
    """The job that waits for a chord's header, from the chord's result."""
    return eventually(lambda: Job.objects.filter(kind="celery.chord_unlock", args__contains=result.id).first())


def errback_of(result: AsyncResult) -> Job:
    """The error callback's job, once it has run."""
    return eventually(
        lambda: Job.objects.filter(kind=jobs.failed_id.name, args=[result.id], state="completed").first(),
        what=f"the errback of {result.id} has run",
    )


def test_a_chord_waits_as_a_row_and_nothing_polls(stack):
    sent = chord([jobs.sleepy_number.s(2, 0), jobs.sleepy_number.s(3, 1.5)])(gathers.s())
    assert sent.get(timeout=60) == [2, 3]
    job = stack.until(waiting_job(sent).pk, "completed")
    assert (job.fence, job.attempt, job.done) == (1, 0, 2)


@pytest.mark.parametrize(
    ("canvas", "expected"),
    [
        pytest.param(lambda: chord([])(gathers.s()), [], id="empty header"),
        pytest.param(lambda: chord(add.s(n, n) for n in range(3))(gathers.s()), [0, 2, 4], id="header is a generator"),
        pytest.param(lambda: chord([add.s(1, 1), chain(add.s(1, 2), add.s(3))])(gathers.s()), [2, 6], id="chain in it"),
        pytest.param(
            lambda: chord([group(add.s(1, 1), add.s(2, 2)), add.s(3, 3)])(tsum.s()), 12, id="group in the header"
        ),
        pytest.param(
            lambda: chord([chain(add.s(1, 1), group(add.s(1), add.s(2)))])(gathers.s()),
            [[3, 4]],
            id="chain that ends in a group in the header",
        ),
        pytest.param(
            lambda: chord([chord([add.s(1, 1), add.s(2, 2)], tsum.s()), add.s(3, 3)])(gathers.s()),
            [6, 6],
            id="chord in the header",
        ),
        pytest.param(
            lambda: chord([add.s(1, 1)])(chord([tsum.s(), gathers.s()], gathers.s())), [2, [2]], id="chord as the body"
        ),
        pytest.param(lambda: chord([add.s(1, 1), add.s(2, 2)])(chain(tsum.s(), add.s(1))), 7, id="chain as the body"),
        pytest.param(lambda: chord([add.s(1, 1)])(group(tsum.s(), gathers.s())), [2, [2]], id="group as the body"),
        pytest.param(
            lambda: chain(add.s(1, 1), group(add.s(1), add.s(2)), tsum.s(), add.s(1)).delay(), 8, id="chord in a chain"
        ),
        pytest.param(
            lambda: chain(add.s(1, 1), group(add.s(1), add.s(2)), group(tsum.s(), gathers.s())).delay(),
            [7, [3, 4]],
            id="a group after a group",
        ),
        pytest.param(lambda: chord([add.s(1, 1), add.s(2, 2)])(jobs.echo.si("alone")), "alone", id="immutable body"),
        pytest.param(
            lambda: chord([jobs.retries_until.s(2, "again"), add.s(1, 1)])(gathers.s()), ["again", 2], id="it retries"
        ),
        pytest.param(
            lambda: chord([jobs.becomes.s(group(add.s(1, 1), add.s(2, 2))), add.s(3, 3)])(gathers.s()),
            [[2, 4], 6],
            id="a part that is replaced by a group",
        ),
        pytest.param(
            lambda: chord([jobs.asks_to_be_killed.s(), add.s(1, 1)])(gathers.s()), ["alive", 2], id="a part is killed"
        ),
        pytest.param(lambda: jobs.add.chunks([(n, n) for n in range(4)], 2).delay(), [[0, 2], [4, 6]], id="chunks"),
    ],
)
def test_a_canvas(canvas, expected):
    assert canvas().get(timeout=60) == expected


def test_a_chord_of_three_hundred_parts(stack):
    sent = chord([add.s(n, 1) for n in range(300)])(gathers.s())
    assert sent.get(timeout=120) == [n + 1 for n in range(300)]
    assert waiting_job(sent).done == 300


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(boom.si("bad luck"), id="task"),
        pytest.param(chain(add.si(1, 2), boom.si("bad luck"), add.si(1, 2)), id="chain"),
        pytest.param(chord([boom.si("bad luck")], tsum.s()), id="chord"),
    ],
)
def test_a_header_that_fails_ends_the_body_and_calls_its_errback(stack, part):
    body = tsum.s().on_error(jobs.failed_id.s())
    sent = chord([part, add.s(1, 2)])(body)
    assert stack.until(sent.id, "failed").started is None
    with pytest.raises(ChordError, match="bad luck"):
        AsyncResult(sent.id).get(timeout=5)
    errback_of(sent)


def test_each_task_of_a_group_body_fails_with_the_header(stack):
    sent = chord([boom.si("bad luck")])(group(tsum.s(), gathers.s()))
    for each in sent.results:
        assert "bad luck" in stack.until(each.id, "failed").error["message"]


@pytest.mark.parametrize("part", [add.s(1, 2), chain(add.s(1, 2), add.s(3))], ids=["task", "chain"])
def test_a_header_part_that_is_cancelled_ends_the_body(stack, part):
    sent = chord([part.set(countdown=3600) if part.task == add.name else first_delayed(part), add.s(1, 1)])(
        tsum.s().on_error(jobs.failed_id.s())
    )
    waits = eventually(lambda: Job.objects.filter(kind=add.name, state="pending", dispatched=None).latest("created"))
    people.cancel(waits.pk)
    stack.until(sent.id, "failed")
    with pytest.raises(ChordError, match="TaskRevoked"):
        AsyncResult(sent.id).get(timeout=5)
    with pytest.raises(TaskRevokedError):
        sent.get(timeout=5)
    errback_of(sent)


def first_delayed(steps):
    steps.tasks[0].set(countdown=3600)
    return steps


def test_a_header_part_that_is_revoked_while_it_runs_ends_the_body(stack):
    sent = chord([jobs.sleepy.s(600), add.s(1, 1)])(gathers.s())
    running = eventually(lambda: Job.objects.filter(kind=jobs.sleepy.name, state="running").first())
    people.cancel(running.pk)  # a body that does not look; so its process is ended
    AsyncResult(str(running.pk)).revoke(terminate=True)
    stack.until(running.pk, "cancelled")
    stack.until(sent.id, "failed")


def test_a_header_part_that_used_up_its_crashes_ends_the_body_and_calls_the_errbacks(stack):
    poison = jobs.poison.s().on_error(jobs.failed_id.s())
    sent = chord([poison, add.s(1, 1)])(gathers.s())
    part = eventually(lambda: Job.objects.filter(kind=jobs.poison.name, state="failed").first())
    assert stack.until(sent.id, "failed").error["type"] == "ChordError"
    errback_of(AsyncResult(str(part.pk)))


def test_cancelling_the_wait_ends_the_body(stack):
    sent = chord([add.s(1, 1).set(countdown=3600)])(gathers.s())
    people.cancel(waiting_job(sent).pk)
    assert "cancelled" in stack.until(sent.id, "failed").error["message"]


def test_a_chord_whose_worker_dies_goes_on(stack, worker):
    sent = chord([jobs.sleepy_number.s(n, 1) for n in range(6)])(gathers.s())
    eventually(lambda: Job.objects.filter(group_id=waiting_group(sent), state="completed").count() >= 2)
    worker.kill()
    stack.worker()
    assert sent.get(timeout=60) == list(range(6))
    assert Job.objects.filter(group_id=waiting_group(sent)).exclude(pk=sent.id).count() == 6


def waiting_group(sent: AsyncResult) -> uuid.UUID:
    return uuid.UUID(waiting_job(sent).args[0])


def test_link_error_of_a_chain_and_a_time_limit(stack):
    failed = chain(add.s(1, 2), boom.s()).apply_async(link_error=jobs.failed_id.s())
    errback_of(failed)
    late = jobs.too_long.apply_async(link_error=jobs.failed_id.s())
    errback_of(late)
