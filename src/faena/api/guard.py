"""What holds for every address under `/api/`: no body too large, no unknown parameter, every answer safe to look at."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from faena.api.problems import HEADERS, Problem, answer, invalid, not_found, of

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


def only_known_parameters(run: Callable[..., Any]) -> Callable[..., Any]:
    """An operation's `run`, in front of which a parameter that it does not have is refused: it may be a filter."""
    models = [each for each in run.__self__.models if each.__ninja_param_source__ == "query"]  # type: ignore[attr-defined]
    known = {name for each in models for name in getattr(each, "__ninja_flatten_map__", each.model_fields)}

    @wraps(run)
    def look(request: HttpRequest, **values: Any) -> HttpResponseBase:
        unknown = [name for name in request.GET if name not in known]
        if unknown:
            said = f"There is no such parameter. Known: {', '.join(sorted(known)) or 'none'}."
            return answer(invalid([{"place": f"query.{name}", "message": said} for name in unknown]))
        return run(request, **values)

    return look


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """The answer at every other address under `/api/`."""
    return answer(not_found())


def _refuse_large(request: HttpRequest) -> None:
    refusal = Problem(413, "too-large", f"A body is at most {MAX_BODY // 1024} KiB.")
    announced = request.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > MAX_BODY:
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
