"""Who asks, and whether they may: a person's session with CSRF checked, or a program's token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from ninja.security.apikey import APIKeyCookie
from ninja.security.http import HttpBearer

from faena.api.problems import Problem
from faena.ledger import tokens
from faena.ledger.records import Actor
from faena.permissions import Role, role_of


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person or a token, with its role, and from where."""

    name: str
    role: Role
    address: str | None

    @property
    def actor(self) -> Actor:
        """As the audit wants it."""
        return Actor(self.name, self.address)


class Request(HttpRequest):
    """A request that was let in."""

    auth: Principal


class Token(HttpBearer):
    """A token that covers the role."""

    openapi_description = "A token made with `faena tokens create`."

    def __init__(self, needed: Role) -> None:
        super().__init__()
        self.needed = needed

    def authenticate(self, request: HttpRequest, token: str) -> Principal:
        """The token's principal.

        Raises:
            Problem: 401 for a token that is not in force, whoever else is signed in; 403 for one that may not.
        """
        found = tokens.find(token)
        if found is None:
            raise Problem(401, "unknown-token", "This token is unknown, expired or revoked.")
        return _allowed(Principal(f"token {found.name}", Role(found.role), _address(request)), self.needed)


class Session(APIKeyCookie):
    """A signed-in person who covers the role. What changes something needs the CSRF token too."""

    openapi_description = "The session of a person who is signed in; POST, PATCH and DELETE need `X-CSRFToken` as well."

    def __init__(self, needed: Role, cookie: str) -> None:
        self.param_name = cookie
        super().__init__()
        self.needed = needed

    def __call__(self, request: HttpRequest) -> Principal | None:
        """The person's principal; None where nobody is signed in, and then there is nothing to forge."""
        role = role_of(request.user)
        if role is None:
            return None
        super().__call__(request)
        return _allowed(Principal(request.user.get_username(), role, _address(request)), self.needed)

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """Only to have the CSRF token checked; who it is, Django's middleware has found."""
        return True


def needs(role: Role) -> list[Any]:
    """What an operation for that role asks for."""
    from django.conf import settings

    return [Token(role), Session(role, settings.SESSION_COOKIE_NAME)]


def _allowed(who: Principal, needed: Role) -> Principal:
    if not who.role.covers(needed):
        raise Problem(403, "forbidden", f"This is for the role {needed}; {who.name} is {who.role}.")
    return who


def _address(request: HttpRequest) -> str | None:
    return request.META.get("REMOTE_ADDR") or None
