"""`faena schedules …`: what fires when, and what people decide about it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from faena.cli.plain import Plain, Refusal, console, person, print_json, table

if TYPE_CHECKING:
    from faena.ledger.records import Actor
    from faena.models import Occurrence, Schedule

as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def schedules() -> None:
    """What fires when, what came of it, and what people decide about it."""


@schedules.command("list", cls=Plain)
@as_json
def list_schedules(as_json: bool) -> None:
    """All schedules: when they fire, the next time, and what came of the last."""
    from faena import occurrences

    found = occurrences.all_schedules()
    last = occurrences.last_occurrences(found)
    if as_json:
        print_json([_facts(each, last.get(each.pk)) for each in found])
        return
    if not found:
        click.echo("There is no schedule. docs/schedules.md says how to make one.", err=True)
        return
    rows = table("NAME", "WHEN", "NEXT", "LAST", "TASK")
    for each in found:
        facts = _facts(each, last.get(each.pk))
        rows.add_row(*(escape(str(facts[name] or "–")) for name in ("name", "when", "next", "last", "task")))
    console().print(rows)


@schedules.command(cls=Plain)
@click.argument("name")
@as_json
def show(name: str, as_json: bool) -> None:
    """One schedule: the next ten times, those to be skipped marked, and what came of the last twenty."""
    from faena import occurrences

    schedule = _schedule(name)
    came = occurrences.history(schedule, 20)
    to_come = occurrences.to_come(schedule)
    facts = _facts(schedule, came[0] if came else None) | _decisions(schedule)
    if as_json:
        history = [{"due": each.due_at, "outcome": each.outcome, "why": each.why, "job": each.job_id} for each in came]
        times = [{"due": at.due_at, "skipped": at.skipped} for at in to_come]
        print_json(facts | {"to_come": times, "history": history})
        return
    screen, rows = console(), table("", "")
    rows.show_header = False
    for word, value in facts.items():
        if value not in (None, "", [], {}) and word != "next_due":
            rows.add_row(f"[dim]{word}[/]", escape(str(value)))
    screen.print(rows)
    screen.print("\n[bold]To come[/]")
    for at in to_come:
        screen.print(f"  {_at(schedule, at.due_at)}{'  skipped' if at.skipped else ''}")
    screen.print("\n[bold]Came[/]")
    for each in came:
        screen.print(f"  {_at(schedule, each.due_at)}  {each.outcome:<8} {escape(each.why or str(each.job_id or ''))}")


@schedules.command(cls=Plain)
@click.argument("name")
@as_json
def run(name: str, as_json: bool) -> None:
    """Fire once, now; the times to come stay as they are."""
    from faena.ledger.schedules import run_now

    job_id = run_now(_schedule(name).pk, _actor())
    _say(as_json, {"schedule": name, "job": job_id}, f"{name}: job {job_id}" if job_id else f"{name}: sent")


@schedules.command(cls=Plain)
@click.argument("name")
@click.option("--at", type=click.DateTime(), help="That one, in the schedule's time zone; by default the next.")
@click.option("--undo", is_flag=True, help="Take the skip back.")
@as_json
def skip(name: str, at: datetime | None, undo: bool, as_json: bool) -> None:
    """Leave one occurrence to come out."""
    from faena.ledger import schedules as ledger

    schedule = _schedule(name)
    due_at = at and at.replace(tzinfo=schedule.zone)
    if undo:
        due_at = due_at or _next_skipped(schedule)
        ledger.unskip(schedule.pk, due_at, _actor())
    else:
        due_at = ledger.skip(schedule.pk, due_at, _actor())
    word = "not skipped" if undo else "skipped"
    _say(as_json, {"schedule": name, "due": due_at, "skipped": not undo}, f"{name}: {_at(schedule, due_at)} is {word}")


@schedules.command(cls=Plain)
@click.argument("name")
@as_json
def enable(name: str, as_json: bool) -> None:
    """Let it fire."""
    _set_enabled(name, True, as_json)


@schedules.command(cls=Plain)
@click.argument("name")
@as_json
def disable(name: str, as_json: bool) -> None:
    """Let it fire no more, until it is enabled; a restart or a deploy does not change that."""
    _set_enabled(name, False, as_json)


@schedules.command("import-django-celery-beat", cls=Plain)
@as_json
def import_django_celery_beat(as_json: bool) -> None:
    """Take the periodic tasks of django-celery-beat over, from its tables in this database; they stay as they are."""
    from faena.ledger import django_celery_beat
    from faena.ledger.schedules import add_new

    if not django_celery_beat.are_there():
        raise Refusal("This database has no tables of django-celery-beat.")
    written, refused = add_new(django_celery_beat.read())
    if as_json:
        print_json({"imported": [each.name for each in written], "refused": {each.name: why for each, why in refused}})
        return
    for each in written:
        click.echo(f"imported  {each.name}")
    for each, why in refused:
        click.echo(f"refused   {each.name}: {why}", err=True)
    click.echo(f"{len(written)} imported, {len(refused)} refused. Now stop the beat that runs the old ones.")


def _set_enabled(name: str, enabled: bool, as_json: bool) -> None:
    from faena.ledger.schedules import set_enabled

    schedule = set_enabled(_schedule(name).pk, enabled, _actor())
    due = f", next {_at(schedule, schedule.next_due)}" if schedule.next_due else ""
    facts = {"schedule": name, "enabled": enabled, "next": schedule.next_due}
    _say(as_json, facts, f"{name} is {'enabled' if enabled else 'disabled'}{due}")


def _next_skipped(schedule: Schedule) -> datetime:
    from faena import occurrences

    for at in occurrences.to_come(schedule, 100):
        if at.skipped:
            return at.due_at
    raise Refusal(f"No occurrence of {schedule} is to be skipped.")


def _schedule(name: str) -> Schedule:
    from difflib import get_close_matches

    from faena.models import Schedule

    found = Schedule.objects.filter(name=name).first()
    if found is None:
        near = get_close_matches(name, Schedule.objects.values_list("name", flat=True), n=1)
        raise Refusal(f"There is no schedule {name!r}{f', did you mean {near[0]!r}?' if near else '.'}")
    return found


def _actor() -> Actor:
    from faena.ledger.records import Actor

    return Actor(person())


def _facts(schedule: Schedule, last: Occurrence | None) -> dict[str, Any]:
    from faena.phrasing import describe

    return {
        "name": schedule.name,
        "when": describe(schedule),
        "next": _standing(schedule),
        "next_due": schedule.next_due,
        "last": last and f"{_at(schedule, last.due_at)} {last.outcome}",
        "task": schedule.task,
        "enabled": schedule.enabled,
        "source": schedule.source,
    }


def _standing(schedule: Schedule) -> str:
    if schedule.problem:
        return f"cannot fire: {schedule.problem}"
    if schedule.removed:
        return "removed from the code"
    if not schedule.enabled:
        return "disabled"
    return _at(schedule, schedule.next_due) if schedule.next_due else "never again"


def _decisions(schedule: Schedule) -> dict[str, Any]:
    names = ("args", "kwargs", "queue", "priority", "expires", "overlap", "misfire", "jitter", "starts", "ends")
    return {name: getattr(schedule, name) for name in names}


def _at(schedule: Schedule, moment: datetime) -> str:
    """In the schedule's own time zone."""
    return f"{moment.astimezone(schedule.zone):%Y-%m-%d %H:%M:%S %Z}"


def _say(as_json: bool, facts: dict[str, Any], sentence: str) -> None:
    print_json(facts) if as_json else click.echo(sentence)
