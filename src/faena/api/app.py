"""The API itself: every operation, one shape for errors, and the schema that describes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from ninja import NinjaAPI, Router
from ninja.parser import Parser
from ninja.renderers import JSONRenderer

import faena
from faena.api import problems
from faena.api.describing import describe
from faena.api.guard import only_known_parameters
from faena.api.idempotency import once
from faena.api.routes import bulk, failures, jobs, queues, schedules, tokens, workers

ABOUT = """Background work on Celery: look at jobs, queues, workers and schedules, and act on them.

Sign in with a token, `Authorization: Bearer faena_…`, or with the session of a person, whose writes need
`X-CSRFToken`. Errors are `application/problem+json` (RFC 9457). A POST with an `Idempotency-Key` is done once.
Lists answer `data` and `next`; send `next` back as `cursor`."""


class StrictParser(Parser):
    """JSON as RFC 8259 has it: Python would take NaN and Infinity too, which no database does."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The value of the body."""
        return json.loads(request.body, parse_constant=_no_number)


class SafeRenderer(JSONRenderer):
    """JSON in which no browser finds a tag."""

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        """The text."""
        return problems.escaped(json.dumps(data, cls=self.encoder_class, ensure_ascii=False))


class FaenaAPI(NinjaAPI):
    """django-ninja's, with a schema that names roles, errors and examples."""

    def get_openapi_schema(self, **given: Any) -> Any:
        """The schema, OpenAPI 3.1."""
        return describe(super().get_openapi_schema(**given))


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON.")


def make() -> FaenaAPI:
    """The API with every operation."""
    made = FaenaAPI(
        title="Faena", version=faena.__version__, description=ABOUT, urls_namespace="api", docs_url=None,
        parser=StrictParser(), renderer=SafeRenderer(),
    )  # fmt: skip
    made.add_decorator(once)
    made.add_decorator(only_known_parameters, mode="view")
    for each in (jobs, bulk, failures, queues, workers, schedules, tokens):
        made.add_router("", each.router)
    for label, router in _of_systems():
        made.add_router(f"/{label}", router)
    made.add_exception_handler(Exception, problems.handle)
    for kind in tuple(made._exception_handlers):
        made.add_exception_handler(kind, problems.handle)
    return made


def _of_systems() -> Iterator[tuple[str, Router]]:
    """Every installed system's router, which its AppConfig names (`faena_api = "package.api:router"`)."""
    for config in apps.get_app_configs():
        if hasattr(config, "faena_api"):
            module, _colon, name = config.faena_api.partition(":")
            yield config.label, getattr(import_module(module), name)
