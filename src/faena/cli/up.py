"""`faena up`: everything on one machine, in the foreground, with one log."""

from __future__ import annotations

import signal
import threading
from itertools import cycle

from rich.console import Console
from rich.text import Text

from faena.cli import prepare
from faena.cli.stack import Process, Stack, free_port, web_command, worker_command

#: A process that ends is started again after this long.
RESTART_SECONDS = 2.0


def run_up(host: str, port: int, concurrency: int, queues: str | None = None, *, small: bool = False) -> int:
    """Run until Ctrl-C; a process that dies is started again. Returns the exit code."""
    console = Console()
    # Before anything starts: a Ctrl-C or SIGTERM that comes early must not leave processes behind.
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    port = free_port(host, port)
    prepared = prepare.elsewhere(host, port)
    stack = Stack(_printer(console))
    try:
        stack.start("web", web_command(prepared.application, host, port))
        stack.start("worker", worker_command(concurrency, queues or prepared.queues, small=small))
        console.print(f"\n  [bold]Faena[/bold]  {prepared.address}", soft_wrap=True)
        console.print(
            f"  [dim]{prepared.advice} Ctrl-C ends everything; what runs goes on next time.[/dim]\n",
            soft_wrap=True,
            highlight=False,
        )
        while not ended.wait(RESTART_SECONDS):
            if dead := stack.dead():
                _restart(stack, dead, console)
    finally:
        console.print("\n  Ending…")
        stack.stop()
    return 0


def _restart(stack: Stack, dead: Process, console: Console) -> None:
    console.print(f"  [red]{dead.name} ended with exit code {dead.popen.returncode}; starting it again.[/red]")
    stack.start(dead.name, dead.command)


def _printer(console: Console):
    colours: dict[str, str] = {}
    palette = cycle(["cyan", "magenta", "green", "yellow", "blue"])

    def show(name: str, line: str) -> None:
        colour = colours.setdefault(name, next(palette))
        console.print(Text.assemble((f"{name:>7} │ ", colour), line), soft_wrap=True, highlight=False)

    return show
