from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.operator import Operator


@pytest.fixture(scope="module", params=["sqlite+sqlite", "postgresql+redis"])
def operator_of_module(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Operator]:
    with django_db_blocker.unblock():
        operator = Operator(*request.param.split("+"), "--rows", "6000")
        try:
            yield operator
        finally:
            operator.close()


@pytest.fixture
def operator(request: pytest.FixtureRequest, operator_of_module: Operator) -> Iterator[Operator]:
    yield operator_of_module
    if request.node.report is None or request.node.report.failed:
        print(operator_of_module.logs())
