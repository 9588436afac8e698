"""`faena`: the command line."""

from __future__ import annotations

import sys

import click

from faena.cli import project
from faena.cli.doctor import doctor
from faena.cli.export import export, prune
from faena.cli.jobs import jobs
from faena.cli.queues import queues, workers
from faena.cli.schedules import schedules
from faena.cli.tokens import tokens
from faena.cli.why import why


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="faena", prog_name="faena")
@click.option("-A", "--app", envvar="FAENA_APP", help="The Celery app, as for celery; in a Django project not needed.")
@click.pass_context
def cli(context: click.Context, app: str | None) -> None:
    """Background work on Celery: nothing lost, everything visible."""
    context.obj = project.choose(app)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, envvar="FAENA_HOST", help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, envvar="FAENA_PORT", help="Port; the next free one if taken.")
@click.option("--concurrency", default=2, show_default=True, envvar="FAENA_CONCURRENCY", help="Jobs at a time.")
@click.option("-Q", "--queues", help="Queues to serve, with commas; by default all that the tasks name.")
@click.option(
    "--profile",
    type=click.Choice(["normal", "small"]),
    default="normal",
    show_default=True,
    envvar="FAENA_PROFILE",
    help="small: the jobs run in threads of one process, for little machines; a job's time limit does not end it.",
)
@click.pass_obj
def up(is_named: bool, host: str, port: int, concurrency: int, queues: str | None, profile: str) -> None:
    """Start web, worker and keeper together, in the foreground. Ctrl-C ends them."""
    from faena.cli.up import run_up

    if not is_named:
        click.echo(f"{project.UNNAMED} Its worker knows no tasks of yours.", err=True)
    sys.exit(run_up(host, port, concurrency, queues, small=profile == "small"))


@cli.command()
def demo() -> None:
    """Show every system at work on realistic data, then print what happened and where to look."""
    from faena.cli.demo import run_demo

    sys.exit(run_demo())


for command in (jobs, queues, workers, schedules, tokens, why, doctor, export, prune):
    cli.add_command(command)
