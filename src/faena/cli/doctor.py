"""`faena doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import click

from faena.cli import project, tables
from faena.cli.plain import console, load, print_json, table

if TYPE_CHECKING:
    from faena.accounting import Books

#: Clocks that differ by more shift what people read, not what is run: leases are judged by the database's clock.
SKEW = timedelta(seconds=5)
MARKS = {"ok": "[green]✔[/]", "warn": "[yellow]![/]", "fail": "[red]✘[/]"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `advice` says what to do."""

    what: str
    level: Literal["ok", "warn", "fail"]
    found: str
    advice: str = ""


@click.command()
@click.option("--books", is_flag=True, help="Count every job: accepted, pruned, and in each state.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
def doctor(is_named: bool, books: bool, as_json: bool) -> None:
    """Look whether everything is well; exit code 1 if something is not."""
    if not is_named:
        click.echo(project.UNNAMED, err=True)
    load()
    sys.exit(_show_books(as_json) if books else _show_findings(as_json))


def _show_findings(as_json: bool) -> int:
    findings = list(examine())
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        rows = table("", "", "")
        rows.show_header = False
        for each in findings:
            rows.add_row(f"{MARKS[each.level]} {each.what}", each.found, "")
        screen = console()
        screen.print(rows)
        for each in findings:
            if each.advice:
                screen.print(f"\n{MARKS[each.level]} [bold]{each.what}[/]: {each.advice}", soft_wrap=True)
    return int(any(each.level == "fail" for each in findings))


def examine() -> Iterator[Finding]:
    """Look at one thing after the other; what cannot be looked at is a finding too."""
    from django.db import DatabaseError

    looks: list[Callable[[], Finding]] = [
        *(_tables, _settings, _broker, _workers, _keeper, _queues, _clock, _balance),
    ]
    try:
        yield _database()
    except DatabaseError as error:
        advice = "Check FAENA_DATABASE_URL, and that the server runs."
        yield Finding("database", "fail", str(error).partition("\n")[0], advice)
        looks = [_settings, _broker]
    for look in looks:
        try:
            yield look()
        except DatabaseError as error:
            yield Finding(look.__name__.strip("_"), "fail", str(error).partition("\n")[0], "See the lines above.")


# --- the findings ------------------------------------------------------------------------------------


def _database() -> Finding:
    from django.db import connection

    connection.ensure_connection()
    return Finding("database", "ok", f"{connection.display_name} {_version()}, {connection.settings_dict['NAME']}")


def _version() -> str:
    from faena.ledger import sql

    version = sql.rows("SHOW server_version" if sql.is_postgresql() else "SELECT sqlite_version()")[0][0]
    return str(version).partition(" ")[0]


def _tables() -> Finding:
    missing = [".".join(each) for each in tables.unapplied()]
    if missing:
        advice = "`faena up` applies them." if project.is_ours() else "Run `python manage.py migrate`."
        return Finding("tables", "fail", f"{len(missing)} migrations are not applied: {', '.join(missing[:3])}", advice)
    return Finding("tables", "ok", "every migration is applied")


def _settings() -> Finding:
    from django.core import checks
    from django.db import connection

    from faena.ledger import sql

    said = checks.run_checks(tags=["faena"])
    if said:
        level: Any = "fail" if any(each.is_serious() for each in said) else "warn"
        return Finding("settings", level, said[0].msg, " ".join(each.hint or "" for each in said).strip())
    if connection.vendor == "sqlite" and (mode := sql.rows("PRAGMA journal_mode")[0][0]) not in {"wal", "memory"}:
        advice = (
            "Put 'PRAGMA journal_mode=WAL;' into the database's init_command: readers then do not wait for writers."
        )
        return Finding("settings", "warn", f"SQLite's journal is {mode}", advice)
    return Finding("settings", "ok", "as they should be")


def _broker() -> Finding:
    from faena.celery.amqp import CeleryBroker
    from faena.credentials import without_credentials
    from faena.ledger import doorbell

    broker = doorbell.broker
    if not isinstance(broker, CeleryBroker):
        advice = "Call faena.install(app) in your Celery module, and import that in the project's __init__.py."
        return Finding("broker", "fail", "no Celery app with Faena is loaded here", advice)
    url = "the broker"
    try:
        url = without_credentials(broker.app.connection_for_write().as_uri())
        broker.depth(broker.app.conf.task_default_queue)
    except Exception as error:  # whatever the broker's library raises
        advice = "Start it, or check FAENA_BROKER_URL. Jobs are accepted meanwhile and run when it is back."
        return Finding("broker", "fail", f"{url} does not answer: {without_credentials(error)}", advice)
    return Finding("broker", "ok", url)


def _workers() -> Finding:
    from faena.explain import app_name

    heard = _heard_of()
    if not heard:
        advice = f"Start one: `faena up`, or `celery -A {app_name()} worker`. Jobs wait in the ledger meanwhile."
        return Finding("workers", "warn", "none was heard of lately", advice)
    slots = sum(each.slots for each in heard)
    return Finding("workers", "ok", f"{len(heard)} with {slots} slots: {', '.join(each.name for each in heard[:5])}")


def _heard_of() -> list[Any]:
    """The workers whose heartbeat is as fresh as a lease."""
    from faena import conf
    from faena.ledger import sql
    from faena.models import Worker

    return list(Worker.objects.filter(seen__gt=sql.database_now() - conf.get().LEASE).order_by("name"))


def _keeper() -> Finding:
    from faena.ledger import sql
    from faena.models import Lease

    post = Lease.objects.filter(name="keeper").first()
    if post is None or not post.holder or post.until is None or post.until < sql.database_now():
        advice = "Every worker has a keeper: start one. Until then nothing is retried, reaped, sent again or pruned."
        return Finding("keeper", "warn", "nobody holds its post", advice)
    host, pid, *_ = post.holder.split("|")
    return Finding("keeper", "ok", f"process {pid} on {host[:12]}")


def _queues() -> Finding:
    from faena.explain import app_name
    from faena.ledger import sql

    due = f"state = 'pending' AND run_at <= {sql.now()}"
    waiting = dict(sql.rows(f"SELECT queue, count(*) FROM faena_job WHERE {due} GROUP BY queue"))
    paused = {name for (name,) in sql.rows("SELECT name FROM faena_queue WHERE paused IS NOT NULL")}
    listened = {name for worker in _heard_of() for name in worker.queues}
    alone = {name: count for name, count in sorted(waiting.items()) if name not in listened | paused}
    if alone:
        said = ", ".join(f"{name} ({count} waiting)" for name, count in alone.items())
        command = f"celery -A {app_name()} worker -Q {','.join(alone)}"
        advice = f"Start a worker for it: `{command}`; or mind the queue's name."
        return Finding("queues", "warn", f"nobody listens on {said}", advice)
    return Finding("queues", "ok", f"{sum(waiting.values())} jobs wait" if waiting else "nothing waits")


def _clock() -> Finding:
    from faena.ledger import sql

    ahead = datetime.now(UTC) - sql.database_now()
    said = f"{abs(ahead.total_seconds()):.1f} s {'ahead of' if ahead > timedelta() else 'behind'} the database's"
    if abs(ahead) > SKEW:
        advice = (
            "Let NTP set it. Jobs are claimed and reaped by the database's clock, but delays are counted by this one."
        )
        return Finding("clock", "warn", said, advice)
    return Finding("clock", "ok", said)


def _balance() -> Finding:
    from faena import accounting

    books = accounting.check()
    if books.is_balanced:
        return Finding(
            "books", "ok", f"balanced: {books.accepted} accepted, {books.pruned} pruned, {books.present} here"
        )
    return Finding("books", "fail", _why_not(books), "Run `faena doctor --books`.")


# --- the books ---------------------------------------------------------------------------------------


def _show_books(as_json: bool) -> int:
    from faena import accounting

    books = accounting.check()
    if as_json:
        print_json(asdict(books) | {"difference": books.difference, "is_balanced": books.is_balanced})
        return int(not books.is_balanced)
    rows = table("", "JOBS")
    rows.columns[1].justify = "right"
    rows.add_row("[bold]accepted[/]", f"{books.accepted:,}")
    for state, number in books.by_state.items():
        rows.add_row(f"  {state}", f"{number:,}")
    rows.add_row("  pruned", f"{books.pruned:,}")
    colour = "green" if books.difference == 0 else "red"
    rows.add_row("[bold]difference[/]", f"[{colour}]{books.difference:,}[/]")
    screen = console()
    screen.print(rows)
    if books.is_balanced:
        screen.print(
            "\n[green]The books balance.[/] Every job that was accepted is here or was pruned.", soft_wrap=True
        )
        return 0
    screen.print(f"\n[red]The books do not balance:[/] {_why_not(books)}.", soft_wrap=True)
    for advice in _advice(books):
        screen.print(f"\n{advice}", soft_wrap=True)
    return 1


def _why_not(books: Books) -> str:
    said = [f"{number} jobs are {name}" for name, number in books.impossible.items() if number]
    if not books.is_counting:
        said.insert(0, "the database does not count what is accepted")
    if books.difference > 0:
        said.insert(0, f"{books.difference} jobs are missing")
    if books.difference < 0:
        said.insert(0, f"{-books.difference} jobs more are here than were accepted")
    return "; ".join(said)


def _advice(books: Books) -> Iterator[str]:
    if not books.is_counting:
        yield (
            "The trigger faena_job_accepted is gone or switched off. `python manage.py migrate` makes it again and "
            "counts in the jobs that came meanwhile."
        )
    if books.difference > 0:
        yield (
            "Somebody deleted rows of faena_job by other ways than `prune`: in the admin, by SQL, or by restoring a "
            "part of a backup. Faena never deletes a job without counting it. See docs/books.md."
        )
    if books.difference < 0 and books.is_counting:
        yield (
            "Rows of faena_tally were deleted, or jobs were copied in while the trigger was off. `DROP TRIGGER` and "
            "`python manage.py migrate` count them in. See docs/books.md."
        )
    if any(books.impossible.values()):
        yield (
            "Rows of faena_job were changed by hand. Find them with the conditions in docs/books.md, and cancel or "
            "retry those jobs."
        )
