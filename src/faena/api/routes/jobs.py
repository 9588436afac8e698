"""Jobs: list, create, look, act."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop as _
from ninja import Query, Router
from ninja.responses import Status

from faena import models, queries
from faena.api.auth import Request
from faena.api.problems import invalid, not_found
from faena.api.rules import rule
from faena.api.schemas import asked
from faena.api.schemas import job as shapes
from faena.api.schemas import job_parts as parts
from faena.celery import calling
from faena.celery.again import retry_with
from faena.explain import explain
from faena.ledger import hold
from faena.masking import masked, unmasked
from faena.permissions import Role

router = Router(tags=["Jobs"])


@router.get("/jobs", response=shapes.JobList, **rule(Role.VIEWER, _("List jobs, newest first")))
def list_jobs(request: Request, wanted: Query[asked.JobQuery]) -> Any:
    """The filters are those of the monitor's list. Pages stay put while jobs arrive."""
    before = queries.Place.parse(wanted.cursor) if wanted.cursor else None
    if wanted.cursor and before is None:
        raise invalid([{"place": "query.cursor", "message": "This is no cursor: take `next` of the page before."}])
    page = queries.job_page(asked.job_filter(wanted), before, size=wanted.limit)
    return {"data": [shapes.brief(each) for each in page.jobs], "next": page.older and str(page.older)}


@router.post("/jobs", response={201: shapes.Job, 200: shapes.Job}, **rule(Role.OPERATOR, _("Create a job")))
def create_job(request: Request, given: asked.NewJob) -> Any:
    """A task by its name. Where `unique`, or the task itself, allows only one and one is live, that one is answered."""
    wanted = given.model_dump(exclude={"task", "args", "kwargs", "auto_start"}, exclude_none=True)
    call = calling.Wanted(given.task, given.args, given.kwargs, wanted, auto_start=given.auto_start)
    pk, is_new = calling.create(call, request.auth.actor)
    return Status(201 if is_new else 200, shapes.whole(_job(pk)))


@router.get("/jobs/{uuid:pk}", response=shapes.Job, **rule(Role.VIEWER, _("Look at a job")))
def get_job(request: Request, pk: UUID) -> Any:
    """Everything about one job; secrets in its arguments and its result are masked."""
    return shapes.whole(_job(pk))


@router.patch("/jobs/{uuid:pk}", response=shapes.Job, **rule(Role.OPERATOR, _("Set a job's state")))
def change_status(request: Request, pk: UUID, given: asked.StatusChange) -> Any:
    """As far as its state allows. `failed` also ends a job that is stuck in running: whoever holds it loses it."""
    return _act(request, pk, _TO_STATE[given.status])


@router.post("/jobs/{uuid:pk}/start", response=shapes.Job, **rule(Role.OPERATOR, _("Start a job")))
def start_job(request: Request, pk: UUID) -> Any:
    """Let a paused or a delayed job begin now."""
    return _act(request, pk, hold.start)


@router.post("/jobs/{uuid:pk}/pause", response=shapes.Job, **rule(Role.OPERATOR, _("Pause a job")))
def pause_job(request: Request, pk: UUID) -> Any:
    """Hold it back; where it runs, it stops at its next row and keeps its place."""
    return _act(request, pk, hold.pause)


@router.post("/jobs/{uuid:pk}/resume", response=shapes.Job, **rule(Role.OPERATOR, _("Resume a job")))
def resume_job(request: Request, pk: UUID) -> Any:
    """Let it go on at the row where it stopped."""
    return _act(request, pk, hold.resume)


@router.post("/jobs/{uuid:pk}/cancel", response=shapes.Job, **rule(Role.OPERATOR, _("Cancel a job")))
def cancel_job(request: Request, pk: UUID) -> Any:
    """Call it off: at once while it waits, at its next row while it runs."""
    return _act(request, pk, hold.cancel)


@router.post("/jobs/{uuid:pk}/discard", response=shapes.Job, **rule(Role.OPERATOR, _("Discard a failed job")))
def discard_job(request: Request, pk: UUID) -> Any:
    """Say that nobody will retry it: it counts as cancelled."""
    return _act(request, pk, hold.discard)


@router.post(
    "/jobs/{uuid:pk}/retry",
    response={200: shapes.Job, 201: shapes.Job},
    **rule(Role.OPERATOR, _("Retry a job, with other arguments if you like")),
)
def retry_job(request: Request, pk: UUID, given: asked.OtherArguments | None = None) -> Any:
    """Once more, with fresh attempts. With arguments it is a new job; masked secrets in them stay what they were."""
    if given is None or (given.args is None and given.kwargs is None):
        return _act(request, pk, hold.retry)
    job = _job(pk)
    args = job.args if given.args is None else unmasked(given.args, job.args)
    kwargs = job.kwargs if given.kwargs is None else unmasked(given.kwargs, job.kwargs)
    return Status(201, shapes.whole(_job(retry_with(pk, args, kwargs, request.auth.actor))))


@router.get("/jobs/{uuid:pk}/why", response=parts.Why, **rule(Role.VIEWER, _("Why a job is not running")))
def why(request: Request, pk: UUID) -> Any:
    """Why it waits, or is not over, and what to do about it."""
    return parts.Why.of(explain(_job(pk)))


@router.get("/jobs/{uuid:pk}/items", response=parts.ItemList, **rule(Role.VIEWER, _("List a job's items")))
def list_items(
    request: Request,
    pk: UUID,
    state: parts.ItemStates | None = None,  # type: ignore[valid-type]
    cursor: int = Query(0, ge=0, le=2**62),
    limit: int = Query(queries.PAGE, ge=1, le=200),
) -> Any:
    """The parts of a job, such as the rows of a spreadsheet, and how each came out."""
    _job(pk)
    page = queries.item_page(pk, state or "", cursor, limit)
    return {"data": [_item(each) for each in page.items], "next": page.after}


@router.get("/jobs/{uuid:pk}/log", response=parts.Log, **rule(Role.VIEWER, _("Read a job's log")))
def read_log(request: Request, pk: UUID, cursor: int | None = Query(None, ge=0, le=2**62)) -> Any:
    """The last 200 lines; with `cursor`, the next 200 after it."""
    _job(pk)
    lines = queries.log_tail(pk) if cursor is None else queries.log_after(pk, cursor)
    return {"data": lines, "next": lines[-1].pk if lines else cursor or 0}


def _job(pk: UUID) -> models.Job:
    found = queries.job(pk)
    if found is None:
        raise not_found(f"There is no job {pk}: it was never accepted here, or it was pruned.", "unknown-job")
    return found


def _act(request: Request, pk: UUID, verb: Any) -> shapes.Job:
    verb(pk, request.auth.actor)
    return shapes.whole(_job(pk))


def _item(item: models.JobItem) -> dict[str, Any]:
    own = {name: getattr(item, name) for name in ("key", "state", "message", "at", "seconds")}
    return own | {"output": masked(item.output)}


_TO_STATE = {
    "paused": hold.pause, "cancelled": hold.cancel, "failed": hold.fail, "running": hold.start, "pending": hold.retry,
}  # fmt: skip
