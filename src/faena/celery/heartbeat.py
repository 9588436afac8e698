"""The heartbeat: one thread that extends the leases of everything its process runs, and hears who is to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

from faena import conf
from faena.duties import steady
from faena.ledger import claim
from faena.ledger.forking import brief_connection

logger = logging.getLogger(__name__)


#: A job, what it is asked to do (`states.Stop`), and when the execution that is asked started.
Asked = tuple[UUID, str, datetime]


class Heartbeat(threading.Thread):
    """Beats until `stopping` is set; `with Heartbeat(…):` beats during the block."""

    def __init__(
        self,
        active: Callable[[], Iterable[UUID]],
        worker: str,
        after: Callable[[list[Asked]], None] = lambda asked: None,
    ) -> None:
        """Args:
        after: called at every beat with the jobs that were asked to stop.
        """
        super().__init__(name="faena-heartbeat", daemon=True)
        self.stopping = threading.Event()
        self._active, self._worker, self._after = active, worker, after

    def run(self) -> None:
        """Beat; a database that does not answer is tried again at the next beat."""
        while True:
            try:
                with brief_connection():
                    self._after(claim.extend(list(self._active()), self._worker))
                    steady.look()
            except Exception as error:
                logger.warning("The heartbeat did not reach the database (%s).", error)
            if self.stopping.wait(conf.get().HEARTBEAT.total_seconds()):
                return

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.join()
