"""A storm: constant load, one fault after the other, then calm and an account of it."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.books import Verdict, audit, in_short
from tests.faults.harm import Harm
from tests.faults.load import Load
from tests.support.breakable import Breakable

#: The mean pause between two faults; pool processes are back at once, whole workers take a moment to start.
PAUSE_SECONDS = 0.8
QUIET_SECONDS = 180.0


@dataclass
class Storm:
    """One installation's storm and what came of it."""

    stack: Breakable
    load: Load
    harm: Harm

    @classmethod
    def over(cls, stack: Breakable, seed: int, workers: int = 4, level: int = 18) -> Storm:
        return cls(
            stack, Load(random.Random(f"{seed} load"), level), Harm(stack, random.Random(f"{seed} harm"), workers)
        )

    def blow(self, kills: int, until: float, say: Callable[[str], object] = lambda text: None) -> None:
        """Break things under load until there were so many kills, or until that moment (monotonic)."""
        next_fault = time.monotonic() + 5
        while self.harm.kills < kills and time.monotonic() < until:
            self.harm.mend()
            self.load.top_up()
            if time.monotonic() >= next_fault:
                self.harm.once()
                next_fault = time.monotonic() + self.harm.chance.uniform(0, 2 * PAUSE_SECONDS)
            say(f"{self.harm.kills} kills, {len(self.load.results)} jobs, last: {getattr(self.harm, 'fault', '')}")
            time.sleep(0.05)

    def calm(self, patience: float = QUIET_SECONDS) -> Verdict:
        """Mend everything, let all jobs end, and look at the books."""
        self.harm.mend(everything=True)
        deadline = time.monotonic() + patience
        while self.load.live() and time.monotonic() < deadline:
            self.harm.mend()
            time.sleep(0.2)
        return audit(self.stack, self.load, self.harm)


def say(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def report(name: str, storm: Storm, verdict: Verdict, seconds: float) -> None:
    say("")
    print(
        f"{name}: {storm.harm.kills} kills in {seconds:.0f} s, {verdict.jobs} jobs, {verdict.executions} executions, "
        f"the database refused {storm.load.refused} times"
    )
    print(f"  {'fault':24} {'times':>5} {'jobs hit':>9} {'median':>8} {'slowest':>8}")
    for fault, times in sorted(storm.harm.counts.items(), key=lambda each: -each[1]):
        seconds_of = verdict.recovery.get(fault, [])
        short = {key: "" if value is None else f"{value:.1f} s" for key, value in in_short(seconds_of).items()}
        print(f"  {fault:24} {times:5} {len(seconds_of):9} {short['median_s']:>8} {short['max_s']:>8}")
    for problem in [*verdict.problems[:20], *verdict.slow[:20]]:
        print(f"  ! {problem}")
    sys.stdout.flush()


def summary(seed: int, storms: dict[str, Storm], verdicts: dict[str, Verdict]) -> dict:
    faults = sorted({fault for storm in storms.values() for fault in storm.harm.counts})
    recovery = in_short([each for verdict in verdicts.values() for each in verdict.seconds])
    return {
        "seed": seed,
        "kills": sum(storm.harm.kills for storm in storms.values()),
        "jobs": sum(verdict.jobs for verdict in verdicts.values()),
        "lost": sum(verdict.lost for verdict in verdicts.values()),
        "doubled": sum(verdict.doubled for verdict in verdicts.values()),
        "live_reruns": sum(verdict.live_reruns for verdict in verdicts.values()),
        "over_limit": sum(verdict.over_limit for verdict in verdicts.values()),
        "balanced": all(verdict.balanced for verdict in verdicts.values()),
        "recovery_median_s": recovery["median_s"],
        "recovery_max_s": recovery["max_s"],
        "faults": {
            fault: {"times": sum(storm.harm.counts.get(fault, 0) for storm in storms.values())}
            | in_short([each for verdict in verdicts.values() for each in verdict.recovery.get(fault, [])])
            for fault in faults
        },
    }
