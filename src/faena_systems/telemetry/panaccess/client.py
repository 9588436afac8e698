"""PanAccess over HTTP: one call, its answer or a typed error. Threads may share a client; it knows no database."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import httpx
import tenacity

from ..errors import (
    LoginRefused,
    PanaccessError,
    ServiceError,
    SessionExpired,
    Transient,
    UnknownFunction,
    Unreachable,
    UnreadableAnswer,
)
from ..records import Page, page_of, row_if_record
from .configuration import Configuration
from .memory import give_large_blocks_back

logger = logging.getLogger(__name__)

TRIES = 4
#: Seconds before the second try, by chance up to this; doubled for each further one.
PAUSE = 0.5
NO_PERMISSION = "do not have the permission to execute"


class Client:
    """Keeps its connections. ``function`` and ``honours_filters`` are what it has learnt of the installation."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.function = configuration.functions[0] if len(configuration.functions) == 1 else ""
        self.honours_filters = True
        self._http = httpx.Client(
            timeout=httpx.Timeout(configuration.timeout, connect=10),
            limits=httpx.Limits(max_connections=configuration.concurrency + 1),
        )
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(TRIES),
            wait=tenacity.wait_random_exponential(multiplier=PAUSE, max=10),
            retry=tenacity.retry_if_exception_type(Transient),
            before_sleep=_say_again,
            reraise=True,
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def login(self) -> str:
        """Log in, once, and return the session's id.

        Raises:
            LoginRefused: wrong account, or too many logins.
            Transient: another try may do better; each counts as a login.
        """
        account = self.configuration
        form = {"username": account.username, "password": account.password_digest, "apiToken": account.api_token}
        try:
            session = self._post("login", form)
        except (ServiceError, SessionExpired, UnknownFunction) as error:
            raise LoginRefused(getattr(error, "said", "")) from None
        if not isinstance(session, str) or session in {"", "false"}:
            raise LoginRefused("")
        logger.info("Logged in to PanAccess at %s as %s.", httpx.URL(account.url).host, account.username)
        return session

    def call(self, function: str, session_id: str, **fields: Any) -> Any:
        """Call a function, again after a pause if that may help, and return its answer.

        Raises:
            SessionExpired: the session is over, or the account lacks the right.
            UnknownFunction: the installation has no such function.
            Transient: it failed four times.
        """
        return self._retrying(self._post, function, fields | {"sessionId": session_id})

    def list_records(self, function: str, session_id: str, fields: dict[str, Any]) -> Page:
        """Return a page of records; ``fields`` are offset, limit, orderBy, orderDir, newFilters.

        Raises:
            SessionExpired, UnknownFunction, Transient: as ``call``.
        """
        answer = self.call(function, session_id, **fields) or {"telemetryRecordEntries": []}
        rows = answer.get("telemetryRecordEntries") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, tuple) for row in rows):
            raise UnreadableAnswer("no list of records")
        return page_of(rows)

    def _post(self, function: str, form: dict[str, Any]) -> Any:
        try:
            response = self._http.post(
                self.configuration.url, params={"f": function, "requestMode": "function"}, data=form
            )
        except httpx.HTTPError as error:
            raise Unreachable(type(error).__name__) from None
        if response.status_code != httpx.codes.OK:
            raise UnreadableAnswer(f"HTTP status {response.status_code}")
        return self._answer(function, response)

    def _answer(self, function: str, response: httpx.Response) -> Any:
        try:
            # Record by record into rows: a page of dicts would take three times the memory.
            reply = json.loads(response.content, object_hook=row_if_record)
            succeeded = reply["success"]
        except (ValueError, TypeError, KeyError):
            kind = response.headers.get("content-type", "no content type").partition(";")[0]
            raise UnreadableAnswer(f"{len(response.content):,} bytes of {kind} that cannot be read") from None
        if succeeded is True:
            return reply.get("answer")
        raise self._failure(function, reply)

    def _failure(self, function: str, reply: dict[str, Any]) -> PanaccessError | UnknownFunction:
        said = self._without_secrets(str(reply.get("errorMessage") or ""))
        code = str(reply.get("errorCode") or reply.get("error_code") or reply.get("code") or "")
        if NO_PERMISSION in said or code == "no_access_to_function":
            return SessionExpired()
        if code == "unknown_function" or "unknown function" in said.lower():
            return UnknownFunction([function])
        return ServiceError(said, code)

    def _without_secrets(self, said: str) -> str:
        for secret in self.configuration.secrets:
            said = said.replace(secret, "…")
        return said[:300]


def _say_again(state: tenacity.RetryCallState) -> None:
    error = state.outcome and state.outcome.exception()
    logger.warning("%s Trying again (try %d of %d failed).", error, state.attempt_number, TRIES)


#: By account and process: a pool process must not share its parent's sockets.
_clients: dict[tuple[Configuration, int], Client] = {}


def of_process(configuration: Configuration) -> Client:
    """Return the client that this process keeps for an account."""
    key = configuration, os.getpid()
    if key not in _clients:
        give_large_blocks_back()
        _clients[key] = Client(configuration)
    return _clients[key]


def close_all() -> None:
    """Close the connections of all clients, and forget them."""
    while _clients:
        _key, client = _clients.popitem()
        client.close()
