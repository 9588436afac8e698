from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from faena.ledger import claim, leases, settle, sql, workers

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL says it by a code")
def test_a_full_disk_is_a_database_that_is_away_and_a_wrong_statement_is_not(make_job):
    pages = sql.rows("PRAGMA page_count")[0][0]
    sql.execute(f"PRAGMA max_page_count = {pages}")
    try:
        with pytest.raises(OperationalError, match="full") as full:
            make_job(args='["' + "x" * 10_000_000 + '"]')
    finally:
        sql.execute("PRAGMA max_page_count = 1073741823")
    assert sql.lost_connection(full.value)
    with pytest.raises(OperationalError, match="no such table") as wrong:
        sql.rows("SELECT 1 FROM nothing_of_that_name")
    assert not sql.lost_connection(wrong.value)


@pytest.fixture
def synced(ledger):
    """Whether each statement that writes waits for the disk with its commit, by the table's name."""
    seen: list[tuple[str, bool]] = []

    def watch(execute, statement, parameters, many, context):
        if statement.lstrip().startswith(("INSERT", "UPDATE")):
            table = next(word for word in statement.split() if word.startswith("faena_"))
            seen.append((table, _level() == 2))
        return execute(statement, parameters, many, context)

    connection.ensure_connection()
    before = _level()
    sql.execute("PRAGMA synchronous = FULL")
    with connection.execute_wrapper(watch):
        yield seen
    sql.execute(f"PRAGMA synchronous = {before}")


def _level() -> int:
    return connection.connection.execute("PRAGMA synchronous").fetchone()[0]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's workers may live on when its power goes")
def test_only_what_dies_with_its_process_is_committed_without_waiting_for_the_disk(synced, make_job, take):
    hold = take(make_job())
    claim.extend([hold.job_id], "w1")
    settle.settle(hold, settle.Done(None))
    leases.take("a post", timedelta(seconds=1))
    workers.beat(workers.Standing("w1", "here|1|1", "here", 1, "solo", 1, []))
    accepted, *held, settled = [waits for table, waits in synced if table == "faena_job"]
    assert (accepted, held, settled) == (True, [False, False], True)
    assert not any(waits for table, waits in synced if table != "faena_job")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="it is about SQLite's levels")
def test_without_a_wal_and_inside_a_transaction_every_commit_waits_for_the_disk(synced, make_job, take):
    with transaction.atomic():
        take(make_job())
    sql.execute("PRAGMA journal_mode = DELETE")
    try:
        take(make_job())
    finally:
        sql.execute("PRAGMA journal_mode = WAL")
    assert [waits for _, waits in synced] == [True] * 4
