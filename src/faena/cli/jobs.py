"""`faena jobs …`: look at jobs, and act on one or on many."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from faena.cli.plain import Plain, Refusal, ago, coloured, console, job_id, person, print_json, table
from faena.states import State

if TYPE_CHECKING:
    from faena.ledger.records import Actor
    from faena.models import Job

#: Running means held by a worker, validating or not.
STATES = [str(state) for state in State if state is not State.VALIDATING]
#: The state of the jobs that an action is about where nothing else is said.
USUAL = {"retry": "failed", "discard": "failed", "resume": "paused", "pause": "pending", "cancel": "pending"}
DONE = {
    "retry": "queued again", "discard": "discarded", "resume": "resumed",
    "pause": "paused, or pauses at its next row", "cancel": "cancelled, or stops at its next row",
}  # fmt: skip

as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


def filters(command: Callable) -> Callable:
    """The options that say which jobs."""
    for option in (
        click.option("-q", "--text", default="", help="Part of the title or the kind."),
        click.option("--queue", default="", help="Of this queue."),
        click.option("--kind", default="", help="Of this kind: the task's name."),
        click.option("--state", type=click.Choice(STATES), metavar="STATE", help=f"One of {', '.join(STATES)}."),
    ):
        command = option(command)
    return command


@click.group()
def jobs() -> None:
    """Look at jobs, and act on one or on many."""


@jobs.command("list", cls=Plain)
@filters
@click.option("-n", "--limit", default=30, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
@as_json
def list_jobs(state: str | None, kind: str, queue: str, text: str, limit: int, as_json: bool) -> None:
    """The newest jobs."""
    from faena import queries

    found = queries.job_page(queries.JobFilter(state or "", kind, queue, text), size=limit).jobs
    if as_json:
        print_json([_brief(job) for job in found])
        return
    if not found:
        click.echo("No job is like that.", err=True)
        return
    rows = table("ID", "STATE", "JOB", "QUEUE", "DONE", "CREATED")
    for job in found:
        rows.add_row(
            str(job.pk), coloured(job.state), escape(str(job)), escape(job.queue), _done(job), ago(job.created)
        )
    console().print(rows)


@jobs.command(cls=Plain)
@click.argument("id")
@as_json
def show(id: str, as_json: bool) -> None:
    """Everything about one job."""
    from faena import queries

    job = _job(id)
    log = queries.log_tail(job.pk, 20)
    if as_json:
        lines = [{"at": each.at, "level": each.level, "text": each.text} for each in log]
        print_json(_whole(job) | {"log": lines})
        return
    screen, facts = console(), table("", "")
    facts.show_header = False
    said = [(name, str(value)) for name, value in _facts(job) if value not in (None, "", [], {})]
    # A long value goes on in the next line; without a width the names would give way to it.
    facts.columns[0].min_width = max(len(name) for name, _value in said)
    facts.columns[1].no_wrap, facts.columns[1].overflow = False, "fold"
    for name, value in said:
        facts.add_row(f"[dim]{name}[/]", escape(value))
    screen.print(f"[bold]{escape(str(job))}[/]  {coloured(job.state)}")
    screen.print(facts)
    error: Any = job.error
    if error:
        screen.print(f"\n[red]{escape(error['type'])}[/]: {escape(error['message'])}")
        screen.print(escape(error.get("traceback") or ""), style="dim")
    for line in log:
        _print_line(screen, line)


@jobs.command(cls=Plain)
@click.argument("id")
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(0, 200), help="Lines to begin with.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the job is over; then say how it ended.")
@as_json
def tail(id: str, lines: int, follow: bool, as_json: bool) -> None:
    """The last lines of a job's log."""
    from faena import queries

    job, screen = _job(id), console()
    fresh = queries.log_tail(job.pk)
    seen = fresh[-1].pk if fresh else 0
    fresh = fresh[len(fresh) - lines :] if lines < len(fresh) else fresh
    while True:
        for line in fresh:
            seen = line.pk
            if as_json:
                click.echo(json.dumps({"at": line.at.isoformat(), "level": line.level, "text": line.text}))
            else:
                _print_line(screen, line)
        if not follow or (job.is_finished and not fresh):
            break
        time.sleep(0 if fresh else 0.5)
        job = _job(id)  # before its lines: none comes after the end
        fresh = queries.log_after(job.pk, seen)
    if follow and not as_json:
        screen.print(f"{coloured(job.state)}  {_done(job)}")


def acting(action: str, help: str, *more: Callable) -> None:
    """Declare `faena jobs ACTION`."""

    def act(ids: tuple[str, ...], failure: str, everything: bool, yes: bool, as_json: bool, **given: Any) -> None:
        edited = {name: given.pop(name) for name in ("args", "kwargs") if name in given}
        if ids and (failure or everything or any(given.values())):
            raise Refusal("Name jobs by their ids, or by what they have in common; not both.")
        if any(value is not None for value in edited.values()):
            sys.exit(_retry_with(ids, edited["args"], edited["kwargs"], as_json))
        if ids:
            sys.exit(_act_on_each(action, ids, as_json))
        _act_on_many(action, given | {"failure": failure}, everything, yes, as_json)

    command: Callable = act
    options: tuple[Callable, ...] = (
        *more,
        as_json,
        click.option("--yes", is_flag=True, help="Do not ask before acting on many."),
        click.option("--all", "everything", is_flag=True, help=f"Every job that is {USUAL[action]}."),
        click.option("--failure", default="", help="With this failure, as the page of failures names it."),
        filters,
        click.argument("ids", nargs=-1),
    )
    for option in options:
        command = option(command)
    jobs.command(action, cls=Plain, help=help)(command)


acting("cancel", "Call jobs off: at once while they wait, at their next row while they run.")
acting("pause", "Hold jobs back, or stop them at their next row.")
acting("resume", "Let paused jobs go on where they stopped.")
acting("discard", "Say of failed jobs that nobody will retry them.")
acting(
    "retry",
    "Run jobs that failed or were cancelled once more; with --args or --kwargs, as a new job with other arguments.",
    click.option("--kwargs", help="A JSON object: arguments by name, all of them."),
    click.option("--args", help="A JSON list: arguments by place, all of them."),
)


# --- acting ------------------------------------------------------------------------------------------


def _act_on_each(action: str, ids: Sequence[str], as_json: bool) -> int:
    from faena.celery.many import VERBS
    from faena.errors import FaenaError

    wanted, said = [job_id(each) for each in ids], []
    for pk in wanted:
        try:
            said.append({"id": str(pk), "state": str(VERBS[action](pk, _me())), "error": None})
        except FaenaError as error:
            said.append({"id": str(pk), "state": None, "error": str(error)})
    if as_json:
        print_json(said)
    else:
        for each in said:
            click.echo(each["error"] or f"{each['id']} is {DONE[action]}.", err=bool(each["error"]))
    return 2 if any(each["error"] for each in said) else 0


def _act_on_many(action: str, given: dict[str, str], everything: bool, yes: bool, as_json: bool) -> None:
    from django.utils import timezone

    from faena.celery.many import act_on_many
    from faena.selection import Selection

    if not everything and not any(given.values()):
        raise Refusal(
            f"Name the jobs to {action}: by their ids, by --kind, --queue, --state, --failure or -q, or --all."
        )
    selection = Selection.of(given | {"state": given["state"] or USUAL[action]})
    count = selection.count(timezone.now())
    if not count:
        raise Refusal("No job is like that.")
    if not yes:
        if not sys.stdin.isatty():
            raise Refusal(f"That would {action} {count} jobs. Add --yes if you mean it.")
        click.confirm(f"{action.capitalize()} {count} jobs?", abort=True)
    pk = act_on_many(action, selection, _me())
    if as_json:
        print_json({"job": str(pk), "count": count})
    else:
        click.echo(f"A background job will {action} {count} jobs: {pk}\nFollow it with: faena jobs tail -f {pk}")


def _retry_with(ids: Sequence[str], args: str | None, kwargs: str | None, as_json: bool) -> int:
    from faena.celery.again import retry_with

    if len(ids) != 1:
        raise Refusal("Other arguments are for one job: name its id.")
    job = _job(ids[0])
    by_place, by_name = _parsed("--args", args, list, job.args), _parsed("--kwargs", kwargs, dict, job.kwargs)
    pk = retry_with(job.pk, by_place, by_name, _me())
    if as_json:
        print_json({"job": str(pk), "retry_of": str(job.pk)})
    else:
        click.echo(f"A new job runs with these arguments: {pk}")
    return 0


def _parsed(option: str, text: str | None, wanted: type, before: Any) -> Any:
    if text is None:
        return before
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Refusal(f"{option} is not JSON: {error}.") from None
    if not isinstance(value, wanted):
        raise Refusal(f"{option} should be a JSON {'list' if wanted is list else 'object'}.")
    return value


def _me() -> Actor:
    from faena.ledger.records import Actor

    return Actor(person())


# --- showing -----------------------------------------------------------------------------------------


def _job(text: str) -> Job:
    from faena import queries

    pk = job_id(text)
    found = queries.job(pk)
    if found is None:
        raise Refusal(f"There is no job {pk}: it was never accepted here, or it was pruned.")
    return found


def _brief(job: Job) -> dict[str, Any]:
    error: Any = job.error
    names = (
        *("kind", "title", "state", "queue", "priority", "attempt", "max_attempts", "crashes", "worker", "failure"),
        *("done", "total", "failed", "skipped", "created_by", "created", "run_at", "started", "finished"),
    )
    plain = {name: getattr(job, name) for name in names}
    return {"id": str(job.pk)} | plain | {"error": error and {name: error[name] for name in ("type", "message")}}


def _whole(job: Job) -> dict[str, Any]:
    from faena.masking import masked, masked_args

    values = {name: masked(getattr(job, name)) for name in ("kwargs", "result", "cursor")}
    values["args"] = masked_args(job.kind, job.args)
    ids = {name: str(value) if (value := getattr(job, name)) else None for name in ("parent_id", "root_id", "retry_of")}
    return _brief(job) | values | ids | {"error": job.error, "errors": job.errors, "tags": job.tags}


def _facts(job: Job) -> list[tuple[str, Any]]:
    from faena.masking import masked, masked_args

    return [
        ("id", job.pk), ("kind", job.kind), ("queue", job.queue), ("failure", job.failure),
        ("progress", _done(job)), ("attempt", f"{job.attempt + 1} of {max(job.max_attempts, job.attempt + 1)}"),
        ("workers lost", f"{job.crashes} of {job.max_crashes}" if job.crashes else ""), ("worker", job.worker),
        ("asked for by", job.created_by), ("repeats", job.retry_of), ("parent", job.parent_id),
        *((name, when and f"{when:%Y-%m-%d %H:%M:%S %Z}") for name, when in
          [("created", job.created), ("started", job.started), ("finished", job.finished)]),
        ("args", job.args and json.dumps(masked_args(job.kind, job.args), ensure_ascii=False)),
        ("kwargs", masked(job.kwargs) and json.dumps(masked(job.kwargs), ensure_ascii=False)),
        ("result", "" if job.result is None else json.dumps(masked(job.result), ensure_ascii=False)),
    ]  # fmt: skip


def _done(job: Job) -> str:
    processed = job.done + job.failed + job.skipped
    bad = f", {job.failed} failed" if job.failed else ""
    return f"{processed}/{job.total}{bad}" if job.total else f"{processed}{bad}" if processed else ""


def _print_line(screen: Any, line: Any) -> None:
    colour = {"error": "red", "warning": "yellow"}.get(line.level, "dim")
    screen.print(f"[dim]{line.at:%H:%M:%S}[/] [{colour}]{line.level:<7}[/] {escape(line.text)}", soft_wrap=True)
