"""The audit: who did what, when, to which job, from where."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.http import QueryDict
from django.views.generic import TemplateView

from faena import audits
from faena.audits import AuditFilter
from faena.monitor.page import Page


class Audit(Page, TemplateView):
    """What people did, the latest first. Its filters live in the address."""

    template_name = "faena/audit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """One page of entries, and what its filters offer."""
        query = self.request.GET
        people, actions = audits.choices()
        below = query.get("below", "")
        typed = {name: query.get(name, "").replace("\0", "").strip() for name in ("actor", "action", "job", "address")}
        found = audits.page(_wanted(query), int(below) if below.isdecimal() and len(below) < 18 else None)
        own = {"page": found, "people": people, "actions": actions, "typed": typed, "is_first_page": not below}
        return super().get_context_data(**kwargs) | own


def _wanted(query: QueryDict) -> AuditFilter:
    return AuditFilter(
        actor=query.get("actor", "").replace("\0", "")[:150],
        action=query.get("action", "").replace("\0", "")[:40],
        job=_job(query.get("job", "")),
        address=_address(query.get("address", "")),
    )


def _job(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _address(text: str) -> str:
    try:
        validate_ipv46_address(text.strip())
    except ValidationError:
        return ""
    return text.strip()
