from __future__ import annotations

import pytest
from celery import shared_task
from django.urls import reverse

from faena import job
from faena.celery import many
from faena.masking import MASK
from faena.models import AuditEntry, Job
from faena.states import State
from tests.support import inline, jobs


@shared_task(name="failures.login")
def login(user, password): ...


@job(name="failures.first_of", title="{rows[0]}")
def first_of(run, rows: list): ...


FAILED = {"failure": "ValueError in shop/tasks.py:send", "error": {"type": "ValueError", "message": "<no>"}}


@pytest.fixture
def failed(make):
    return lambda **values: make(State.FAILED, **({"kind": "shop.send"} | FAILED | values))


def test_groups_are_listed_with_an_example(looking, failed):
    jobs_of = [failed() for _ in range(3)]
    failed(kind="shop.buy")
    text = looking.get(reverse("monitor:failures")).content.decode()
    assert text.count("ValueError in shop/tasks.py:send</a>") == 2
    assert "shop.buy" in text
    assert "&lt;no&gt;" in text
    assert any(reverse("monitor:job", args=[job.pk]) in text for job in jobs_of)
    assert "Retry all" not in text
    assert 'aria-current="page"' in text


def test_without_failures_it_says_so(looking):
    assert b"No job has failed" in looking.get(reverse("monitor:failures")).content


@pytest.mark.parametrize(("name", "state"), [("retry-group", "pending"), ("discard-group", "cancelled")])
def test_a_whole_group_is_a_background_job(acting, failed, name, state):
    ours, other = [failed() for _ in range(2)], failed(kind="other")
    assert b"Discard all" in acting.get(reverse("monitor:failures")).content
    answer = acting.post(reverse(f"monitor:{name}"), {"kind": "shop.send", "failure": FAILED["failure"]})
    job = Job.objects.get(kind="faena.act_on_jobs")
    assert answer.url == reverse("monitor:job", args=[job.pk])
    assert AuditEntry.objects.get().details == {"state": "failed", "kind": "shop.send", "failure": FAILED["failure"]}
    from faena.celery.many import VERBS
    from faena.ledger.records import Actor

    assert job.args[0] in VERBS
    assert job.args[2:] == [Actor("oscar").name, "127.0.0.1"]
    assert {each.state for each in [*ours, other]} == {"failed"}


def test_viewers_may_not(looking, failed):
    job = failed()
    for name, args in [("retry-group", []), ("discard-group", []), ("discard", [job.pk]), ("again", [job.pk])]:
        assert looking.post(reverse(f"monitor:{name}", args=args), {"kind": "shop.send"}).status_code == 403
    assert looking.get(reverse("monitor:again", args=[job.pk])).status_code == 403
    assert Job.objects.count() == 1


def test_a_failed_job_is_discarded_from_its_page(acting, failed):
    job = failed()
    page = reverse("monitor:job", args=[job.pk])
    assert b'id="act-discard"' in acting.get(page).content
    answer = acting.post(reverse("monitor:discard", args=[job.pk]), follow=True)
    assert b"it counts as cancelled" in answer.content
    assert b"Discarded after it failed." in answer.content
    assert Job.objects.get().state == "cancelled"


def again(acting, job, args: str, kwargs: str):
    return acting.post(reverse("monitor:again", args=[job.pk]), {"args": args, "kwargs": kwargs}, follow=True)


def test_a_job_is_retried_with_other_arguments(acting, make):
    job = make(State.COMPLETED, kind=jobs.titled.name, kwargs={"text": "old"})
    page = reverse("monitor:again", args=[job.pk])
    assert page in acting.get(reverse("monitor:job", args=[job.pk])).content.decode()
    assert "&quot;old&quot;" in acting.get(page).content.decode()
    answer = again(acting, job, "[]", '{"text": "new"}')
    new = Job.objects.get(retry_of=job.pk)
    assert answer.redirect_chain == [(reverse("monitor:job", args=[new.pk]), 302)]
    assert (new.kwargs, new.title, new.created_by) == ({"text": "new"}, "The new", "oscar")
    assert str(job.pk) in answer.content.decode()


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ("[]", "{}", "The argument “text” is missing."),
        ("[]", '{"text": "a", "more": 1}', "There is no argument “more”."),
        ("[1]", "{}", "The argument “text” should be of the type str."),
        ('["a", "b"]', "{}", "There are more arguments than the job takes."),
        ("[", "{}", "This is not JSON"),
        ("{}", "{}", "Arguments by place are a JSON list"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(acting, make, args, kwargs, said):
    job = make(State.FAILED, kind=jobs.titled.name, kwargs={"text": "old"})
    answer = again(acting, job, args, kwargs)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert said in text
    assert args.replace('"', "&quot;") in text
    assert Job.objects.count() == 1


def test_secrets_are_not_shown_and_stay_the_same(acting, make):
    secret = {"value": {"password": "hunter2", "shop": "Lima"}}
    job = make(State.FAILED, kind=jobs.echo.name, kwargs=secret)
    text = acting.get(reverse("monitor:again", args=[job.pk])).content.decode()
    assert "hunter2" not in text
    assert MASK in text
    again(acting, job, "[]", f'{{"value": {{"password": "{MASK}", "shop": "Cuzco"}}}}')
    assert Job.objects.get(retry_of=job.pk).kwargs == {"value": {"password": "hunter2", "shop": "Cuzco"}}
    assert "hunter2" not in str(AuditEntry.objects.get().details)


def test_secrets_by_place_are_not_shown_and_stay_the_same(acting, make):
    job = make(State.FAILED, kind=login.name, args=["bob", "hunter2"])
    pages = [reverse(f"monitor:{name}", args=[job.pk]) for name in ("job", "again")]
    texts = [acting.get(page).content.decode() for page in pages]
    assert [("bob" in text, MASK in text, "hunter2" in text) for text in texts] == [(True, True, False)] * 2
    again(acting, job, f'["eve", "{MASK}"]', "{}")
    assert Job.objects.get(retry_of=job.pk).args == ["eve", "hunter2"]
    details = AuditEntry.objects.get().details
    assert (details["before"]["args"], details["after"]["args"]) == (["bob", MASK], ["eve", MASK])


def test_a_template_that_the_arguments_do_not_fill_is_told_in_the_language_of_the_page(acting, make, settings):
    settings.LANGUAGE_CODE = "es"
    job = make(State.FAILED, kind=first_of.name, args=[["a"]])
    text = again(acting, job, "[[]]", "{}").content.decode()
    assert "No se puede completar la plantilla «{rows[0]}» de failures.first_of" in text
    assert "cannot be filled in" not in text


def test_nobody_says_in_anothers_name_who_asked(acting, make):
    job = make(State.COMPLETED, kind=many.NAME, args=["cancel", {}, "ana", None])
    assert (
        reverse("monitor:again", args=[job.pk])
        not in acting.get(reverse("monitor:job", args=[job.pk])).content.decode()
    )
    answer = again(acting, job, '["cancel", {}, "eva", null]', "{}")
    assert answer.status_code == 422
    assert "is a task of Faena itself" in answer.content.decode()
    assert Job.objects.count() == 1


def test_a_live_job_has_no_form(acting, make):
    assert acting.get(reverse("monitor:again", args=[make().pk])).status_code == 404


def test_why_a_job_was_not_acted_upon_is_told_in_the_language_of_the_page(looking, make, settings):
    settings.LANGUAGE_CODE = "es"
    job = make(State.COMPLETED, skipped=1, total=1)
    job.items.create(key="a", state="skipped", message="It is cancelled.", at=job.created)
    assert "Está cancelado." in looking.get(reverse("monitor:job", args=[job.pk])).content.decode()


def test_the_pages_speak_spanish(acting, failed, settings):
    settings.LANGUAGE_CODE = "es"
    job = failed(kind=jobs.titled.name)
    assert "Descartar todos" in acting.get(reverse("monitor:failures")).content.decode()
    assert "Falta el argumento «text»" in again(acting, job, "[]", "{}").content.decode()
    inline.sent()


def test_what_the_ledger_wrote_is_in_the_language_of_the_pages(looking, make, settings):
    settings.LANGUAGE_CODE = "es"
    error = {"type": "WorkerCrashed", "message": "killed its worker 5 times"}
    job = make(State.FAILED, title="retry: many jobs", error=error, failure="WorkerCrashed")
    for page in (reverse("monitor:job", args=[job.pk]), reverse("monitor:jobs"), reverse("monitor:failures")):
        text = looking.get(page).content.decode()
        assert "mató a su worker 5 veces" in text
        assert ("killed its worker" in text, "many jobs" in text) == (False, False)
