"""What goes wrong, as RFC 9457 has it: one shape for every error, with the place of each wrong value."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as InvalidRequest

from faena.celery.calling import Refused
from faena.errors import AlreadyLive, ConfigurationError, NoInput, NotAllowed, NotNow, WrongArguments

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
#: What each `type` begins with; docs/api.md explains them.
TYPE = "urn:faena:problem:"
#: What every answer of the API carries: nothing in it is a page, whatever a browser is told to do with it.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_UNSAFE = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


class Problem(Exception):
    """An answer that is an error.

    Args:
        slug: the end of its `type`, such as `unknown-job`.
        errors: `{place, message}` of each wrong value; a place is such as `body.kwargs.name`.
        more: other members of the answer.
    """

    def __init__(
        self, status: int, slug: str, detail: str, errors: Sequence[Mapping[str, str]] = (), **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.slug, self.detail, self.errors, self.more = status, slug, detail, errors, more

    def as_json(self) -> dict[str, Any]:
        """The members of the answer."""
        title = self.slug.replace("-", " ").capitalize()
        plain = {"type": TYPE + self.slug, "title": title, "status": self.status, "detail": self.detail}
        return plain | ({"errors": list(self.errors)} if self.errors else {}) | self.more


def safe_json(value: Any) -> str:
    """JSON text in which no browser finds a tag."""
    return escaped(json.dumps(value, ensure_ascii=False))


def escaped(text: str) -> str:
    """JSON text with `<`, `>` and `&`, which only stand inside its strings, written as escapes."""
    return text.translate(_UNSAFE)


def answer(problem: Problem) -> HttpResponse:
    """The problem as a response."""
    headers = HEADERS | ({"WWW-Authenticate": 'Bearer realm="faena"'} if problem.status == 401 else {})
    response = HttpResponse(safe_json(problem.as_json()), status=problem.status, content_type=MEDIA_TYPE)
    for name, value in headers.items():
        response[name] = value
    return response


def not_found(detail: str = "There is nothing at this address.", slug: str = "not-found") -> Problem:
    """There is no such thing."""
    return Problem(404, slug, detail)


def invalid(errors: Sequence[Mapping[str, str]]) -> Problem:
    """Values that cannot be, each with its place."""
    said = "; ".join(f"{each['place']}: {each['message']}" for each in errors)
    return Problem(422, "invalid-request", f"Nothing was done. {said}", errors)


def of(error: Exception) -> Problem:
    """The problem that an exception stands for; one that nobody foresaw is logged and says nothing of itself."""
    if isinstance(error, Problem):
        return error
    for kind, made in _KNOWN.items():
        if isinstance(error, kind):
            return made(error)
    logger.error("The API failed.", exc_info=error)
    return Problem(500, "internal-error", "Something went wrong here. The log of the web process says what.")


def _invalid_request(error: Any) -> Problem:
    return invalid([{"place": _place(each["loc"]), "message": each["msg"]} for each in error.errors])


def _place(loc: Sequence[Any]) -> str:
    # The name of the parameter of our own function, which stands second in a body's place, is nobody's business.
    parts = [str(each) for each in loc]
    if parts[:1] == ["body"] and parts[1:2] in (["given"], ["wanted"]):
        del parts[1]
    return ".".join(part for part in parts if not part.startswith("function-")) or "body"


def _http(error: Any) -> Problem:
    slug = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    detail = "The body is not JSON." if error.status_code == 400 else error.message
    return Problem(error.status_code, slug, detail)


def _not_allowed(error: Any) -> Problem:
    if error.state == "unknown":
        return not_found(f"There is no job {error.job_id}: it was never accepted here, or it was pruned.")
    return Problem(409, "no-input" if isinstance(error, NoInput) else "not-allowed", str(error), state=str(error.state))


def _validation(error: Any) -> Problem:
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return invalid(
        [
            {"place": "body" if name == NON_FIELD_ERRORS else f"body.{name}", "message": said}
            for name, all_said in by_field.items()
            for said in all_said
        ]
    )


def _wrong_arguments(error: Any) -> Problem:
    if isinstance(error, Refused):
        return invalid([{"place": f"body.{error.place}", "message": str(error)}])
    if error.problem in {"own task", "unknown task"}:
        return invalid([{"place": "body.task", "message": str(error)}])
    return invalid([{"place": f"body.kwargs.{error.field}" if error.field else "body.args", "message": str(error)}])


def _database(error: Any) -> Problem:
    logger.error("The API cannot use the database.", exc_info=error)
    return Problem(503, "database-unavailable", "The database cannot be used now. Try again in a moment.")


_SIGN_IN = "Sign in, or send a token in force: `Authorization: Bearer faena_…` (make one with `faena tokens create`)."
_KNOWN: dict[type[Exception], Any] = {
    InvalidRequest: _invalid_request,
    AuthenticationError: lambda error: Problem(401, "not-signed-in", _SIGN_IN),
    HttpError: _http,
    Http404: lambda error: not_found(),
    PermissionDenied: lambda error: Problem(403, "forbidden", "You may not do this."),
    NotAllowed: _not_allowed,
    AlreadyLive: lambda error: Problem(409, "already-live", str(error), job=str(error.job_id)),
    WrongArguments: _wrong_arguments,
    NotNow: lambda error: Problem(409, "not-now", str(error)),
    ConfigurationError: lambda error: Problem(503, "not-configured", str(error)),
    ValidationError: _validation,
    DatabaseError: _database,
}


def handle(request: HttpRequest, error: Any) -> HttpResponse:
    """The answer to an exception, as django-ninja asks for it."""
    return answer(of(error))
