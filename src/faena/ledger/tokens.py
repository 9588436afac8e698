"""API tokens: made, shown once, found again by their hash, and revoked. Every decision about one is audited."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from faena.errors import NotNow
from faena.ledger import sql
from faena.ledger.records import Actor, write_audit
from faena.models import ApiToken
from faena.permissions import Role

#: What every token begins with, so that scanners for leaked secrets know it.
PREFIX = "faena_"
#: The last use of a token is written at most this often.
NOTED = timedelta(minutes=1)
#: Tokens that are listed.
CEILING = 500


def create(name: str, role: Role, by: Actor, lasts: timedelta | None = None) -> tuple[ApiToken, str]:
    """Make a token; its row, and its text, which nobody will see again.

    Args:
        name: what it is for; no other token in force has it.
        lasts: how long it is good for; None: until it is revoked.

    Raises:
        NotNow: a token in force has this name.
    """
    text = PREFIX + secrets.token_urlsafe(32)
    expires = sql.database_now() + lasts if lasts else None
    try:
        with transaction.atomic():
            made = ApiToken.objects.create(
                name=name, digest=_digest(text), role=role, created_by=by.name, expires=expires
            )
            write_audit(by, "create token", None, {"token": name, "role": role, "expires": expires})
    except IntegrityError:
        raise NotNow(f"A token named {name!r} is in force. Choose another name, or revoke that one first.") from None
    made.refresh_from_db()
    return made, text


def revoke(token_id: int, by: Actor) -> bool:
    """Let nobody sign in with it from now on; whether it was in force."""
    with transaction.atomic():
        revoked = ApiToken.objects.filter(pk=token_id, revoked=None).update(revoked=Now())
        if revoked:
            name = ApiToken.objects.values_list("name", flat=True).get(pk=token_id)
            write_audit(by, "revoke token", None, {"token": name})
    return bool(revoked)


def find(text: str) -> ApiToken | None:
    """The token in force with this text, if there is one; notes that it was used."""
    found = _in_force().filter(digest=_digest(text)).first() if text.startswith(PREFIX) else None
    if found is not None:
        stale = Q(used=None) | Q(used__lt=Now() - NOTED)
        if found.used is None or found.used < sql.database_now() - NOTED:
            ApiToken.objects.filter(stale, pk=found.pk).update(used=Now())
    return found


def is_in_force(token_id: int) -> bool:
    """Whether the token may still be used."""
    return _in_force().filter(pk=token_id).exists()


def all_tokens() -> list[ApiToken]:
    """Every token by name, revoked and expired ones too."""
    return list(ApiToken.objects.all()[:CEILING])


def _in_force():
    return ApiToken.objects.filter(Q(expires=None) | Q(expires__gt=Now()), revoked=None)


def _digest(text: str) -> str:
    # Tokens are long and random: nothing slower than a plain hash is needed.
    return sha256(text.encode()).hexdigest()
