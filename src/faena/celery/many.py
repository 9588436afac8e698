"""The background job that acts on many jobs: it goes on where it was after a crash, and says what it was refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from faena.celery.job import job
from faena.celery.loading import need_app
from faena.errors import AlreadyLive, NoInput, NotAllowed
from faena.ledger import hold
from faena.ledger.records import Actor, write_audit
from faena.run import Run
from faena.states import ItemState

NAME = "faena.act_on_jobs"
#: Jobs per transaction, each in a savepoint: PostgreSQL is slow with more than 64 of these in one.
BATCH = 50

VERBS: dict[str, Callable[[UUID, Actor], object]] = {
    "retry": hold.retry,
    "cancel": hold.cancel,
    "pause": hold.pause,
    "resume": hold.resume,
    "discard": hold.discard,
}


def act_on_many(action: str, selection: Any, by: Actor) -> UUID:
    """Enqueue the job that does `action` to every job of the selection; its id.

    Args:
        action: a name of `VERBS`.
        selection: a `faena.selection.Selection`.

    Raises:
        ConfigurationError: this process knows no Celery app.
    """
    need_app()
    with transaction.atomic():
        sent = act_on_jobs.delay(action, selection.as_json(), by.name, by.address)
        write_audit(by, f"{action} many", UUID(sent.id), selection.as_json())
    return UUID(sent.id)


# A batch may be a deadlock's victim, as others lock the same rows in another order: it is rolled back and done again.
@job(name=NAME, title="{action}: many jobs", attempts=5, backoff_seconds=1)
def act_on_jobs(run: Run, action: str, selection: dict[str, Any], by: str, address: str | None = None) -> Any:
    """Act on each job of the selection as it stood at the start; one audit row each, in the transaction of the act.

    A job that cannot be acted upon, because it has changed since, is an item with the reason.
    """
    from faena.models import Job
    from faena.queries import Place
    from faena.selection import Selection

    verb, actor, wanted = VERBS[action], Actor(by, address), Selection.of(selection)
    if "until" not in run.cursor:
        # By the database's clock, as the times in the rows are.
        began = Job.objects.values_list("started", flat=True).get(pk=run.id) or timezone.now()
        run.cursor["until"] = began.isoformat()
        run.progress(0, wanted.count(began))
    until = datetime.fromisoformat(run.cursor["until"])
    while page := wanted.page(until, Place.parse(run.cursor.get("place", "")), BATCH):
        with run.checkpoint():
            for place in page:
                _act(run, verb, place.pk, actor)
            run.cursor["place"] = str(page[-1])
    return run.summary()


def _act(run: Run, verb: Callable[[UUID, Actor], object], job_id: UUID, by: Actor) -> None:
    if job_id == run.id:
        return
    try:
        verb(job_id, by)
    except NoInput as refused:
        run.item(job_id, ItemState.SKIPPED, refused.REASON)
    except NotAllowed as refused:
        run.item(job_id, ItemState.SKIPPED, f"It is {refused.state}.")
    except AlreadyLive as twin:
        run.item(job_id, ItemState.SKIPPED, "A job with the same unique key is live.", output=str(twin.job_id))
    else:
        run.count(done=1)
