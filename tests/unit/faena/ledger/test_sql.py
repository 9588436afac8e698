from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from faena.ledger import sql

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
