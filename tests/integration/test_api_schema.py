"""schemathesis asks what the schema allows and what it forbids: nothing that it sends makes the API fail."""

from __future__ import annotations

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app=get_wsgi_application())


@schema.parametrize()
@settings(max_examples=6, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_answers_as_it_says(case, admin):
    case.call_and_validate(
        headers=admin.headers,
        checks=[
            not_a_server_error,
            checks.content_type_conformance,
            checks.response_schema_conformance,
            checks.status_code_conformance,
        ],
    )
