"""A TV operator's installation: telemetry on a database and a broker, against a PanAccess of its own."""

from __future__ import annotations

from faena_sandbox.panaccess.server import Server
from tests.support.stack import Stack


class Operator(Stack):
    """Nothing runs by the clock, unless `sync_seconds` says so to the workers that start after it."""

    sync_seconds = 0

    def __init__(self, database: str, broker: str, *options: str) -> None:
        self.panaccess = Server(*options)
        super().__init__(database, broker)

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes."""
        own = {
            "FAENA_SYSTEMS": "telemetry",
            "TELEMETRY_SYNC_SECONDS": str(self.sync_seconds),
            "PANACCESS_CONCURRENCY": "3",
        }
        return super().env | self.panaccess.environment | own

    def close(self) -> None:
        """End every process, and point this one back."""
        super().close()
        self.panaccess.stop()
