"""What every operation declares: who may, and what it is called."""

from __future__ import annotations

from typing import Any

from faena.api.auth import needs
from faena.permissions import Role

#: The member of an operation in the schema that names the role it needs.
ROLE = "x-role"


def rule(role: Role, summary: str, **more: Any) -> dict[str, Any]:
    """The arguments of django-ninja's decorators for an operation of this role."""
    return {"auth": needs(role), "summary": summary, "openapi_extra": {ROLE: str(role)}, **more}
