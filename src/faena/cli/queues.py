"""`faena queues …` and `faena workers`: what waits where, who works, and pausing a queue."""

from __future__ import annotations

from dataclasses import asdict

import click
from rich.markup import escape

from faena.cli.plain import Plain, ago, console, person, print_json, table

as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group()
def queues() -> None:
    """Look at queues; pause and resume them."""


@queues.command("list", cls=Plain)
@as_json
def list_queues(as_json: bool) -> None:
    """Queues with jobs that wait or run, with listening workers, or paused."""
    from faena import queries

    found = queries.queues()
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        click.echo("No queue has jobs, workers or a pause.", err=True)
        return
    rows = table("QUEUE", "WAITING", "RUNNING", "WORKERS", "PAUSED")
    for each in found:
        paused = f"{ago(each.paused)} ago by {each.paused_by}" if each.paused else ""
        rows.add_row(
            escape(each.name), str(each.waiting), str(each.running), str(each.workers), f"[yellow]{escape(paused)}[/]"
        )
    console().print(rows)


@queues.command(cls=Plain)
@click.argument("name")
@as_json
def pause(name: str, as_json: bool) -> None:
    """Start no job of this queue until it is resumed. What runs goes on."""
    from faena.ledger.queues import pause
    from faena.ledger.records import Actor

    _said(name, pause(name, Actor(person())), as_json, "paused")


@queues.command(cls=Plain)
@click.argument("name")
@as_json
def resume(name: str, as_json: bool) -> None:
    """Let the queue go on."""
    from faena.ledger.queues import resume
    from faena.ledger.records import Actor

    _said(name, resume(name, Actor(person())), as_json, "resumed")


def _said(name: str, changed: bool, as_json: bool, done: str) -> None:
    if as_json:
        print_json({"queue": name, "changed": changed})
    elif changed:
        click.echo(f"The queue {name} is {done}.")
    else:
        click.echo(f"The queue {name} was {'paused already' if done == 'paused' else 'not paused'}.")


@click.command(cls=Plain)
@as_json
def workers(as_json: bool) -> None:
    """The workers that were heard of within the last day, and the queues they listen to."""
    from faena import queries

    found = queries.workers()
    if as_json:
        names = ("name", "host", "pid", "pool", "slots", "queues", "started", "seen")
        print_json([{name: getattr(each, name) for name in names} for each in found])
        return
    if not found:
        click.echo("No worker was heard of within the last day.", err=True)
        return
    rows = table("WORKER", "POOL", "SLOTS", "QUEUES", "UP", "HEARD OF")
    for each in found:
        queue_names = escape(", ".join(each.queues))
        rows.add_row(
            escape(each.name), each.pool, str(each.slots), queue_names, ago(each.started), f"{ago(each.seen)} ago"
        )
    console().print(rows)
