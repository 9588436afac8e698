from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from faena import accounting, archive
from faena.cli.main import cli
from faena.ledger import settle, sql
from faena.ledger.records import Item, Line, write_items, write_lines
from faena.ledger.settle import Done, Error, Failed
from faena.models import Job, JobItem
from faena.states import ItemState

pytestmark = pytest.mark.usefixtures("ledger")


def faena(*words: object, code: int = 0, answer: str = "") -> Result:
    ran = CliRunner().invoke(cli, [str(each) for each in words], input=answer)
    assert ran.exit_code == code, (ran.output, ran.exception)
    return ran


DONE, FAILED = Done("[7]"), Failed(Error("E", "m"))


@pytest.fixture
def ended(make_job, take):
    def make(outcome=DONE, days: float = 0, **values):
        job_id = make_job(**values)
        settle.settle(take(job_id), outcome)
        now = timezone.now()
        write_items(job_id, [Item(f"row {n}", ItemState.DONE, "", {"n": n}, now, None) for n in range(2)])
        write_lines(job_id, [Line(now, "info", "ñandú", 0)])
        then = sql.now(-timedelta(days=days))
        sql.execute(f"UPDATE faena_job SET finished = {then} WHERE id = %s", [sql.key(job_id)])
        return job_id

    return make


def read(file) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_finished_jobs_line_by_line(ended, make_job, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "PAGE", 2)
    made = {str(ended(kwargs='{"shop": 3}')) for _ in range(5)}
    make_job()
    file = tmp_path / "out.jsonl"
    assert f"5 jobs are in {file}." in faena("export", file).stdout
    lines = read(file)
    assert {each["id"] for each in lines} == made
    assert {each["record"] for each in lines} == {"job"}
    assert (lines[0]["kwargs"], lines[0]["result"], lines[0]["state"]) == ({"shop": 3}, [7], "completed")
    assert [each.name for each in tmp_path.iterdir()] == ["out.jsonl"]


def test_with_items_and_log(ended, tmp_path):
    job_id = ended()
    faena("export", tmp_path / "o", "--items", "--log")
    job, *items, line = read(tmp_path / "o")
    assert [(each["record"], each["key"], each["output"]) for each in items] == [
        ("item", "row 0", {"n": 0}),
        ("item", "row 1", {"n": 1}),
    ]
    assert (job["record"], line["record"], line["text"], line["job_id"]) == ("job", "line", "ñandú", str(job_id))


def test_filters(ended, tmp_path):
    wanted = ended(FAILED, days=3, kind="k", queue="q")
    ended(FAILED, days=3, kind="k")
    ended(FAILED, days=3, queue="q")
    ended(days=3, kind="k", queue="q")
    ended(FAILED, kind="k", queue="q")
    before = f"{timezone.now() - timedelta(days=2):%Y-%m-%d}"
    faena("export", tmp_path / "o", "--state", "failed", "--kind", "k", "--queue", "q", "--before", before)
    assert [each["id"] for each in read(tmp_path / "o")] == [str(wanted)]


def test_an_export_never_replaces_a_file(ended, tmp_path):
    ended()
    file = tmp_path / "out.jsonl"
    file.write_text("mine")
    assert "is there already" in faena("export", file, code=2).stderr
    assert file.read_text() == "mine"
    assert "cannot be written" in faena("export", tmp_path / "no" / "folder", code=2).stderr


def test_an_export_that_fails_leaves_no_file_and_deletes_nothing(ended, tmp_path, monkeypatch):
    ended(days=40)

    def breaks(*_args, **_more):
        yield {"record": "job"}
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "records", breaks)
    assert "No space left" in faena("prune", "--export", tmp_path / "o", code=2).stderr
    assert list(tmp_path.iterdir()) == []
    assert Job.objects.count() == 1


def test_prune_deletes_what_it_exported(ended, tmp_path):
    old, young = ended(days=40), ended(days=1)
    said = faena("prune", "--export", tmp_path / "o").stdout
    assert "1 jobs are in" in said
    assert "1 jobs were deleted" in said
    assert {each["record"] for each in read(tmp_path / "o")} == {"job", "item", "line"}
    assert {each["id"] for each in read(tmp_path / "o") if each["record"] == "job"} == {str(old)}
    assert Job.objects.get().pk == young
    assert JobItem.objects.count() == 2
    assert (accounting.check().pruned, accounting.check().is_balanced) == (1, True)


def test_prune_before_a_day_asks(ended):
    ended(days=5)
    ended(FAILED, days=5)
    kept = ended(days=1)
    before = f"{timezone.now() - timedelta(days=3):%Y-%m-%d}"
    faena("prune", "--before", before, answer="n\n", code=1)
    assert Job.objects.count() == 3
    faena("prune", "--before", before, answer="y\n")
    assert Job.objects.get().pk == kept


def test_an_export_is_for_its_owner_only(ended, tmp_path, monkeypatch):
    ended()
    modes = []
    records = archive.records

    def looked_at(*args):
        modes.extend(each.stat().st_mode & 0o777 for each in tmp_path.iterdir())
        yield from records(*args)

    monkeypatch.setattr(archive, "records", looked_at)
    before = os.umask(0)
    try:
        faena("export", tmp_path / "o")
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert (tmp_path / "o").stat().st_mode & 0o777 == 0o600


def test_prune_deletes_nothing_that_ended_after_its_export(ended, tmp_path, monkeypatch):
    old = ended(days=1)
    records = archive.records

    def and_one_ends_meanwhile(*args, **more):
        yield from records(*args, **more)
        ended()

    monkeypatch.setattr(archive, "records", and_one_ends_meanwhile)
    said = faena("prune", "--export", tmp_path / "o", "--before", "2999-01-01", "--yes").stdout
    assert "1 jobs were deleted" in said
    assert [each["id"] for each in read(tmp_path / "o") if each["record"] == "job"] == [str(old)]
    assert Job.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL chooses by what the table holds")
def test_an_export_reads_page_by_page_along_an_index(ended):
    for _ in range(3):
        ended()
    with CaptureQueriesContext(connection) as asked:
        list(archive.records({"completed": sql.moment(timezone.now())}))
    plans = [sql.rows("EXPLAIN QUERY PLAN " + each["sql"].replace("%", "%%")) for each in asked.captured_queries]
    assert len(plans) == 2
    assert all("USING INDEX faena_job_by_state (state=?" in plan[0][3] and len(plan) == 1 for plan in plans), plans
