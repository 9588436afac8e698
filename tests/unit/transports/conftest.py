from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu import Connection

from faena.transports import register
from faena.transports._store import Store

register()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "broker.sqlite3"


@pytest.fixture
def open_store(path: Path) -> Iterator[Callable[[], Store]]:
    """Open as many connections to one file as a test wants."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store(path, busy_timeout=0.2))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    return open_store()


@pytest.fixture
def connection(path: Path) -> Iterator[Connection]:
    with Connection(f"sqlite:///{path}", transport_options={"busy_timeout": 0.2}) as connection:
        yield connection
