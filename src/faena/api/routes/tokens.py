"""Tokens: made, listed and revoked, by admins."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_noop as _
from ninja import Router
from ninja.responses import Status

from faena.api.auth import Request
from faena.api.idempotency import unkept
from faena.api.problems import not_found
from faena.api.rules import rule
from faena.api.schemas import token as shapes
from faena.ledger import tokens
from faena.permissions import Role

router = Router(tags=["Tokens"])


@router.get("/tokens", response=shapes.TokenList, **rule(Role.ADMIN, _("List tokens")))
def list_tokens(request: Request) -> Any:
    """Without their texts, which nobody keeps."""
    return {"data": [_shown(each) for each in tokens.all_tokens()]}


@router.post("/tokens", response={201: shapes.MadeToken}, **rule(Role.ADMIN, _("Create a token")))
@unkept
def create_token(request: Request, given: shapes.NewToken) -> Any:
    """Its text is in this answer, and never again. Such an answer is kept for no key."""
    lasts = timedelta(days=given.days) if given.days else None
    made, text = tokens.create(given.name, given.role, request.auth.actor, lasts)
    return Status(201, shapes.MadeToken(**_shown(made), token=text))


@router.delete("/tokens/{int:pk}", response={204: None}, **rule(Role.ADMIN, _("Revoke a token")))
def revoke_token(request: Request, pk: int) -> Any:
    """Nobody signs in with it any more."""
    if pk >= 2**63 or not tokens.revoke(pk, request.auth.actor):
        raise not_found(f"No token {pk} is in force.", "unknown-token")
    return Status(204, None)


def _shown(token: Any) -> dict[str, Any]:
    return {name: getattr(token, name) for name in shapes.Token.model_fields}
