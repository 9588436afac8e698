"""Tasks that the tests of the API call by name."""

from __future__ import annotations

from celery import shared_task

from faena import job


@shared_task(name="tests.api.add")
def add(x: int, y: int = 0) -> int:
    return x + y


@job(name="tests.api.send", title="Send to {to}")
def send(run, to: str, api_key: str = ""):
    return {"to": to, "token": "t0p"}
