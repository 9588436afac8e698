"""Calls with a session that all workers share: logs in when it must, and no more often than PanAccess allows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django.utils import timezone

from faena.run import Run

from ..errors import NoAccess, SessionExpired, Transient, UnknownFunction
from ..models import PanaccessSession
from ..records import Page
from .client import Client

logger = logging.getLogger(__name__)
T = TypeVar("T")

#: PanAccess allows 20 in 5 minutes by its own clock, on which two logins may be closer together than on ours.
LOGIN_RATE = "20/330s"
LOGIN_TRIES = 3


class Access:
    """A run's way to PanAccess. For the run's own thread, as it reads and writes the database."""

    def __init__(self, client: Client, run: Run) -> None:
        self.client, self._run = client, run
        self._account = client.configuration.account
        self.session_id = self._shared()

    def call(self, act: Callable[[str], T], function: str) -> T:
        """Do ``act`` with a session; if that is over, with another one.

        Raises:
            NoAccess: it says so right after a fresh login.
            LoginRefused, Transient, Stopped: as they come.
        """
        is_fresh = False
        while True:
            if not self.session_id:
                self.session_id, is_fresh = self._log_in(), True
            try:
                return act(self.session_id)
            except SessionExpired:
                if is_fresh:
                    raise NoAccess(function) from None
                self.session_id = self._another_than(self.session_id)

    def list_records(self, fields: dict[str, object]) -> Page:
        """Return a page of records, and learn by which name this installation lists them.

        Raises:
            NoAccess, UnknownFunction: under none of the known names.
        """
        names = [self.client.function] if self.client.function else self.client.configuration.functions
        refusal: NoAccess | UnknownFunction | None = None
        for name in names:
            try:
                found = self.call(partial(self.client.list_records, name, fields=fields), name)
            except NoAccess as error:
                refusal = error
            except UnknownFunction as error:
                refusal = refusal or error
            else:
                self.client.function = name
                return found
        raise refusal if isinstance(refusal, NoAccess) else UnknownFunction(names)

    # --- the session ---------------------------------------------------------------------------

    def _shared(self) -> str:
        found = PanaccessSession.objects.filter(pk=self._account).values_list("session_id", flat=True).first()
        return found or ""

    def _another_than(self, session_id: str) -> str:
        """Return the session that another process has opened meanwhile; nothing if there is none."""
        shared = self._shared()
        return "" if shared == session_id else shared

    def _log_in(self) -> str:
        for number in range(1, LOGIN_TRIES + 1):
            self._run.permit(f"panaccess:login:{self._account}", LOGIN_RATE)
            try:
                session_id = self.client.login()
                break
            except Transient as error:
                if number == LOGIN_TRIES:
                    raise
                logger.warning("%s Logging in again.", error)
        opened = {"session_id": session_id, "opened": timezone.now()}
        PanaccessSession.objects.update_or_create(pk=self._account, defaults=opened)
        return session_id
