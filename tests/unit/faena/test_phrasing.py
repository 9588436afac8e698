from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils.translation import override

from faena.models import Schedule
from faena.phrasing import describe

HERE = "America/Santiago"


def crontab(line: str) -> dict:
    return {"kind": "crontab", "crontab": line}


@pytest.mark.parametrize(
    ("values", "english", "spanish"),
    [
        ({"kind": "interval", "every": 120}, "every 2 minutes", "cada 2 minutos"),
        ({"kind": "interval", "every": 3600}, "every hour", "cada hora"),
        ({"kind": "interval", "every": 86400}, "every day", "todos los días"),
        ({"kind": "interval", "every": 90}, "every 90 seconds", "cada 90 segundos"),
        ({"kind": "interval", "every": 0.5}, "every 0.5 seconds", "cada 0.5 segundos"),
        (crontab("* * * * *"), "every minute (America/Santiago)", "cada minuto (America/Santiago)"),
        (crontab("0 8 * * mon"), "Mondays at 08:00 (America/Santiago)", "los lunes a las 08:00 (America/Santiago)"),
        (
            crontab("30 8,20 * * sat,sun"),
            "Saturdays and Sundays at 08:30 and 20:30 (America/Santiago)",
            "los sábados y los domingos a las 08:30 y 20:30 (America/Santiago)",
        ),
        (
            crontab("0 4 * * *"),
            "every day at 04:00 (America/Santiago)",
            "todos los días a las 04:00 (America/Santiago)",
        ),
        (
            crontab("*/15 8-18 * * mon-fri"),
            "Monday to Friday, every 15 minutes from 08:00 to 18:45 (America/Santiago)",
            "de lunes a viernes, cada 15 minutos desde las 08:00 hasta las 18:45 (America/Santiago)",
        ),
        (
            crontab("5,35 * * * *"),
            "every hour at minute 5 and 35 (America/Santiago)",
            "cada hora en el minuto 5 y 35 (America/Santiago)",
        ),
        (
            crontab("0 */2 * * *"),
            "every 2 hours from 00:00 on (America/Santiago)",
            "cada 2 horas desde las 00:00 (America/Santiago)",
        ),
        (
            crontab("0 4 1,15 * *"),
            "on days 1 and 15 of every month at 04:00 (America/Santiago)",
            "los días 1 y 15 de cada mes a las 04:00 (America/Santiago)",
        ),
        (crontab("0 4 1 jan *"), "0 4 1 jan * (America/Santiago)", "0 4 1 jan * (America/Santiago)"),
        (crontab("1-9 1,5,9 * * *"), "1-9 1,5,9 * * * (America/Santiago)", "1-9 1,5,9 * * * (America/Santiago)"),
        (crontab("nonsense"), "nonsense (America/Santiago)", "nonsense (America/Santiago)"),
        (
            {"kind": "solar", "event": "sunset", "latitude": -33.4, "longitude": -70.6},
            "at sunset of -33.4, -70.6",
            "a la puesta del sol de -33.4, -70.6",
        ),
        (
            {"kind": "once", "at": datetime(2026, 12, 24, 11, 30, tzinfo=UTC)},
            "once, on Dec. 24, 2026 08:30 (America/Santiago)",
            "una vez, el 24 de diciembre de 2026 08:30 (America/Santiago)",
        ),
        ({"kind": "once"}, "never", "nunca"),
    ],
)
def test_in_words(values, english, spanish):
    schedule = Schedule(time_zone=HERE, **values)
    with override("en"):
        assert describe(schedule) == english
    with override("es"):
        assert describe(schedule) == spanish
