"""Jobs and tasks that the tests run in real workers: `FAENA_SYSTEMS= celery -A tests.support.worker_app`."""

from __future__ import annotations

import os
import time
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore, Reject, Retry, SoftTimeLimitExceeded
from django.db import connection, transaction
from django.utils import timezone

from faena import Invalid, job
from faena.ledger import hold
from faena.models import Job, JobLog


@shared_task
def add(x, y):
    return x + y


@shared_task(bind=True, max_retries=3)
def flaky(self, fail_times):
    if self.request.retries < fail_times:
        raise self.retry(exc=ValueError(f"attempt {self.request.retries}"), countdown=0)
    return self.request.retries


@shared_task
def boom(text):
    raise ValueError(text)


@shared_task
def sleepy(seconds):
    time.sleep(seconds)
    return "slept"


@job(title="Count to {total}")
def count(run, total: int, pause: float = 0.0):
    for _ in run.each(range(total)):
        time.sleep(pause)
    return run.summary()


@job(title="Batches of {size}", attempts=2, backoff="fixed", backoff_seconds=0)
def batches(run, total: int, size: int, pause: float = 0.0):
    for batch in run.each(range(total), batch=size):
        run.log(f"{batch[0]}..{batch[-1]}")
        time.sleep(pause)
    return run.summary()


@job
def picky(run, rows: list):
    with run.validating():
        if not rows:
            raise Invalid("There is no row.")
    run.for_each(lambda row: 1 / row, rows, on_error="record")
    return run.summary()


@job(unique="{name}")
def only_one(run, name: str, seconds: float = 0.0):
    time.sleep(seconds)


@job(limit=1, limit_key="{shop}")
def one_per_shop(run, shop: str, seconds: float):
    time.sleep(seconds)


@job
def killer(run):
    os.kill(os.getpid(), 9)


@shared_task
def echo(value):
    return value


@job(title="The {text}")
def titled(run, text: str):
    return text


@shared_task(bind=True, max_retries=1, ignore_result=True)
def quiet_flaky(self, fail_times):
    if self.request.retries < fail_times:
        raise self.retry(exc=ValueError("again"), countdown=0)


@shared_task(ignore_result=True)
def quiet_boom():
    raise ValueError("quiet")


@shared_task(bind=True)
def retry_with(self, value):
    if self.request.retries == 0:
        self.retry(args=[value + 1], countdown=0, throw=False)
        return "not this"
    return value


@shared_task(bind=True)
def becomes(self, signature):
    raise self.replace(self.app.signature(signature))


@shared_task(bind=True)
def becomes_cancelled(self, signature):
    """A body that somebody cancels before it gives its place to others."""
    hold.cancel(UUID(self.request.id))
    raise self.replace(self.app.signature(signature))


@shared_task(bind=True)
def counts_down(self, n):
    """A body that each time gives its place to itself with another argument."""
    if n:
        raise self.replace(counts_down.s(n - 1))


@shared_task(bind=True)
def ignores(self, state=None):
    if state:
        self.update_state(state=state, meta={"by": "hand"})
    raise Ignore


@shared_task
def rejects(requeue):
    raise Reject("no", requeue=requeue)


@shared_task(bind=True)
def reports(self):
    self.update_state(state="PROGRESS", meta={"percent": 50})
    raise SystemExit


@shared_task
def tsum(values):
    return sum(values)


@shared_task
def failed_with(request, exc, traceback):
    return str(exc)


@shared_task
def failed_id(task_id):
    return task_id


@shared_task(faena=False)
def plain(x):
    return x


@shared_task
def calls_others(way):
    """A body that runs other tasks in its own process, one way or another."""
    done = {
        "function": lambda: add(1, 2),
        "apply": lambda: add.apply((1, 2)).get(disable_sync_subtasks=False),
        "run_now": lambda: add.run_now(1, 2).get(disable_sync_subtasks=False),
        "job": lambda: count.apply((3,)).get(disable_sync_subtasks=False)["done"],
    }[way]()
    child = add.delay(5, 5)
    return [done, child.id]


@shared_task
def leaves_open(what):
    """A body that leaves a transaction behind."""
    if what == "autocommit":
        transaction.set_autocommit(False)
        JobLog.objects.count()
    else:
        transaction.atomic().__enter__()
    if what == "error":
        raise ValueError(what)
    return what


@job
def leaves_batch(run, how: str):
    for batch in run.each(range(10), batch=3):
        run.item(f"{batch[0]}", "done", count=False)
        if batch[0] == 3:
            if how == "break":
                break
            raise {"error": ValueError, "base": SystemExit}[how](how)
    return run.summary()


@job(attempts=2, backoff="fixed", backoff_seconds=0)
def fails_at(run, total: int, at: int):
    for n in run.each(range(total)):
        run.log(str(n))
        if n == at and run.attempt == 0:
            raise ValueError(f"at {n}")
    return run.summary()


@job(attempts=2, backoff="fixed", backoff_seconds=60)
def fails_later(run):
    if run.attempt == 0:
        raise ValueError("not yet")


@job
def returns_nonsense(run):
    return object()


@shared_task
def returns_itself():
    found = []
    found.append(found)
    return found


class Choosy(Task):
    """A task class that refuses some runs before they begin."""

    def before_start(self, task_id, args, kwargs):
        if args[0] == "bad":
            raise ValueError("not this one")


@shared_task(base=Choosy)
def chosen(how):
    return how


@shared_task
def sends_nightly(text):
    """A body that gives what it sends an id of its own choice."""
    echo.apply_async((text,), task_id="nightly")


@shared_task
def takes_two(x, y):
    return x + y


@shared_task
def asks_for_nothing():
    raise Retry("by hand, with no other run")


@shared_task(time_limit=1)
def too_long():
    time.sleep(600)


@shared_task(soft_time_limit=1)
def told_in_time():
    try:
        time.sleep(600)
    except SoftTimeLimitExceeded:
        return "told"


@shared_task
def die_once(job_id):
    """Kill this very process, the first time."""
    if JobLog.objects.filter(job_id=job_id).exists():
        return "alive"
    JobLog.objects.create(job_id=job_id, at=timezone.now(), level="info", text="about to die")
    os.kill(os.getpid(), 9)


@job
def exact(run, total: int, size: int, pause: float = 0.0):
    """Each number becomes one row, in the transaction that counts it: twice is once too often."""
    for batch in run.each(range(total), batch=size):
        JobLog.objects.bulk_create(
            JobLog(job_id=run.id, at=timezone.now(), level="number", text=str(n), attempt=run.hold.fence) for n in batch
        )
        time.sleep(pause)
    return run.summary()


@shared_task(bind=True)
def slow_flaky(self):
    if self.request.retries == 0:
        raise self.retry(exc=ValueError("wait"), countdown=2)
    return self.request.retries


@shared_task
def sleepy_number(number, seconds):
    time.sleep(seconds)
    return number


@shared_task(bind=True)
def reports_slowly(self):
    self.update_state(state="PROGRESS", meta={"percent": 50})
    time.sleep(2)
    return "reported"


@job(max_crashes=2)
def poison(run):
    os.kill(os.getpid(), 9)


@job
def unhurried(run, total: int, pause: float):
    """As `exact`, with its own place and without holding the database while it waits."""
    while (n := run.cursor.get("next", 0)) < total:
        with run.checkpoint():
            JobLog.objects.create(job_id=run.id, at=timezone.now(), level="number", text=str(n))
            run.cursor["next"] = n + 1
        time.sleep(pause)


@shared_task(ignore_result=True)
def quiet_nonsense():
    return object()


@job
def loses_database(run, total: int, size: int):
    """The server ends its connection in the middle of the second batch, once."""
    for batch in run.each(range(total), batch=size):
        if batch[0] == size and run.hold.fence == 1:
            other = connection.copy()
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
            other.close()


@job(attempts=2, backoff="fixed", backoff_seconds=600)
def loses_database_and_may_retry(run, total: int, size: int):
    loses_database.run(run, total, size)


@shared_task(autoretry_for=(ValueError,), retry_backoff=1, retry_backoff_max=2, retry_jitter=True, max_retries=2)
def backs_off(text):
    raise ValueError(text)


@shared_task(bind=True, max_retries=1)
def retries_in_vain(self):
    self.retry(countdown=0)


@shared_task(bind=True)
def retries_until(self, fail_times, value):
    if self.request.retries < fail_times:
        raise self.retry(countdown=0, max_retries=None)
    return value


@shared_task(bind=True)
def own_id(self):
    return self.request.id


class TheirTask(Task):
    """A task class of a library that has never heard of Faena."""

    def __call__(self, *args, **kwargs):
        return ["called", super().__call__(*args, **kwargs)]

    def apply_async(self, args=None, kwargs=None, **options):
        return super().apply_async(args, kwargs, **(options | {"headers": {"theirs": "yes"}}))


@shared_task(base=TheirTask, bind=True)
def theirs(self, value):
    return [value, self.request.theirs if hasattr(self.request, "theirs") else None]


@shared_task(base=TheirTask, bind=True, max_retries=2)
def theirs_retries(self, fail_times):
    if self.request.retries < fail_times:
        raise self.retry(countdown=0)
    return self.request.retries


@shared_task(base=Task)
def theirs_plain(seconds):
    time.sleep(seconds)
    return "plain"


@job(base=TheirTask, unique="{name}")
def theirs_job(run, name: str):
    run.log("inside")
    return name


@shared_task(bind=True)
def asks_to_be_killed(self):
    """Kill this very process, the first time it runs."""
    if Job.objects.get(pk=self.request.id).crashes == 0:
        os.kill(os.getpid(), 9)
    return "alive"


@shared_task
def gathers(values):
    return values


@shared_task
def only_even(number):
    if number % 2:
        raise ValueError(f"{number} is odd")
    return number


@shared_task(bind=True)
def rejects_once(self, requeue):
    if Job.objects.get(pk=self.request.id).fence == 1:
        raise Reject("not now", requeue=requeue)
    return "taken"


@shared_task(bind=True)
def sends_child(self):
    return add.delay(1, 2).id


@shared_task(soft_time_limit=1)
def not_told():
    time.sleep(600)
