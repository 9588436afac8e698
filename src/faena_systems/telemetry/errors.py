"""Telemetry's errors. No message holds a password, a token or a session.

faena.errors.PermanentFailure
├── NotConfigured        the environment does not say how to reach PanAccess
├── NoAccess             right after a fresh login the account may not call this function
└── UnknownFunction      no known name of the list of records exists on this installation

faena.errors.FaenaError
└── PanaccessError
    ├── SessionExpired   the session is over, or the account lacks a right: PanAccess says the same of both
    ├── LoginRefused     wrong account, or too many logins
    ├── OrderIgnored     the records do not come in the order that was asked for
    └── Transient        worth another try soon
        ├── Unreachable      no connection, or no answer in time
        ├── UnreadableAnswer an error page, or JSON that was cut off
        └── ServiceError     an answer that says it failed
"""

from __future__ import annotations

from collections.abc import Sequence

from faena.errors import FaenaError, PermanentFailure


class NotConfigured(PermanentFailure):
    """The environment does not say how to reach PanAccess; ``missing`` are the variables that it lacks."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        return (
            f"PanAccess is not configured: set {', '.join(self.missing)} in the environment or in .env"
            " (docs/telemetry.md), and start the worker again."
        )


class NoAccess(PermanentFailure):
    """The account lacks the right to call ``function``."""

    code = "no_access_to_function"

    def __init__(self, function: str) -> None:
        super().__init__(function)
        self.function = function

    def __str__(self) -> str:
        return (
            f"{self.code}: right after a fresh login PanAccess does not let this account call {self.function}."
            " Ask the operator of PanAccess for the right, or name another account in PANACCESS_USERNAME."
        )


class UnknownFunction(PermanentFailure):
    """This installation has none of these functions."""

    def __init__(self, functions: Sequence[str]) -> None:
        super().__init__(functions)
        self.functions = functions

    def __str__(self) -> str:
        return (
            f"This PanAccess has no function {' or '.join(self.functions)}."
            " Ask its operator what the list of telemetry records is called, and set PANACCESS_FUNCTION."
        )


class PanaccessError(FaenaError):
    """PanAccess did not do what it was asked."""


class SessionExpired(PanaccessError):
    """The session is over, or the account lacks a right."""

    def __str__(self) -> str:
        return "PanAccess says that the session is over."


class LoginRefused(PanaccessError):
    """PanAccess let nobody in; ``said`` is its reason. It allows 20 logins in 5 minutes."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said

    def __str__(self) -> str:
        return (
            f"PanAccess refused the login: {self.said or 'it gave no reason.'}"
            " Check PANACCESS_USERNAME, PANACCESS_PASSWORD, PANACCESS_SALT and PANACCESS_API_TOKEN."
        )


class OrderIgnored(PanaccessError):
    """The records come in another order, so nobody could tell which are new."""

    def __str__(self) -> str:
        return "PanAccess does not list the records by recordId as it was asked to, so none can be taken for new."


class Transient(PanaccessError):
    """Another try may do better."""


class Unreachable(Transient):
    """No connection, or no answer in time; ``why`` is the name of the network's error."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"PanAccess cannot be reached ({self.why}). Check PANACCESS_URL and the network."


class UnreadableAnswer(Transient):
    """What came is not the JSON that PanAccess sends."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"PanAccess sent {self.what} instead of an answer."


class ServiceError(Transient):
    """PanAccess says that it failed, and why."""

    def __init__(self, said: str, code: str = "") -> None:
        super().__init__(said, code)
        self.said, self.code = said, code

    def __str__(self) -> str:
        return f"PanAccess failed: {self.said or 'no reason given'}{f' ({self.code})' if self.code else ''}"
