from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from faena.ledger import doorbell
from tests.support.breakable import Breakable


@pytest.fixture(scope="module", params=["sqlite+sqlite", "postgresql+redis"])
def stack_of_module(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Breakable]:
    """As everywhere, but every part of it may be broken."""
    with django_db_blocker.unblock():
        made = Breakable(*request.param.split("+"))
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def breakable(stack: Breakable) -> Iterator[Breakable]:
    """The installation, without a worker before and after."""
    stack.kill_workers()
    yield stack
    stack.kill_workers()
    doorbell._quiet_until = 0.0
