"""A storm of faults over both installations: `make faults`.

    python -m tests.faults.storm [--kills 500] [--seed S] [--minutes 20] [--on sqlite+sqlite]

Needs nothing started by hand. Exits with 1 when a job was lost, an effect doubled, a live job run twice, a limit
exceeded, or when the books do not balance. The same seed draws the same faults; their moments are the machine's.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import time

import django
from django.test.utils import override_settings

INSTALLATIONS = ["sqlite+sqlite", "postgresql+redis"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="over both installations")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--minutes", type=float, default=20, help="stop after so long, however many kills there were")
    parser.add_argument("--on", choices=INSTALLATIONS, action="append", help="only this installation")
    asked = parser.parse_args()
    seed = random.randrange(10**6) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    _set_up()
    from tests.faults.weather import Storm, report, say, summary
    from tests.support.breakable import Breakable

    storms, verdicts = {}, {}
    names = asked.on or INSTALLATIONS
    for number, name in enumerate(names):
        stack = Breakable(*name.split("+"))
        try:
            storm = storms[name] = Storm.over(stack, seed + number)
            began = time.monotonic()
            until = began + asked.minutes * 60 / len(names)
            storm.blow(asked.kills // len(names), until, lambda text, name=name: say(f"{name}: {text}"))
            verdicts[name] = storm.calm()
            report(name, storm, verdicts[name], time.monotonic() - began)
        finally:
            stack.close()
    print(json.dumps(summary(seed, storms, verdicts)))
    return 0 if all(verdict.is_good for verdict in verdicts.values()) else 1


def _set_up() -> None:
    """Have Django ready, on databases and folders that vanish afterwards."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from tests.support.storm_settings import FAENA

    override_settings(FAENA=FAENA).enable()
    logging.disable(logging.WARNING)  # that the broker is away is what we do


if __name__ == "__main__":
    sys.exit(main())
