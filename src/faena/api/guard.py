"""What holds for every address under `/api/`: no body too large, no unknown parameter, every answer safe to look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from faena.api.problems import HEADERS, Problem, answer, not_found, of

#: Bytes of a request's body.
MAX_BODY = 1024 * 1024


def guarded(view: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """The view, in front of which what is too large is refused; whatever it raises is a problem."""

    # django-ninja checks CSRF where a session is what signs in.
    @csrf_exempt
    @wraps(view)
    def look(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _refuse_large(request)
            response = view(request, *args, **kwargs)
        except Exception as error:
            return answer(of(error))
        return _finished(request, response)

    return look


def nothing_here(request: HttpRequest, rest: str = "") -> HttpResponse:
    """The answer at every other address under `/api/`."""
    return answer(not_found())


def _refuse_large(request: HttpRequest) -> None:
    refusal = Problem(413, "too-large", f"A body is at most {MAX_BODY // 1024} KiB.")
    if (request.headers.get("Content-Length") or "0").isdigit() and int(
        request.headers["Content-Length"] or 0
    ) > MAX_BODY:
        raise refusal
    try:
        if len(request.body) > MAX_BODY:
            raise refusal
    except RequestDataTooBig:
        raise refusal from None


def _finished(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.status_code == 405:
        allowed = response["Allow"]
        response = answer(Problem(405, "method-not-allowed", f"{request.method} is not for this address: {allowed}."))
        response["Allow"] = allowed
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
