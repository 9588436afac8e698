"""The page that lists every operation with examples, made from the schema; nothing on it comes from elsewhere."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from faena.api.rules import ROLE


@login_required
def docs(request: HttpRequest) -> HttpResponse:
    """The page; where the monitor's frame is not mounted, the schema itself."""
    try:
        reverse("monitor:jobs")
    except NoReverseMatch:
        return redirect("api:openapi-json")
    base = request.build_absolute_uri("/").removesuffix("/")
    return render(request, "faena/api.html", {"groups": groups(schema(), base), "base": base})


def schema() -> Any:
    """The schema of the API that is mounted."""
    from faena.api.urls import made

    return made.get_openapi_schema()


def groups(described: Any, base: str) -> dict[str, list[dict[str, Any]]]:
    """The operations of each tag, in their order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            found.setdefault(_(operation["tags"][0]), []).append(_shown(base, path, method, operation))
    return found


def _shown(base: str, path: str, method: str, operation: Any) -> dict[str, Any]:
    body = _example(operation.get("requestBody", {}))
    status, response = next(iter(operation["responses"].items()))
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": _(operation["summary"]),
        "role": operation[ROLE],
        "parameters": [each for each in operation["parameters"] if each["in"] != "path"],
        "curl": curl(base, path, method, body),
        "status": status,
        "answer": _pretty(_example(response)),
    }


def curl(base: str, path: str, method: str, body: Any) -> str:
    """The request as a command."""
    lines = [f"curl {base}{path}", '-H "Authorization: Bearer $FAENA_TOKEN"']
    if method != "get":
        lines[0] = f"curl -X {method.upper()} {base}{path}"
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(body, ensure_ascii=False)}'"]
    return " \\\n  ".join(lines)


def _example(part: Any) -> Any:
    return next((each.get("example") for each in part.get("content", {}).values()), None)


def _pretty(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)
