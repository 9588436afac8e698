from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from faena.models import JobItem
from faena.monitor.page import POLICY
from faena.states import State

EVIL = '<script>alert("x")</script>'


@pytest.fixture
def pages(make):
    job = make(State.RUNNING)
    return [
        reverse("monitor:jobs"),
        reverse("monitor:job-list"),
        reverse("monitor:job", args=[job.pk]),
        reverse("monitor:job-live", args=[job.pk]),
    ]


def test_strangers_are_sent_to_sign_in(client, pages):
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("monitor:sign-in") + "?next=")


def test_a_live_part_of_a_stranger_reloads_its_page(client, pages):
    answer = client.get(pages[1], headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")


def test_viewers_and_operators_see_every_page(looking, acting, pages):
    for page in pages:
        for browser in (looking, acting):
            answer = browser.get(page)
            assert answer.status_code == 200
            assert answer.headers["Content-Security-Policy"] == POLICY
            assert answer.headers["Cache-Control"] == "no-store"


def test_no_page_holds_what_the_policy_forbids(acting, pages):
    for page in pages:
        text = acting.get(page).content.decode()
        assert "style=" not in text
        assert "javascript:" not in text
        assert " onclick" not in text
        assert "<script>" not in text


def test_actions_are_shown_to_operators_only(looking, acting, make):
    page = reverse("monitor:job", args=[make(State.RUNNING).pk])
    assert b"act-pause" in acting.get(page).content
    assert b"act-pause" not in looking.get(page).content
    assert b"cancel-dialog" not in looking.get(page).content


@pytest.mark.parametrize(
    ("state", "stop", "shown"),
    [
        (State.PENDING, "", {"pause", "cancel"}),
        (State.RUNNING, "", {"pause", "cancel"}),
        (State.RUNNING, "pause", {"resume", "cancel"}),
        (State.RUNNING, "cancel", set()),
        (State.PAUSED, "", {"resume", "cancel"}),
        (State.COMPLETED, "", set()),
        (State.COMPLETED_WITH_ERRORS, "", set()),
        (State.FAILED, "", {"retry"}),
        (State.CANCELLED, "", {"retry"}),
    ],
)
def test_the_state_decides_which_actions_are_shown(acting, make, state, stop, shown):
    text = acting.get(reverse("monitor:job", args=[make(state, stop=stop).pk])).content.decode()
    assert {name for name in ("pause", "resume", "cancel", "retry") if f'id="act-{name}"' in text} == shown


def test_everything_a_job_says_is_escaped(acting, make):
    error = {"type": EVIL, "message": EVIL, "traceback": EVIL}
    values = {"title": EVIL, "kind": EVIL, "queue": EVIL, "args": [EVIL], "kwargs": {EVIL: EVIL}, "worker": EVIL}
    job = make(State.FAILED, **values, error=error, errors=[error], result=EVIL, cursor={"own": EVIL}, tags=[EVIL])
    job.items.create(key=EVIL, state="failed", message=EVIL, at=timezone.now())
    job.logs.create(level="<script>", text=EVIL, at=timezone.now())
    make(root_id=job.pk, parent_id=job.pk, title=EVIL)
    for page in (reverse("monitor:job", args=[job.pk]), f"/jobs/?q={EVIL}&kind={EVIL}&queue={EVIL}"):
        text = acting.get(page).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


def test_secrets_in_arguments_and_results_are_hidden(acting, make):
    secrets = {"password": "hunter2", "nested": [{"api_key": "hunter2", "Authorization": "hunter2"}], "store": "Lima"}
    job = make(State.COMPLETED, kwargs=secrets, result={"token": "hunter2"}, cursor={"own": {"session": "hunter2"}})
    text = acting.get(reverse("monitor:job", args=[job.pk])).content.decode()
    assert "hunter2" not in text
    assert "Lima" in text


def test_a_live_job_asks_again_and_a_finished_one_does_not(looking, make):
    assert b"data-poll" in looking.get(reverse("monitor:job-live", args=[make(State.RUNNING).pk])).content
    assert b"data-poll" not in looking.get(reverse("monitor:job-live", args=[make(State.FAILED).pk])).content


def test_an_unknown_job_is_a_friendly_404(looking):
    answer = looking.get(reverse("monitor:job", args=[uuid4()]))
    assert answer.status_code == 404
    assert b"There is nothing here" in answer.content


def test_the_list_filters_by_state_kind_queue_and_text(looking, make):
    make(State.FAILED, title="Alpha", kind="a.b", queue="slow")
    make(State.RUNNING, title="Beta")
    make(State.VALIDATING, title="Gamma")

    def titles(query: str) -> set[str]:
        text = looking.get("/jobs/" + query).content.decode()
        return {name for name in ("Alpha", "Beta", "Gamma") if f">{name}</a>" in text}

    assert titles("") == {"Alpha", "Beta", "Gamma"}
    assert titles("?state=failed") == {"Alpha"}
    assert titles("?state=running") == {"Beta", "Gamma"}
    assert titles("?state=nonsense&before=nonsense&after=~") == {"Alpha", "Beta", "Gamma"}
    assert titles("?kind=a.b") == titles("?queue=slow") == titles("?q=ALPH") == titles("?q=a.b") == {"Alpha"}
    assert titles("?state=paused") == set()


def test_an_id_in_the_search_leads_to_the_job(looking, make):
    job = make()
    assert looking.get(f"/jobs/?q={job.pk}").url == reverse("monitor:job", args=[job.pk])
    assert looking.get(f"/jobs/?q={uuid4()}").status_code == 200


def test_the_empty_list_teaches(looking):
    assert b"hello.delay(" in looking.get("/jobs/").content


def test_items_are_filtered_and_paged(looking, make):
    job = make(State.COMPLETED_WITH_ERRORS, failed=1, done=60, total=61)
    now = timezone.now()
    rows = [JobItem(job=job, key=f"row {number}", state="done", at=now) for number in range(60)]
    JobItem.objects.bulk_create([*rows, JobItem(job=job, key="broken row", state="failed", at=now)])
    page = reverse("monitor:job", args=[job.pk])
    assert b"broken row" in looking.get(page).content
    first = looking.get(page + "?items=done").content.decode()
    assert "row 49<" in first
    assert "row 50<" not in first
    last = JobItem.objects.get(key="row 49").pk
    assert b"row 50<" in looking.get(f"{page}?items=done&items_after={last}").content
    assert looking.get(f"{page}?items=x&items_after=99999999999999999999").status_code == 200


def test_parent_and_children_are_linked(looking, make):
    parent = make(title="Parent")
    child = make(title="Child", root_id=parent.pk, parent_id=parent.pk)
    assert str(child.pk) in looking.get(reverse("monitor:job", args=[parent.pk])).content.decode()
    assert str(parent.pk) in looking.get(reverse("monitor:job", args=[child.pk])).content.decode()


def test_rate_and_time_left_come_from_what_was_watched(looking, make):
    job = make(State.RUNNING, done=600, total=1000, fence=2)
    since = f"{(timezone.now() - timedelta(seconds=10)).timestamp():.1f}:500"
    text = looking.get(reverse("monitor:job-live", args=[job.pk]) + f"?since={since}").content.decode()
    assert "per second" in text
    assert re.search(r"\b(39|40|41|42) s left", text)


def test_pages_need_few_queries(looking, make, django_assert_max_num_queries):
    jobs = [make(state, title=str(number)) for number, state in enumerate(list(State) * 4)]
    looking.get("/jobs/")
    with django_assert_max_num_queries(8):  # session, user, group, kinds, schedules, views, jobs, counts
        looking.get("/jobs/")
    with django_assert_max_num_queries(6):
        looking.get(reverse("monitor:job-list"))
    with django_assert_max_num_queries(12):  # two or three say why it does not run
        looking.get(reverse("monitor:job", args=[jobs[0].pk]))


def test_the_pages_speak_spanish(looking, make):
    make(State.COMPLETED_WITH_ERRORS)
    answer = looking.post(reverse("monitor:language"), {"language": "es", "next": "/"})
    assert answer.url == "/"
    assert "Completado con errores" in looking.get("/jobs/").content.decode()


@pytest.mark.parametrize("name", ["before", "after"])
def test_an_unreadable_place_is_the_first_page(looking, make, name):
    job = make()
    answer = looking.get("/jobs/", {name: f"9999-12-31T23:59:59-23:59~{'0' * 32}"})
    assert answer.status_code == 200
    assert str(job.pk) in answer.content.decode()


@pytest.mark.parametrize("since", ["-1e300:0", "1:-" + "9" * 400, "nan:0", "inf:0"])
def test_an_absurd_start_of_watching_breaks_nothing(looking, make, since):
    job = make(State.RUNNING, total=10**6, done=5)
    assert looking.get(reverse("monitor:job-live", args=[job.pk]), {"since": since}).status_code == 200


@pytest.mark.parametrize(
    ("message", "shown"),
    [("Cancelled while it ran.", "Se canceló mientras corría."), ("Supplier closed.", "Supplier closed.")],
)
def test_a_cancelled_job_does_not_look_like_a_failure(looking, make, settings, message, shown):
    settings.LANGUAGE_CODE = "es"
    job = make(State.CANCELLED, error={"type": "Cancelled", "message": message})
    text = looking.get(reverse("monitor:job", args=[job.pk])).content.decode()
    assert f'<section class="error-box calm" aria-label="Motivo"><p>{shown}</p></section>' in text


def test_a_failed_job_still_looks_like_one(looking, make):
    job = make(State.FAILED, error={"type": "ValueError", "message": "bad"})
    text = looking.get(reverse("monitor:job", args=[job.pk])).content.decode()
    assert 'class="error-box" aria-label="Error"' in text


def test_tries_say_what_they_count(looking, make):
    make(State.RUNNING, attempt=1, max_attempts=3, crashes=1, max_crashes=5)
    text = looking.get("/jobs/").content.decode()
    for said in ("attempt 2 of 3", "workers lost 1 of 5"):
        assert f'title="{said}"' in text
        assert f'<span class="visually-hidden">{said}</span>' in text


def test_the_first_tab_says_all_jobs_in_spanish(looking, db, settings):
    settings.LANGUAGE_CODE = "es"
    assert re.search(r'aria-current="page">Todos\s*<', looking.get("/jobs/").content.decode())


def test_a_job_that_waits_says_why_on_its_page_and_in_its_live_part(looking, make):
    job = make(State.PENDING)
    for name in ("job", "job-live"):
        page = looking.get(reverse(f"monitor:{name}", args=[job.pk])).content.decode()
        assert "Why is it not running?" in page
        assert "No worker is running." in page
    done = make(State.COMPLETED)
    assert "Why is it not" not in looking.get(reverse("monitor:job", args=[done.pk])).content.decode()
