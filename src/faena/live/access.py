"""Who may open a socket: from this very site and signed in, or with a token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http.request import split_domain_port, validate_host

from faena.ledger import tokens
from faena.permissions import role_of

#: What is allowed where DEBUG is on and nothing was said, as in Django.
_AT_HOME = [".localhost", "127.0.0.1", "[::1]"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks: a person by their session, or a program by its token."""

    token_id: int | None = None
    user_id: Any = None
    session: Any = None

    def may_stay(self) -> bool:
        """Whether they still may look; asked now and then while the socket is open."""
        if self.token_id is not None:
            return tokens.is_in_force(self.token_id)
        user = get_user_model()._default_manager.filter(pk=self.user_id).first()
        return user is not None and role_of(user) is not None and self.session.exists(self.session.session_key)


class Admission:
    """An ASGI application in front of the consumers, behind channels' session and user."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse the handshake, with HTTP 403, of whoever may not look."""
        visitor = await database_sync_to_async(visitor_of)(scope)
        if visitor is None:
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await self.application(scope | {"visitor": visitor}, receive, send)


def visitor_of(scope: Any) -> Visitor | None:
    """Who asks for a socket; None when they may not have it. A page of another site has cookies too: it may not."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if not _is_own_host(headers) or not _is_same_origin(headers):
        return None
    kind, _space, text = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        token = tokens.find(text.strip())
        return Visitor(token_id=token.pk) if token else None
    user = scope["user"]
    # Browsers name the origin always.
    if "origin" not in headers or role_of(user) is None:
        return None
    return Visitor(user_id=user.pk, session=scope["session"])


def _host(headers: dict[str, str]) -> str:
    forwarded = headers.get("x-forwarded-host", "") if settings.USE_X_FORWARDED_HOST else ""
    return (forwarded or headers.get("host", "")).lower()


def _is_own_host(headers: dict[str, str]) -> bool:
    allowed = settings.ALLOWED_HOSTS or (_AT_HOME if settings.DEBUG else [])
    domain, _port = split_domain_port(_host(headers))
    return bool(domain) and validate_host(domain, allowed)


def _is_same_origin(headers: dict[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc.lower() == _host(headers) or origin in settings.CSRF_TRUSTED_ORIGINS
