from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from faena.ledger import turns
from tests.support.waiting import eventually

pytest.importorskip("fcntl")


@pytest.fixture
def path(tmp_path) -> str:
    return str(tmp_path / "ledger.sqlite3-turn")


def test_one_writes_at_a_time(path, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 60)
    inside, most = [], []

    def write() -> None:
        for _ in range(50):
            with turns.at(path):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (200, 1)


def test_who_holds_a_turn_for_too_long_holds_up_nobody(path, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 0.01)
    with turns.at(path):
        wrote = threading.Event()

        def write() -> None:
            with turns.at(path):
                wrote.set()

        thread = threading.Thread(target=write)
        thread.start()
        eventually(wrote.is_set)
        thread.join()


def test_a_turn_ends_with_an_error(path, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", 60)
    with pytest.raises(ValueError, match="no"), turns.at(path):
        raise ValueError("no")
    with turns.at(path):
        pass


def test_where_the_file_cannot_be_made_it_goes_on_without(tmp_path):
    with turns.at(str(tmp_path / "nowhere" / "file")):
        pass


@pytest.mark.django_db
def test_in_a_transaction_there_are_no_turns(monkeypatch):
    monkeypatch.setattr(turns, "at", lambda path: pytest.fail("took a turn"))
    with transaction.atomic(), turns.turn():
        assert connection.in_atomic_block
