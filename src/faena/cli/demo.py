"""`faena demo`: a real web and worker on this machine, and every installed system's show, one after another."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from uuid import UUID

from django.apps import apps
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from faena.cli import prepare
from faena.cli.stack import Stack, free_port, web_command, worker_command

#: A show that takes longer than this has failed.
PATIENCE_SECONDS = 120.0


class Stage:
    """What a system's demo gets: somewhere to show its jobs, and a worker to pull the plug of."""

    def __init__(self, console: Console, stack: Stack) -> None:
        self.console = console
        self._stack = stack
        self.rows: list[tuple[str, str, str]] = []

    def tell(self, text: str) -> None:
        """Say what comes next."""
        self.console.print(f"  {text}")

    def happened(self, what: str, figures: str, where: str) -> None:
        """One row of the closing table; `where` is a path of the web pages or a file."""
        self.rows.append((what, figures, where))

    def kill_worker(self) -> None:
        """Kill the worker as a power cut would, and start another."""
        self._stack.kill("worker")
        self._stack.start("worker", self._stack.processes["worker"].command)

    def watch(self, job_ids: Sequence[UUID], *, kill_at: int | None = None) -> None:
        """Show a bar per job until all are over.

        Args:
            kill_at: kill the worker once, when this many parts of the first job are done.

        Raises:
            SystemExit: a job did not end in time.
        """
        columns = [
            TextColumn("  {task.description}", table_column=Column(max_width=34, no_wrap=True)),
            BarColumn(bar_width=24),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("[dim]{task.fields[state]}", table_column=Column(no_wrap=True)),
        ]
        with Progress(*columns, console=self.console) as bars:
            shown = {job_id: bars.add_task("", total=None, state="pending") for job_id in job_ids}
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not self._refresh(bars, shown):
                if kill_at is not None and self._first_done(job_ids) >= kill_at:
                    kill_at = None
                    self.tell("[red]kill -9[/red] of the worker, in the middle of the import; a new one starts")
                    self.kill_worker()
                if time.monotonic() > deadline:
                    raise SystemExit("A job of the demo did not end in time. The log is in var/logs/demo.log.")
                time.sleep(0.1)

    def _refresh(self, bars: Progress, shown: dict[UUID, TaskID]) -> bool:
        from faena.models import Job

        jobs = list(Job.objects.filter(pk__in=shown))
        for job in jobs:
            processed, state = job.done + job.failed + job.skipped, job.state.replace("_", " ")
            bars.update(
                shown[job.pk],
                description=str(job),
                total=job.total,
                completed=processed,
                state=state,
            )
        return len(jobs) == len(shown) and all(job.is_finished for job in jobs)

    def _first_done(self, job_ids: Sequence[UUID]) -> int:
        from faena.models import Job

        return Job.objects.values_list("done", flat=True).get(pk=job_ids[0])


def run_demo() -> int:
    """Start, show, print the table, stop. Returns the exit code."""
    console = Console()
    if not console.is_terminal:
        console.width = 130  # a log file has no width of its own
    console.print("\n  [bold]Faena[/bold]  a tour on this machine: one SQLite file, a web process and a worker\n")
    prepare.set_up()
    log_path = _log_path()
    with log_path.open("w", encoding="utf-8") as log:
        lock = threading.Lock()

        def write(name: str, line: str) -> None:
            with lock, suppress(ValueError):
                log.write(f"{name:>7} │ {line}\n")

        stack = Stack(write)
        port = free_port("127.0.0.1", 8000)
        try:
            stack.start("web", web_command(prepare.application(), "127.0.0.1", port))
            stack.start("worker", worker_command(2))
            stage = Stage(console, stack)
            for show in _shows():
                show(stage)
            _check_web(port)
        finally:
            stack.stop()
    _print_table(console, stage, log_path)
    return 0


def _shows() -> list:
    """Every installed system's `demo.show`, by the name that its AppConfig gives."""
    paths = [config.faena_demo for config in apps.get_app_configs() if hasattr(config, "faena_demo")]
    return [getattr(import_module(path.partition(":")[0]), path.partition(":")[2]) for path in paths]


def _check_web(port: int) -> None:
    """The pages answer while the jobs run: ask for the sign-in page."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit("The web process did not answer. The log is in var/logs/demo.log.") from None
            time.sleep(0.2)


def _log_path() -> Path:
    from django.conf import settings

    folder = Path(settings.DATA_DIR) / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "demo.log"


def _print_table(console: Console, stage: Stage, log_path: Path) -> None:
    table = Table(title="What happened", title_justify="left", box=None, padding=(0, 2), header_style="bold")
    table.add_column("What")
    table.add_column("Figures")
    table.add_column("Where", no_wrap=True)
    for row in stage.rows:
        table.add_row(*row)
    table.add_row("Logs of web and worker", "", str(log_path))
    console.print()
    console.print(table)
    console.print("\n  See it in the browser: [bold]make up[/bold]\n")
