from __future__ import annotations

import pytest

from faena import environment

URL = "postgres://u:p@pooler/shop"


@pytest.mark.parametrize(
    ("query", "threshold"),
    [("", 2), ("?prepare_threshold=7", 7), ("?prepare_threshold=none", None), ("?prepare_threshold=NONE", None)],
)
def test_the_url_says_whether_statements_are_prepared(monkeypatch, query, threshold):
    monkeypatch.setenv("FAENA_DATABASE_URL", URL + query)
    assert environment.database()["OPTIONS"] == {"prepare_threshold": threshold}


def test_what_is_neither_a_number_nor_none_is_refused(monkeypatch):
    monkeypatch.setenv("FAENA_DATABASE_URL", URL + "?prepare_threshold=often")
    with pytest.raises(ValueError, match="prepare_threshold in FAENA_DATABASE_URL is a number or none, not 'often'"):
        environment.database()
