"""`faena export` and `faena prune`: finished jobs into a file, and out of the ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import click

from faena.cli.plain import Plain, Refusal
from faena.states import FINISHED

moment = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command(cls=Plain)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--state", type=click.Choice(sorted(map(str, FINISHED))), help="Only jobs that ended so.")
@click.option("--kind", default="", help="Of this kind: the task's name.")
@click.option("--queue", default="", help="Of this queue.")
@click.option("--before", type=moment, help="That ended before this moment.")
@click.option("--items", is_flag=True, help="Their items too.")
@click.option("--log", is_flag=True, help="Their log lines too.")
def export(
    file: Path, state: str | None, kind: str, queue: str, before: datetime | None, items: bool, log: bool
) -> None:
    """Write finished jobs to FILE, one JSON object a line. Arguments and results are written as they are."""
    from faena import archive

    end = _end(before)
    states = [state] if state else sorted(map(str, FINISHED))
    records = archive.records(dict.fromkeys(states, end), kind, queue, items, log)
    click.echo(f"{_write(file, records)} jobs are in {file}.")


@click.command(cls=Plain)
@click.option("--export", "file", type=click.Path(dir_okay=False, path_type=Path), help="First write them to FILE.")
@click.option(
    "--before", type=moment, help="All finished jobs that ended before this moment, however long they are kept."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(file: Path | None, before: datetime | None, yes: bool) -> None:
    """Delete finished jobs past their retention now, with their items and log lines."""
    from faena import archive
    from faena.duties.prune import prune_before, retention_ends

    ends: Mapping[str, Any] = dict.fromkeys(sorted(map(str, FINISHED)), _end(before)) if before else retention_ends()
    if before and not yes:
        click.confirm(f"Delete every job that ended before {before}?", abort=True)
    if file:
        written = _write(file, archive.records(ends, items=True, log=True))
        click.echo(f"{written} jobs are in {file}.")
    click.echo(f"{prune_before(ends).deleted} jobs were deleted.")


def _end(before: datetime | None) -> Any:
    """A moment of the project's time zone, as the database driver wants it; at most now by the database's clock.

    So no job can end before it from here on.
    """
    from django.utils import timezone

    from faena.ledger import sql

    now = sql.database_now()
    return sql.moment(min(timezone.make_aware(before), now) if before else now)


def _write(file: Path, records: Iterable[dict[str, Any]]) -> int:
    """All of it or nothing; the number of jobs."""
    jobs = 0
    with _whole(file) as target:
        for record in records:
            jobs += record["record"] == "job"
            target.write(json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str))
            target.write("\n")
    return jobs


@contextmanager
def _whole(file: Path) -> Iterator[IO[str]]:
    """A file that is there when it is complete and on the disk, and not before; for its owner only.

    Raises:
        Refusal: there is one of that name, or it cannot be written.
    """
    if file.exists():
        raise Refusal(f"{file} is there already. Choose another name: an export never replaces one.")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # arguments may be secrets
        with os.fdopen(opened, "w", encoding="utf-8") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        unfinished.rename(file)
        _sync_folder(file.parent)
    except OSError as error:
        raise Refusal(f"{file} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _sync_folder(folder: Path) -> None:
    """A power cut must not take the name away."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
