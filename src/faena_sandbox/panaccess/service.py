"""What PanAccess answers, without the network: functions over form fields."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import filters
from .behaviour import Behaviour, Fault
from .dataset import Dataset

#: The real service says this of a session that is over as well as of a lack of rights.
NO_PERMISSION = "You do not have the permission to execute this functionality."
WEB_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


@dataclass(frozen=True)
class Reply:
    """One answer. HTTP is 200 on most failures."""

    body: str
    status: int = 200
    content_type: str = "application/json"


class Refused(Exception):
    """The answer is a failure with this text and code."""

    def __init__(self, message: str, code: str, **more: Any) -> None:
        super().__init__(message)
        self.fields = {"success": False, "errorMessage": message, "errorCode": code} | more


@dataclass
class _Session:
    opened: float
    calls: int = 0


class PanAccess:
    """The state of one installation: its records, sessions and troubles."""

    def __init__(self, dataset: Dataset, behaviour: Behaviour, clock: Callable[[], float] = time.monotonic) -> None:
        self.dataset, self.behaviour, self._clock = dataset, behaviour, clock
        self.faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self.most_logins = 0
        self._sessions: dict[str, _Session] = {}
        self._logins: deque[float] = deque()

    # --- for tests -----------------------------------------------------------------------------

    def expire_sessions(self) -> None:
        """End every session."""
        self._sessions.clear()

    def state(self) -> dict[str, Any]:
        """Return what there is and what was asked for."""
        return {
            "rows": self.dataset.rows,
            "highest_id": self.dataset.highest_id,
            "sessions": len(self._sessions),
            "most_logins_in_window": self.most_logins,
            "calls": dict(self.calls),
        }

    # --- what callers see ----------------------------------------------------------------------

    def call(self, function: str, form: Mapping[str, str]) -> Reply:
        """Answer one call."""
        self.calls[function] += 1
        fault = self._fault(function)
        if fault == "html":
            return Reply(WEB_PAGE, content_type="text/html")
        if fault == "http_500":
            return Reply("Internal Server Error", status=500, content_type="text/plain")
        reply = Reply(self._body(function, form, fault))
        if fault == "truncated":
            return Reply(reply.body[: len(reply.body) * 2 // 3])
        return reply

    def _fault(self, function: str) -> str:
        for fault in self.faults:
            if function == (fault.function or self.behaviour.function):
                if fault.after > 0:
                    fault.after -= 1
                    return ""
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault.kind
        return ""

    def _body(self, function: str, form: Mapping[str, str], fault: str) -> str:
        try:
            if fault == "error":
                raise Refused("Internal error: database connection lost.", "internal_error")
            if fault == "no_rights":
                raise Refused(NO_PERMISSION, "no_access_to_function")
            return f'{{"success":true,"answer":{self._answer(function, form)}}}'
        except Refused as refused:
            return json.dumps(refused.fields)

    def _answer(self, function: str, form: Mapping[str, str]) -> str:
        match function:
            case "login":
                return json.dumps(self._login(form))
            case "cvLoggedIn":
                return json.dumps(self._is_open(form.get("sessionId", "")))
            case "cvLogout":
                self._sessions.pop(form.get("sessionId", ""), None)
                return "true"
            case self.behaviour.function:
                return self._records(form)
        raise Refused(f"Unknown function {function}.", "unknown_function")

    # --- sessions ------------------------------------------------------------------------------

    def _login(self, form: Mapping[str, str]) -> str:
        now, wanted = self._clock(), self.behaviour
        while self._logins and now - self._logins[0] >= wanted.login_window_seconds:
            self._logins.popleft()
        self._logins.append(now)
        self.most_logins = max(self.most_logins, len(self._logins))
        if len(self._logins) > wanted.logins:
            raise Refused("Too many login attempts, please wait.", "login_limit_reached")
        digest = hashlib.md5((wanted.password + wanted.salt).encode()).hexdigest()  # noqa: S324  as the service wants it
        given = (form.get("username"), form.get("password"), form.get("apiToken"))
        if given != (wanted.username, digest, wanted.api_token):
            raise Refused("Wrong username or password.", "login_failed", answer="false")
        session = secrets.token_hex(16)
        self._sessions[session] = _Session(now)
        return session

    def _is_open(self, session_id: str) -> bool:
        session = self._sessions.get(session_id)
        if session is None:
            return False
        is_old = self._clock() - session.opened >= self.behaviour.session_seconds
        if is_old or session.calls >= self.behaviour.session_calls:
            del self._sessions[session_id]
            return False
        return True

    def _use(self, session_id: str) -> None:
        if not self._is_open(session_id):
            raise Refused(NO_PERMISSION, "no_access_to_function")
        self._sessions[session_id].calls += 1

    # --- records -------------------------------------------------------------------------------

    def _records(self, form: Mapping[str, str]) -> str:
        self._use(form.get("sessionId", ""))
        if not self.behaviour.has_rights:
            raise Refused(NO_PERMISSION, "no_access_to_function")
        indexes = self._chosen(form)
        offset, limit = _number(form, "offset", 0), _number(form, "limit", 1000)
        if limit < 1 or offset < 0:
            raise Refused("Invalid limit or offset.", "invalid_parameter")
        page = indexes[offset : offset + min(limit, self.behaviour.page_limit)]
        listed = self.dataset.as_json(page)
        self.dataset.rows += self.behaviour.arrivals_per_page
        return f'{{"telemetryRecordEntries":{listed}}}'

    def _chosen(self, form: Mapping[str, str]) -> range:
        """Return the indexes of the records that are asked for, in the order that is asked for."""
        if form.get("orderBy", "recordId") not in {"recordId", "created", "timestamp"}:
            raise Refused("Invalid orderBy.", "invalid_parameter")
        start, end = 0, self.dataset.rows
        if self.behaviour.honours_filters and form.get("newFilters"):
            try:
                above, up_to = filters.bounds(form["newFilters"])
            except filters.BadFilter as error:
                raise Refused(str(error), "invalid_parameter") from error
            start = min(end, self.dataset.index_after(above))
            end = end if up_to is None else max(start, min(end, self.dataset.index_after(up_to)))
        indexes = range(start, end)
        return indexes if form.get("orderDir", "ASC").upper() == "ASC" else indexes[::-1]


def _number(form: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(form.get(name, default))
    except ValueError:
        raise Refused(f"Invalid {name}.", "invalid_parameter") from None
