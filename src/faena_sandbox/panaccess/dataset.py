"""Made telemetry with the distribution of a real export. A row is a function of seed and place: none is kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import date
from statistics import NormalDist
from typing import Any

from . import channels
from .moments import Moments

#: The real export: 324,188 starts, 324,187 stops, and so many records of other actions.
ROWS, OTHERS = 655_229, 6_854
SUBSCRIBERS, DEVICES = 60, 1_725
FIRST, LAST = date(2024, 12, 28), date(2026, 11, 24)
#: After so many ids one is missing.
DENSE = 400
OTHER_ACTIONS = (5, 6, 13, 14, 15, 16, 17, 18, 9, 10, 19, 20)
START, STOP = 7, 8
#: Durations of half a second to a month: half of them below 2,100 s, one in twenty above 62,721 s.
P50, P95 = 2_100, 62_721
BAD_TIMES = ("null", '""', '"0000-00-00 00:00:00"')

_MASK = 2**64 - 1
_APPS = ("Android TV", "iOS", "Web", "Set-top box", "Android")


def mix(number: int) -> int:
    """Return 64 bits that look random and are always the same for a number (splitmix64)."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


def durations(steps: int = 1024) -> list[int]:
    """Return durations in seconds to draw from."""
    spread = math.log(P95 / P50) / NormalDist().inv_cdf(0.95)
    normal = (NormalDist().inv_cdf((step + 0.5) / steps) for step in range(steps))
    return [min(30 * 86400, round(P50 * math.exp(spread * each))) for each in normal]


class Dataset:
    """Records by index, 0 the oldest. ``rows`` may be raised: that is how records arrive."""

    def __init__(self, rows: int = ROWS, seed: int = 1, first: date = FIRST, last: date = LAST) -> None:
        self.rows = rows
        self._salt = mix(seed)
        self._names = {channel: _Name(name) for channel, name in channels.names().items()}
        self._renames: list[tuple[int, int, _Name]] = []
        self._channels = channels.by_popularity(seed)
        self._durations = durations()
        self._moments = Moments(rows, first, last, seed)

    # --- ids -----------------------------------------------------------------------------------

    @staticmethod
    def id_of(index: int) -> int:
        """Return the ``recordId`` of the record at an index."""
        return index + index // DENSE + 1

    @staticmethod
    def index_after(record_id: int) -> int:
        """Return the index of the first record with a higher ``recordId``."""
        block, place = divmod(max(0, record_id), DENSE + 1)
        return block * DENSE + min(place, DENSE)

    @property
    def highest_id(self) -> int:
        """The newest record's ``recordId``, 0 if there is none."""
        return self.id_of(self.rows - 1) if self.rows else 0

    # --- what happens meanwhile ----------------------------------------------------------------

    def rename(self, channel: int, name: str) -> None:
        """Give a channel another name in all records that arrive from now on."""
        self._renames.append((self.rows, channel, _Name(name)))

    # --- records -------------------------------------------------------------------------------

    def as_json(self, indexes: Iterable[int]) -> str:
        """Return the records at these indexes as a JSON list."""
        return f"[{','.join(map(self._row, indexes))}]"

    def record(self, index: int) -> dict[str, Any]:
        """Return one record."""
        return json.loads(self._row(index))

    @staticmethod
    def action_of(index: int) -> tuple[int, int]:
        """Return the action of the record at an index, and the number that start and stop of a view share."""
        before = index * OTHERS // ROWS
        if (index + 1) * OTHERS // ROWS > before:
            return OTHER_ACTIONS[before % len(OTHER_ACTIONS)], -1 - before
        view, is_stop = divmod(index - before, 2)
        return (STOP if is_stop else START), view

    def _row(self, index: int) -> str:
        action, view = self.action_of(index)
        chance = mix(self._salt ^ (view & _MASK))
        own = mix(self._salt + index)
        device = chance % DEVICES
        channel = self._channels[(chance >> 20) % channels.POPULARITY]
        name = self._name(index, channel)
        seconds = self._durations[(chance >> 32) % 1024] if action != START else 0
        shown = name.stale(own) if action == STOP else name.quoted
        return (
            f'{{"recordId":{self.id_of(index)},"actionId":{action},"actionKey":null,"anonymized":null,'
            f'"data":"{name.data}{seconds},\\"appId\\":{device % 5},\\"appName\\":\\"{_APPS[device % 5]}\\"}}",'
            f'"dataDuration":{seconds if action != START else "null"},"dataId":{channel},"dataName":{shown},'
            f'"dataNetId":null,"dataPrice":0,"dataSeviceId":null,"dataTsId":null,"date":null,'
            f'"deviceId":{50_000 + device},"ip":null,"ipId":null,"manual":false,"profileId":null,"reaonId":0,'
            f'"reasonKey":null,"smartcardId":"{700_000_000 + device}","subscriberCode":"SUB{device % SUBSCRIBERS:04d}",'
            f'"timestamp":{self._timestamp(index, own)},"whoisCountry":null,"whoisIsp":null}}'
        )

    def _name(self, index: int, channel: int) -> _Name:
        given = (name for since, renamed, name in reversed(self._renames) if renamed == channel and index >= since)
        return next(given, self._names[channel])

    def _timestamp(self, index: int, chance: int) -> str:
        """Return it as JSON: some devices' clocks are ahead, and one record in 20,000 has no time."""
        if chance % 20_011 == 0:
            return BAD_TIMES[chance % 3]
        if chance % 701 == 0:
            return f'"2026-12-{1 + chance % 31:02d} {chance // 31 % 24:02d}:15:00"'
        return f'"{self._moments.at(index)}"'


class _Name:
    """A channel's name, written for JSON once and for all."""

    def __init__(self, name: str) -> None:
        self.quoted = json.dumps(name, ensure_ascii=False)
        inner = f'{{"streamId":"{mix(len(name)) % 10_000}","streamName":{self.quoted},"duration":'
        self.data = json.dumps(inner, ensure_ascii=False)[1:-1]
        self._old = json.dumps(f"{name} (ant.)", ensure_ascii=False)

    def stale(self, chance: int) -> str:
        """Return it as a stop has it: often missing, now and then an older one."""
        share = chance % 16
        if share < 5:
            return '""'
        return self._old if share == 5 else self.quoted
