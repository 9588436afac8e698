"""`Idempotency-Key`: a request that is sent again is not done again; its answer is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from ninja.responses import Status

from faena.api.auth import Request
from faena.api.problems import Problem, safe_json
from faena.ledger import sql
from faena.models import KeyedAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
#: How long an answer is kept.
KEPT = timedelta(hours=24)
#: Old answers that a new one clears away.
SWEPT = 100


def once(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Do a POST that carries a key in one transaction with the note of its answer.

    Two at once with the same key: the second waits for the first one's row, and then finds its answer. What was
    refused was rolled back, with the key, and may be tried again.
    """

    @wraps(operation)
    def run(request: Request, *args: Any, **values: Any) -> Any:
        key = request.headers.get(HEADER, "")
        if request.method != "POST" or not key or getattr(operation, "is_secret", False):
            return operation(request, *args, **values)
        if len(key) > 255 or not key.isprintable():
            raise Problem(400, "bad-key", f"{HEADER} is printable text of at most 255 characters.")
        return _once(request, key, lambda: operation(request, *args, **values))

    return run


def unkept(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Mark an operation whose answer is a secret: it is not kept, whatever key is sent."""
    operation.is_secret = True  # type: ignore[attr-defined]
    return operation


def _once(request: Request, key: str, act: Callable[[], Any]) -> HttpResponse:
    owner, digest = request.auth.name, _digest(request)
    with transaction.atomic():
        sql.execute(
            f"""DELETE FROM faena_keyedanswer WHERE id IN (
                    SELECT id FROM faena_keyedanswer WHERE created < {sql.now(-KEPT)} LIMIT {SWEPT})"""
        )
        if not _claim(owner, key, digest):
            return _replayed(KeyedAnswer.objects.get(owner=owner, key=key), digest)
        result = act()
        status, value = (result.status_code, result.value) if isinstance(result, Status) else (200, result)
        body = "" if value is None else safe_json(value.model_dump(mode="json"))
        KeyedAnswer.objects.filter(owner=owner, key=key).update(status=status, body=body, created=Now())
    return _response(status, body)


def _claim(owner: str, key: str, digest: str) -> bool:
    return bool(
        sql.execute(
            f"""INSERT INTO faena_keyedanswer (owner, key, digest, status, body, created)
                VALUES (%s, %s, %s, 0, '', {sql.now()}) ON CONFLICT (owner, key) DO NOTHING""",
            [owner, key, digest],
        )
    )


def _replayed(found: KeyedAnswer, digest: str) -> HttpResponse:
    if found.digest != digest:
        raise Problem(422, "key-reused", f"This {HEADER} was used for another request. Take a new one.")
    response = _response(found.status, found.body)
    response[REPLAYED] = "true"
    return response


def _response(status: int, body: str) -> HttpResponse:
    return HttpResponse(body, status=status, content_type="application/json; charset=utf-8")


def _digest(request: Request) -> str:
    return sha256(
        b"\0".join([str(request.method).encode(), request.get_full_path().encode(), request.body])
    ).hexdigest()
