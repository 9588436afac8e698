"""docs/api.md mentions every operation and every metric, and what it says to type works."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from tests.unit.faena.api.conftest import Caller, admin, failed, surroundings, token_of  # noqa: F401

from faena import metrics
from faena.api.urls import made
from faena.ledger import schedules, sql, tokens
from faena.ledger.records import SYSTEM
from faena.models import Schedule
from faena.permissions import Role

PAGE = (Path(__file__).resolve().parents[2] / "docs/api.md").read_text()
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)).replace("\\\n", " ")
COMMANDS = [line for line in BLOCKS.splitlines() if line.startswith("curl ")]


@shared_task(name="shop.send_invoice")
def send_invoice(number: int) -> None:
    """As the page calls it."""


def parsed(command: str, **variables: Any) -> tuple[str, str, Any, dict[str, str]]:
    """The method, the path, the body and the headers of a curl command."""
    words = shlex.split(re.sub(r"\$(\w+)", lambda found: str(variables.get(found[1], "")), command))[1:]
    method, path, body, headers = "GET", "", None, {}
    while words:
        word = words.pop(0)
        match word:
            case "-X":
                method = words.pop(0)
            case "-d":
                body = json.loads(words.pop(0))
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case _:
                path = word
    return method, path, body, headers


def template(path: str) -> str:
    return re.sub(r"\?.*", "", path.replace("JOB", "{pk}").replace("SCHEDULE", "{pk}").replace("TOKEN_ID", "{pk}"))


def test_every_operation_is_shown_and_no_other():
    shown = set()
    for command in COMMANDS:
        method, path, *_ = parsed(command, JOB="JOB", SCHEDULE="SCHEDULE", TOKEN_ID="TOKEN_ID")
        shown.add(f"{method} {template(path).replace('/mail/', '/{name}/')}")
    schema = made.get_openapi_schema(path_prefix="/api/")
    assert shown == {f"{method.upper()} {path}" for path, each in schema["paths"].items() for method in each}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_it_says_to_type_works(command, admin: Caller, failed, make_job):  # noqa: F811
    wants_failed = "/retry" in command or "/discard" in command
    job = failed(kind="shop.send_invoice", args="[4711]") if wants_failed else make_job(kind="shop.send_invoice")
    if "/resume" in command or "/start" in command:
        sql.execute("UPDATE faena_job SET state = 'paused'")
    schedule = schedules.save(
        Schedule(name="daily", task="shop.send_invoice", args=[1], kind="crontab", crontab="0 8 * * *")
    )
    if "/unskip" in command:
        schedules.skip(schedule.pk)
    other, _ = tokens.create("other", Role.VIEWER, SYSTEM)
    method, path, body, headers = parsed(command, JOB=job, SCHEDULE=schedule.pk, TOKEN_ID=other.pk)
    assert "Authorization" in headers
    answer = admin(method, path, body)
    assert answer.status_code in {200, 201, 202, 204}, answer.content


def test_every_metric_is_mentioned(ledger):
    names = set(re.findall(r"^# TYPE (\w+)", metrics.text().decode(), re.M))
    assert len(names) > 10
    assert {name for name in names if f"`{name}`" not in PAGE} <= {"faena_job_duration_seconds"}
