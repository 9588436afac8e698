"""How this installation of PanAccess is, and what goes wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

FaultKind = Literal["error", "http_500", "html", "truncated", "no_rights"]
FAULTS: tuple[FaultKind, ...] = ("error", "http_500", "html", "truncated", "no_rights")
#: The names that installations have for the list of records.
FUNCTIONS = (
    "getListOfTelemetryRecords",
    "getListOfTelemetryRecordEntries",
    "getTelemetryRecords",
    "cvGetListOfTelemetryRecords",
)


@dataclass
class Behaviour:
    """What may be chosen at the start and changed while it runs."""

    username: str = "operador"
    password: str = "secreto"  # noqa: S105  a stand-in's own
    salt: str = "sal"
    api_token: str = "token"  # noqa: S105
    function: str = FUNCTIONS[0]
    honours_filters: bool = True
    #: Whether the account may list records.
    has_rights: bool = True
    latency_ms: float = 0
    #: After so many seconds, or so many calls, a session is over.
    session_seconds: float = 3600
    session_calls: int = 10**9
    logins: int = 20
    login_window_seconds: float = 300
    #: Records that arrive right after each page that was asked for.
    arrivals_per_page: int = 0
    page_limit: int = 1000

    def change(self, values: dict[str, Any]) -> None:
        """Set fields by name.

        Raises:
            ValueError: there is no such field.
        """
        known = {field.name for field in fields(self)}
        if unknown := set(values) - known:
            raise ValueError(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(sorted(known))}.")
        for name, value in values.items():
            setattr(self, name, value)


@dataclass
class Fault:
    """Something that goes wrong with the next ``times`` calls of a function; of the list of records by default."""

    kind: FaultKind
    times: int = 1
    function: str = ""
    #: Calls that go well before.
    after: int = 0
