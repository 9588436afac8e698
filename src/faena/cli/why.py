"""`faena why JOB_ID`: why a job is not running, or not over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.markup import escape

from faena.cli.plain import Plain, Refusal, console, job_id, print_json

if TYPE_CHECKING:
    from faena.models import Job


@click.command(cls=Plain)
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def why(id: str, as_json: bool) -> None:
    """Why a job is not running, and what to do about it."""
    from faena import queries
    from faena.explain import explain

    job = queries.job(job_id(id))
    if job is None:
        raise Refusal(f"There is no job {id}. It may have been pruned.")
    told = explain(job)
    if as_json:
        print_json({"id": job.pk, "state": job.state, "why": told.as_json() if told else None})
        return
    screen = console()
    screen.print(f"[bold]{escape(str(job))}[/]  {job.state}")
    screen.print(escape(told.sentence) if told else _unhindered(job))
    for related in told.jobs if told else ():
        screen.print(f"  {related.id}  {escape(related.title)}  [dim]{escape(related.worker)}[/]")
    if told and told.hint:
        screen.print(f"[dim]{escape(told.hint)}[/]")


def _unhindered(job: Job) -> str:
    return "It is over: nothing is left to do." if job.is_finished else "Nothing keeps it."
