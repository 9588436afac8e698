"""Kill the worker again and again during one full load of telemetry; then the tables equal an undisturbed load.

    python -m tests.faults.telemetry [--kills 50] [--rows 60000] [--seed S] [--on sqlite+sqlite]

Synchronisation and merge run side by side, in small transactions, while channels change their names. Needs nothing
started by hand. Exits with 1 when a table differs in any row.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from tests.support.operator import Operator
    from tests.support.stack import Worker

INSTALLATIONS = ["sqlite+sqlite", "postgresql+redis"]
#: Small pages and transactions, so that a kill finds many places to hit.
PAGE, BATCH, WINDOW = 200, 600, 1_500

Tables = dict[str, list[tuple[Any, ...]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="on each installation")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--on", choices=INSTALLATIONS, action="append", help="only this installation")
    asked = parser.parse_args()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.support.operator import Operator

    verdicts = {}
    for name in asked.on or INSTALLATIONS:
        operator = Operator(*name.split("+"), "--rows", str(asked.rows * 2 // 3))
        try:
            verdicts[name] = storm(operator, asked.kills, asked.rows, seed, lambda text: print(text, flush=True))
        finally:
            operator.close()
        print(f"{name}: {verdicts[name]}", flush=True)
    print(json.dumps({"seed": seed} | verdicts))
    return int(any(verdict["differing"] for verdict in verdicts.values()))


def storm(
    operator: Operator, kills: int, rows: int, seed: int, say: Callable[[str], None] = lambda _text: None
) -> dict[str, Any]:
    """Load all undisturbed, then once more under fire, and compare."""
    with_renames(operator, rows)
    os.environ |= operator.panaccess.environment
    undisturbed()
    expected = tables()
    forget()
    operator.panaccess.control(set={"latency_ms": 60})
    caught = under_fire(operator, kills, random.Random(seed), say)
    operator.panaccess.control(set={"latency_ms": 0})
    finish(operator)
    found = tables()
    differing = [name for name in expected if expected[name] != found[name]]
    return {
        "kills": kills,
        **caught,
        "records": len(found["telemetry_telemetryrecordentry"]),
        "merged": len(found["telemetry_mergedtelemetricott"]),
        "logins_in_5_min": operator.panaccess.control()["most_logins_in_window"],
        "differing": differing,
    }


def with_renames(operator: Operator, rows: int) -> None:
    """Let the rest of the records arrive, some channels under new names."""
    from faena_sandbox.panaccess import channels

    missing = rows - operator.panaccess.control()["rows"]
    for number, channel in enumerate(list(channels.names())[:6]):
        operator.panaccess.control(rename={"channel": channel, "name": f"Renamed {number}"})
        operator.panaccess.control(arrive=missing // 6)


def undisturbed() -> None:
    """Load everything in this process."""
    from faena_systems.telemetry.panaccess.client import close_all
    from faena_systems.telemetry.tasks import merge_ott_task, sync_telemetry_task

    for task in (sync_telemetry_task, merge_ott_task):
        assert task.run_now().state == "SUCCESS"
    close_all()


def tables() -> Tables:
    """Every row of every table that a load writes, in order; when it was written aside."""
    from django.apps import apps

    found: Tables = {}
    for model in apps.get_app_config("telemetry").get_models():
        if model.__name__ != "PanaccessSession":
            columns = [field.attname for field in model._meta.concrete_fields if field.attname not in {"id", "moved"}]
            found[model._meta.db_table] = sorted(model._default_manager.values_list(*columns), key=repr)
    return found


def forget() -> None:
    """Empty the tables."""
    from django.apps import apps

    for model in apps.get_app_config("telemetry").get_models():
        model._default_manager.all().delete()


def under_fire(operator: Operator, kills: int, chance: random.Random, say: Callable[[str], None]) -> dict[str, int]:
    """Kill the worker at random moments; how often a synchronisation and a merge were hit."""
    from faena_systems.telemetry.tasks import merge_ott_task, sync_telemetry_task
    from tests.support.waiting import eventually

    hit = {"sync_hit": 0, "merge_hit": 0}
    for number in range(kills):
        keep_going()
        worker = operator.worker(concurrency=2)
        eventually(lambda w=worker: running(sync_telemetry_task.name, w) or is_over(), every=0.02)
        # So late that even the last kill still finds records to fetch.
        time.sleep(chance.uniform(0, 0.5))
        hit["sync_hit"] += running(sync_telemetry_task.name, worker)
        hit["merge_hit"] += running(merge_ott_task.name, worker)
        worker.kill()
        say(f"kill {number + 1}: {progress()}")
    return hit


def keep_going() -> None:
    """Have a synchronisation and a merge live: five crashes end a job, and the next cycle brings another one."""
    from faena.models import Job
    from faena.states import LIVE
    from faena_systems.telemetry.tasks import merge_ott_task, sync_telemetry_task

    for task, options in (
        (sync_telemetry_task, {"limit": PAGE, "batch_size": BATCH}),
        (merge_ott_task, {"batch_size": WINDOW}),
    ):
        if not Job.objects.filter(kind=task.name, state__in=LIVE).exists():
            task.delay(**options)


def finish(operator: Operator) -> None:
    """Let everything end undisturbed, and merge what came last."""
    from faena.models import Job
    from faena.states import LIVE
    from faena_systems.telemetry.tasks import merge_ott_task, sync_telemetry_task
    from tests.support.waiting import eventually

    operator.worker(concurrency=2)
    eventually(lambda: not Job.objects.filter(state__in=LIVE).exists(), timeout=240)
    for task in (sync_telemetry_task, merge_ott_task):
        task.delay().get(timeout=240)


def running(kind: str, worker: Worker) -> bool:
    """Whether a job of that kind is in this worker's hands."""
    from faena.models import Job

    return Job.objects.filter(kind=kind, state="running", worker__startswith=f"{worker.name}@").exists()


def is_over() -> bool:
    """Whether no synchronisation is live any more."""
    from faena.models import Job
    from faena.states import LIVE
    from faena_systems.telemetry.tasks import sync_telemetry_task

    return not Job.objects.filter(kind=sync_telemetry_task.name, state__in=LIVE).exists()


def progress() -> str:
    """How far both have come."""
    from faena_systems.telemetry.models import Watermark

    with suppress(Exception):
        return ", ".join(f"{mark.of} {mark.recordId:,}" for mark in Watermark.objects.order_by("-of"))
    return "–"


if __name__ == "__main__":
    sys.exit(main())
