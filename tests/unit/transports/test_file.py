"""The file: made once, never mistaken for another, and errors that say what to do."""

from __future__ import annotations

import multiprocessing
import sqlite3

import pytest

from faena.transports._file import BrokerError, BrokerFile
from faena.transports._store import Outgoing, Store


def test_it_is_wal_with_space_given_back(path):
    file = BrokerFile(path)
    assert [file.read(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "auto_vacuum")] == [
        "wal",
        1,
        2,
    ]
    file.close()


def test_a_transaction_is_all_or_nothing(store):
    with pytest.raises(ZeroDivisionError), store.file.transaction() as db:
        db.execute("INSERT INTO exchanges VALUES ('x', 'direct')")
        raise ZeroDivisionError
    assert store.exchange_type("x") is None


def test_somebodys_database_is_left_alone(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE invoices (id)")
    db.close()
    with pytest.raises(BrokerError, match=r"not a Faena broker.*a file of its own"):
        BrokerFile(path)


def test_another_layout_is_refused(path):
    BrokerFile(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(BrokerError, match=r"layout 99.*delete it"):
        BrokerFile(path)


def test_a_damaged_file_says_so(path):
    path.write_bytes(b"not sqlite" * 1000)
    with pytest.raises(BrokerError, match=r"broker.sqlite3 cannot be used: file is not a database.*-wal"):
        BrokerFile(path)


def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "plain").write_text("")
    with pytest.raises(BrokerError, match="plain"):
        BrokerFile(tmp_path / "plain" / "broker.sqlite3")


def test_a_folder_in_its_place_says_so(path):
    path.mkdir()
    with pytest.raises(BrokerError, match="Check that the path is right"):
        BrokerFile(path)


def test_a_full_disk_says_so_and_keeps_what_was_there(store):
    pages = store.file.read("PRAGMA page_count")[0][0]
    store.file.read(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(BrokerError, match=r"is full.*Free some space"):
        store.publish([Outgoing(["a"], 0, "x" * 100_000)])
    store.file.read("PRAGMA max_page_count = 100000")
    store.publish([Outgoing(["a"], 0, "x")])
    assert store.size("a") == 1


def test_a_read_only_file_says_so(store):
    store.file.read("PRAGMA query_only = ON")
    with pytest.raises(BrokerError, match=r"readonly.*Give write permission"):
        store.publish([Outgoing(["a"], 0, "x")])


def test_a_lock_held_too_long_says_so_and_pending_acks_wait(open_store):
    store, other = open_store(), open_store()
    store.publish([Outgoing(["a"], 0, "x")])
    [delivery] = store.reserve(["a"], 1)
    with other.file.transaction():
        store._acks.append(delivery.id)
        with pytest.raises(BrokerError, match=r"locked.*raise busy_timeout"):
            store.flush()
    store.flush()
    assert other.reserved("a") == 0


def test_a_replaced_file_stays_refused(store, path):
    path.rename(path.with_suffix(".old"))
    for _ in range(2):
        with pytest.raises(BrokerError, match="deleted or replaced"):
            store.file.check(every=0)


def _publish_when_told(path, opened, go):
    store = Store(path)
    opened.set()
    go.wait(10)
    store.publish([Outgoing(["a"], 0, "from the child")])
    store.close()


def test_what_a_forked_child_writes_survives_its_parents_leaving(open_store, path):
    """A child that took its parent's file locks for its own would write into a deleted WAL."""
    fork = multiprocessing.get_context("fork")
    opened, go = fork.Event(), fork.Event()
    parent = open_store()
    child = fork.Process(target=_publish_when_told, args=(path, opened, go))
    child.start()
    assert opened.wait(10)
    parent.close()
    go.set()
    child.join()
    assert open_store().size("a") == 1
