from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from faena import queries
from faena.models import Job, JobItem, JobLog
from faena.queries import JobFilter, Place
from faena.states import FINISHED, State


@pytest.fixture
def make_jobs(db):
    def make(number: int, state: State = State.PENDING, **values) -> list[Job]:
        now = timezone.now()
        finished = now if state in FINISHED else None
        own = {"kind": "k", "queue": "q", "state": state, "finished": finished, "created": now} | values
        return Job.objects.bulk_create([Job(**own) for _ in range(number)])

    return make


def walk(wanted: JobFilter, size: int) -> list[UUID]:
    seen, before = [], None
    while True:
        page = queries.job_page(wanted, before=before, size=size)
        seen += [job.pk for job in page.jobs]
        if page.older is None:
            return seen
        before = page.older


def test_paging_shows_every_job_once_although_all_have_the_same_time(make_jobs):
    made = make_jobs(25)
    assert sorted(walk(JobFilter(), 10)) == sorted(job.pk for job in made)


def test_jobs_that_arrive_meanwhile_do_not_move_the_pages(make_jobs):
    make_jobs(20)
    first = queries.job_page(JobFilter(), size=10)
    make_jobs(5, created=timezone.now() + timedelta(seconds=1))
    second = queries.job_page(JobFilter(), before=first.older, size=10)
    assert not {job.pk for job in first.jobs} & {job.pk for job in second.jobs}
    back = queries.job_page(JobFilter(), after=second.newer, size=10)
    assert [job.pk for job in back.jobs] == [job.pk for job in first.jobs]
    assert back.newer is not None


def test_the_newest_come_first(make_jobs):
    now = timezone.now()
    for minutes in (3, 1, 2):
        make_jobs(1, title=str(minutes), created=now - timedelta(minutes=minutes))
    assert [job.title for job in queries.job_page(JobFilter()).jobs] == ["1", "2", "3"]


def test_a_page_asks_two_questions_at_most_and_reads_no_heavy_column(make_jobs):
    make_jobs(3, args=["x" * 1000])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = queries.job_page(JobFilter(text="k"))
        [(job.pk, job.kind, job.state, job.percent, job.error) for job in page.jobs]
    assert len(asked) == 2
    assert "kwargs" not in asked.captured_queries[-1]["sql"].partition(" WHERE ")[0]


def test_counts_stop_at_their_ceiling(make_jobs):
    make_jobs(7, State.FAILED)
    make_jobs(2, State.PENDING)
    counts = queries.count_by_tab(JobFilter(), ceiling=5)
    assert counts["failed"] == 6
    assert counts["pending"] == 2
    assert queries.count_up_to(Job.objects.all(), 5) == 6
    assert queries.count_up_to(Job.objects.all()) == 9


def test_counts_follow_the_filter(make_jobs):
    make_jobs(2, State.FAILED, kind="a")
    make_jobs(3, State.FAILED, kind="b")
    assert queries.count_by_tab(JobFilter(kind="a", state="paused"))["failed"] == 2


def test_text_is_looked_for_in_the_newest_jobs_only(make_jobs, monkeypatch):
    monkeypatch.setattr(queries, "WINDOW", 5)
    now = timezone.now()
    for minutes in range(10):
        make_jobs(1, title=f"needle {minutes}", created=now - timedelta(minutes=minutes))
    found = [job.title for job in queries.job_page(JobFilter(text="needle")).jobs]
    assert found == [f"needle {minutes}" for minutes in range(5)]


def test_a_kind_in_one_state_is_looked_for_in_its_newest_jobs(make_jobs, monkeypatch):
    monkeypatch.setattr(queries, "WINDOW", 5)
    now = timezone.now()
    for minutes in range(10):
        make_jobs(1, State.FAILED, kind="a", title=str(minutes), created=now - timedelta(minutes=minutes))
        make_jobs(1, State.FAILED, kind="b", created=now)
    wanted = JobFilter(kind="a", state="failed")
    assert [job.title for job in queries.job_page(wanted).jobs] == [str(minutes) for minutes in range(5)]
    assert queries.count_by_tab(wanted)["failed"] == 5
    assert len(queries.job_page(JobFilter(kind="a")).jobs) == 10


def test_signs_of_like_are_plain_text(make_jobs):
    make_jobs(1, title="100% sure")
    make_jobs(1, title="1000 sure")
    assert [job.title for job in queries.job_page(JobFilter(text="100%")).jobs] == ["100% sure"]


def test_a_place_survives_the_address():
    place = Place(datetime.fromisoformat("2026-11-20T10:00:00.123456+00:00"), uuid4())
    assert Place.parse(str(place)) == place
    assert Place.parse(str(place).replace("+", " ")) == place
    assert [Place.parse(text) for text in ("", "~", "x~y", "2026-11-20~", "\0~\0")] == [None] * 5


@pytest.mark.parametrize(
    "moment",
    ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59+00:00", "2026-11-20T10:00:00"],
)
def test_a_place_that_no_job_has_is_none(moment):
    assert Place.parse(f"{moment}~{uuid4()}") is None


def test_kinds_and_queues_to_choose_from(make_jobs):
    make_jobs(2, kind="b", queue="y")
    make_jobs(1, kind="a", queue="y")
    assert queries.recent_choices()[:2] == (["a", "b"], ["y"])


def test_items_are_paged_and_counted_per_state(make_jobs):
    (job,) = make_jobs(1)
    now = timezone.now()
    JobItem.objects.bulk_create(
        JobItem(job=job, key=str(number), state="failed" if number % 3 == 0 else "done", at=now) for number in range(9)
    )
    first = queries.item_page(job.pk, "failed", size=2)
    assert [item.key for item in first.items] == ["0", "3"]
    rest = queries.item_page(job.pk, "failed", first.after or 0, size=2)
    assert ([item.key for item in rest.items], rest.after) == (["6"], None)
    assert queries.item_counts(job.pk) == {"done": 6, "failed": 3, "skipped": 0}
    assert queries.item_counts(job.pk, ceiling=2)["done"] == 3


def test_the_log_ends_with_its_last_line(make_jobs):
    (job,) = make_jobs(1)
    JobLog.objects.bulk_create(
        JobLog(job=job, level="info", text=str(number), at=timezone.now()) for number in range(9)
    )
    assert [line.text for line in queries.log_tail(job.pk, size=3)] == ["6", "7", "8"]


def test_relatives_are_the_parent_and_the_children_alone(make_jobs):
    (root,) = make_jobs(1)
    (child,) = make_jobs(1, root_id=root.pk, parent_id=root.pk)
    (grandchild,) = make_jobs(1, root_id=root.pk, parent_id=child.pk)
    assert queries.relatives(root) == (None, [child])
    assert queries.relatives(child) == (root, [grandchild])


def test_every_tab_stands_for_states_and_every_state_has_one_tab():
    found = [state for states in queries.TABS.values() for state in states]
    assert sorted(found) == sorted(State)
