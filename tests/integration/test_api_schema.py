"""schemathesis asks what the schema allows and what it forbids: nothing that it sends makes the API fail."""

from __future__ import annotations

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.unit.faena.api.conftest import Caller, admin, surroundings, token_of  # noqa: F401

schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app=get_wsgi_application())
# Each combination of every bound would take minutes; the bounds have tests of their own.
schema.config.phases.coverage.enabled = False
#: Enough to come through every branch, and seconds for them all.
KNOWN = settings(
    max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@schema.parametrize()
@KNOWN
def test_it_answers_as_it_says(case, admin: Caller):  # noqa: F811
    case.call_and_validate(
        headers=admin.headers,
        checks=[
            not_a_server_error,
            checks.content_type_conformance,
            checks.response_schema_conformance,
            checks.status_code_conformance,
        ],
    )
