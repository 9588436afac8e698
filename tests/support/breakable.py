"""An installation of which every part may be broken: its own servers, and wires that can be cut."""

from __future__ import annotations

import os

from tests.support.postgresql import PostgreSQL
from tests.support.proxy import Proxy
from tests.support.stack import Stack


class Breakable(Stack):
    """As `Stack`. Its workers reach their servers through `database_wire` and `broker_wire`; this process directly."""

    def __init__(self, database: str, broker: str) -> None:
        self.postgresql = PostgreSQL().start() if database == "postgresql" else None
        name = self.postgresql.new_database() if self.postgresql else ""
        super().__init__(database, broker, self.postgresql.url(name) if self.postgresql else "")
        self.wires: dict[str, Proxy] = {}
        self._through_wires: dict[str, str] = {}
        #: What else the workers that are started next have in their environment.
        self.more_env: dict[str, str] = {}
        if self.postgresql:
            wire = self.wires["database"] = Proxy(self.postgresql.port)
            self._through_wires["FAENA_DATABASE_URL"] = self.postgresql.url(name, wire.port)
        if self.redis:
            wire = self.wires["broker"] = Proxy(self.redis.port)
            self._through_wires["FAENA_BROKER_URL"] = f"redis://127.0.0.1:{wire.port}/0"
        self.traces = self.folder / "traces"
        self.traces.mkdir()

    @property
    def env(self) -> dict[str, str]:
        own = {"DJANGO_SETTINGS_MODULE": "tests.support.storm_settings", "FAENA_STORM_TRACES": str(self.traces)}
        return super().env | self._through_wires | own | self.more_env

    def wipe_broker(self) -> None:
        """FLUSHALL, or the broker's file deleted under everybody's feet."""
        if self.redis:
            client = self.redis.client()
            client.flushall()
            client.close()
            return
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(f"{self.broker_file}{suffix}"):
                os.unlink(f"{self.broker_file}{suffix}")

    def close(self) -> None:
        for wire in self.wires.values():
            wire.close()
        super().close()
        if self.postgresql:
            self.postgresql.close()
