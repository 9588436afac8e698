"""A record as PanAccess sends it, into the columns of a row. Pure."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from faena.ledger import sql

NUMBERS = (
    "recordId", "actionId", "dataDuration", "dataId", "dataNetId", "dataPrice", "dataSeviceId", "dataTsId", "date",
    "deviceId", "ipId", "profileId", "reaonId",
)  # fmt: skip
TRUTHS = ("anonymized", "manual")
TEXTS = (
    "actionKey", "data", "dataName", "ip", "reasonKey", "smartcardId", "subscriberCode", "whoisCountry", "whoisIsp",
    "timestamp",
)  # fmt: skip
#: The columns of a row, in the order of its values.
COLUMNS = (*NUMBERS, *TRUTHS, *TEXTS, "dataDate", "timeDate")
RECORD_ID = COLUMNS.index("recordId")
WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
TIMESTAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")

Row = tuple[Any, ...]


class Page(NamedTuple):
    """Rows by ascending ``recordId``, of ``size`` records that came; ``unusable`` of them had no id."""

    rows: list[Row]
    size: int
    unusable: int = 0

    @property
    def ids(self) -> tuple[int, int] | None:
        """The first and the last id, if there is any."""
        return (self.rows[0][RECORD_ID], self.rows[-1][RECORD_ID]) if self.rows else None


def page_of(rows: list[Row]) -> Page:
    """Make a page. A record without a positive id can neither be kept nor found again: it is only counted."""
    usable = [row for row in rows if row[RECORD_ID] is not None and row[RECORD_ID] > 0]
    return Page(usable, len(rows), len(rows) - len(usable))


def row_if_record(value: dict[str, Any]) -> Row | dict[str, Any]:
    """Make a row of a JSON object that is a record; for ``json.loads``."""
    return row_of(value) if "recordId" in value or "actionId" in value else value


def row_of(record: dict[str, Any]) -> Row:
    """Return the values of COLUMNS. What is no number, truth or text where it should be becomes null."""
    get = record.get
    numbers = [value if (value := get(name)) is None else number(value) for name in NUMBERS]
    truths = [
        value if (value := get(name)) is None or value is True or value is False else truth(value) for name in TRUTHS
    ]
    texts = [value if (value := get(name)) is None else text(value) for name in TEXTS]
    return (*numbers, *truths, *texts, *moment(texts[-1]))


def number(value: Any) -> int | None:
    """Return a 64-bit integer, also from its text."""
    if type(value) is not int:
        try:
            value = int(value)
        except (TypeError, ValueError, OverflowError):
            return None
    return value if -(2**63) <= value < 2**63 else None


def truth(value: Any) -> bool | None:
    """Return what a word or a number says."""
    return WORDS.get(str(value).strip().lower())


def text(value: Any) -> str:
    """Return text that both databases can keep; anything else as JSON."""
    if type(value) is not str:
        value = json.dumps(value, ensure_ascii=False)
    return value if value.isprintable() else sql.text(value)


def moment(timestamp: str | None) -> tuple[str | None, int | None]:
    """Return date and hour of a wall clock's time, or two nulls if it is none."""
    found = TIMESTAMP.fullmatch(timestamp) if timestamp else None
    if found is None or not is_date(found[1]):
        return None, None
    return found[1], int(found[2])


@lru_cache(maxsize=4096)
def is_date(day: str) -> bool:
    """Tell whether there is such a day."""
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
