"""Whether this process lives, and whether it can do its work; and the metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from faena import conf, metrics, queries
from faena.api.auth import needs
from faena.api.problems import HEADERS, Problem, answer, of, safe_json
from faena.duties.keeper import POST
from faena.ledger import doorbell
from faena.models import Job, Lease
from faena.permissions import Role


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return _json({"live": True}, 200)


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """This process can take jobs: 503 where it cannot. What else is amiss is told, but takes nothing out of service."""
    checks = [_check(name, must, look) for name, must, look in _CHECKS]
    is_ready = all(each["ok"] for each in checks if each["must"])
    return _json({"ready": is_ready, "checks": checks}, 200 if is_ready else 503)


@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with a viewer's token."""
    try:
        if not any(each(request) for each in needs(Role.VIEWER)):
            raise Problem(401, "not-signed-in", "Metrics need a token: `Authorization: Bearer faena_…`.")
        return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST, headers=HEADERS)
    except Exception as error:
        return answer(of(error))


def _check(name: str, must: bool, look: Callable[[], str]) -> dict[str, Any]:
    try:
        trouble = look()
    except DatabaseError:
        trouble = "The database cannot be used, or lacks tables of this version: see the log, run migrate."
    return {"name": name, "ok": not trouble, "must": must, "detail": trouble}


def _database() -> str:
    Job.objects.values_list("pk", "failure")[:1].exists()
    return ""


def _app() -> str:
    return "" if doorbell.is_connected() else "This process knows no Celery app, so it can start no job: set FAENA_APP."


def _keeper() -> str:
    at_work = Lease.objects.filter(name=POST, until__gt=timezone.now()).exists()
    return "" if at_work else "No keeper is at work: start a worker."


def _workers() -> str:
    heard = timezone.now() - conf.get().LEASE
    return "" if any(each.seen > heard for each in queries.workers()) else "No worker is running: start one."


_CHECKS: list[tuple[str, bool, Callable[[], str]]] = [
    ("database", True, _database),
    ("app", False, _app),
    ("keeper", False, _keeper),
    ("workers", False, _workers),
]


def _json(value: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(
        safe_json(value), status=status, content_type="application/json; charset=utf-8", headers=HEADERS
    )
