"""Schedules: what fires when, and what people decide about it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Router
from ninja.responses import Status

from faena import models, occurrences
from faena.api.auth import Request
from faena.api.problems import Problem, not_found
from faena.api.rules import rule
from faena.api.schemas import schedule as shapes
from faena.ledger import schedules
from faena.masking import unmasked
from faena.models.schedule import Source
from faena.permissions import Role

router = Router(tags=["Schedules"])


@router.get("/schedules", response=shapes.ScheduleList, **rule(Role.VIEWER, _("List schedules")))
def list_schedules(request: Request) -> Any:
    """Every schedule, of the code and of people."""
    return {"data": [shapes.brief(each) for each in occurrences.all_schedules()]}


@router.post("/schedules", response={201: shapes.Schedule}, **rule(Role.OPERATOR, _("Create a schedule")))
def create_schedule(request: Request, given: shapes.NewSchedule) -> Any:
    """Refused where it could never fire, with the reason."""
    return Status(201, _saved(request, given.apply_to(models.Schedule())))


@router.get("/schedules/{int:pk}", response=shapes.Schedule, **rule(Role.VIEWER, _("Look at a schedule")))
def get_schedule(request: Request, pk: int) -> Any:
    """With the next ten times and the last twenty."""
    return shapes.whole(_schedule(pk))


@router.patch("/schedules/{int:pk}", response=shapes.Schedule, **rule(Role.OPERATOR, _("Change a schedule")))
def change_schedule(request: Request, pk: int, given: shapes.ScheduleFields) -> Any:
    """What is left out stays. Its rhythm goes on undisturbed unless the change concerns it."""
    schedule = _schedule(pk)
    if schedule.source == Source.CODE and given.model_fields_set - {"enabled"}:
        raise Problem(409, "not-now", f"{schedule} is in the code, which says what it does: change it there.")
    before = schedule.args, schedule.kwargs
    given.apply_to(schedule)
    schedule.args, schedule.kwargs = unmasked(schedule.args, before[0]), unmasked(schedule.kwargs, before[1])
    return _saved(request, schedule)


@router.delete("/schedules/{int:pk}", response={204: None}, **rule(Role.OPERATOR, _("Delete a schedule")))
def delete_schedule(request: Request, pk: int) -> Any:
    """Its jobs stay. One of the code cannot be deleted, only disabled."""
    schedules.delete(_schedule(pk).pk, request.auth.actor)
    return Status(204, None)


@router.post("/schedules/{int:pk}/enable", response=shapes.Schedule, **rule(Role.OPERATOR, _("Enable a schedule")))
def enable_schedule(request: Request, pk: int) -> Any:
    """Let it fire. What came due meanwhile is not made up for."""
    return shapes.whole(schedules.set_enabled(_schedule(pk).pk, True, request.auth.actor))


@router.post("/schedules/{int:pk}/disable", response=shapes.Schedule, **rule(Role.OPERATOR, _("Disable a schedule")))
def disable_schedule(request: Request, pk: int) -> Any:
    """Let it fire no more until it is enabled; a restart or a deploy does not change that."""
    return shapes.whole(schedules.set_enabled(_schedule(pk).pk, False, request.auth.actor))


@router.post("/schedules/{int:pk}/run", response=shapes.Started, **rule(Role.OPERATOR, _("Run a schedule now")))
def run_schedule(request: Request, pk: int) -> Any:
    """Once, out of turn; the times to come stay."""
    return shapes.Started(job=schedules.run_now(_schedule(pk).pk, request.auth.actor))


@router.post("/schedules/{int:pk}/skip", response=shapes.ToCome, **rule(Role.OPERATOR, _("Skip an occurrence")))
def skip_occurrence(request: Request, pk: int, given: shapes.Due | None = None) -> Any:
    """The one at that time, by default the next."""
    due_at = schedules.skip(_schedule(pk).pk, given.due_at if given else None, request.auth.actor)
    return shapes.ToCome(due_at=due_at, skipped=True)


@router.post("/schedules/{int:pk}/unskip", response=shapes.ToCome, **rule(Role.OPERATOR, _("Take a skip back")))
def unskip_occurrence(request: Request, pk: int, given: shapes.Due | None = None) -> Any:
    """The one at that time, by default the next that is to be skipped."""
    schedule = _schedule(pk)
    skipped = [each.due_at for each in occurrences.to_come(schedule, 100) if each.skipped]
    due_at = (given.due_at if given else None) or (skipped[0] if skipped else None)
    if due_at is None:
        raise Problem(409, "not-now", f"No occurrence of {schedule} is to be skipped.")
    schedules.unskip(schedule.pk, due_at, request.auth.actor)
    return shapes.ToCome(due_at=due_at, skipped=False)


def _schedule(pk: int) -> models.Schedule:
    found = models.Schedule.objects.filter(pk=pk, removed=None).first() if pk < 2**63 else None
    if found is None:
        raise not_found(f"There is no schedule {pk}.", "unknown-schedule")
    return found


def _saved(request: Request, schedule: models.Schedule) -> shapes.Schedule:
    return shapes.whole(schedules.save(schedule, request.auth.actor))
