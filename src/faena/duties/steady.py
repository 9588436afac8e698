"""Can an expired lease be believed? Not while the database was away, and not when its clock has jumped.

After an outage, a full disk, a suspended machine or a corrected clock all leases have expired at once, those of
live jobs too. Their holders then get the time of two heartbeats before anything is taken from them.
"""

from __future__ import annotations

import time

from faena import conf
from faena.ledger import sql

#: So many heartbeats without a look may have cost holders theirs; and so many are then waited for.
BEATS = 2
#: By how many seconds the database's clock may differ from ours in its pace.
JUMP = 3.0

_since = time.monotonic()
_last: tuple[float, float] | None = None


def look() -> bool:
    """Ask for the database's clock; whether it has answered, and gone like ours, for two heartbeats.

    Every heartbeat looks, whoever holds the keeper's post: so one that takes the post over knows, and a duty that
    waits long for a broker makes no gap.
    """
    global _since, _last
    beats = BEATS * conf.get().HEARTBEAT.total_seconds()
    clock = "extract(epoch FROM clock_timestamp())" if sql.is_postgresql() else "julianday('now') * 86400.0"
    theirs, ours = float(sql.rows(f"SELECT {clock}")[0][0]), time.monotonic()
    if _last is not None:
        passed, passed_here = theirs - _last[0], ours - _last[1]
        if passed_here > beats or abs(passed - passed_here) > JUMP:
            _since = ours
    _last = theirs, ours
    return ours - _since >= beats
