from __future__ import annotations

from faena.duties.measure import LEAST, measure_once
from faena.models import Job, Snapshot, Tally


def test_the_books_and_the_disk_are_measured(make_job):
    make_job()
    assert measure_once().next_in >= LEAST
    books = Snapshot.objects.get(name="books").value
    assert (books["accepted"], books["is_balanced"], books["by_state"]["pending"]) == (1, True, 1)
    assert 0 < Snapshot.objects.get(name="disk").value["percent_free"] <= 100


def test_a_job_that_is_missing_shows(make_job):
    make_job()
    Job.objects.all().delete()
    measure_once()
    books = Snapshot.objects.get(name="books").value
    assert (books["is_balanced"], books["difference"]) == (False, 1)
    assert Tally.objects.exists()
