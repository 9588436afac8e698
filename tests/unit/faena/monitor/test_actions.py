from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from faena.errors import NoInput, NotAllowed
from faena.ledger import reuse
from faena.models import AuditEntry, Job
from faena.monitor.views.actions import Pause
from faena.states import State


@pytest.mark.parametrize(
    ("before", "action", "after", "stop"),
    [
        (State.PENDING, "pause", State.PAUSED, ""),
        (State.RUNNING, "pause", State.RUNNING, "pause"),
        (State.PAUSED, "resume", State.PENDING, ""),
        (State.PENDING, "cancel", State.CANCELLED, ""),
        (State.RUNNING, "cancel", State.RUNNING, "cancel"),
        (State.FAILED, "retry", State.PENDING, ""),
    ],
)
def test_an_operator_acts_and_the_audit_says_so(acting, make, before, action, after, stop):
    job = make(before)
    answer = acting.post(reverse(f"monitor:{action}", args=[job.pk]))
    assert answer.url == reverse("monitor:job", args=[job.pk])
    job.refresh_from_db()
    assert (job.state, job.stop) == (after, stop)
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.job_id, entry.address) == ("oscar", action, job.pk, "127.0.0.1")


def test_for_htmx_the_answer_is_the_live_part_with_the_message(acting, make):
    job = make(State.RUNNING)
    url = reverse("monitor:pause", args=[job.pk])
    answer = acting.post(url, headers={"HX-Request": "true"}, follow=True)
    text = answer.content.decode()
    assert answer.redirect_chain == [(reverse("monitor:job-live", args=[job.pk]), 302)]
    assert "Pause requested" in text
    assert 'hx-swap-oob="true"' in text


def test_what_is_not_allowed_is_said_kindly(acting, make):
    job = make(State.COMPLETED)
    for action in ("pause", "resume", "cancel", "retry"):
        answer = acting.post(reverse(f"monitor:{action}", args=[job.pk]), follow=True)
        assert answer.status_code == 200
        assert "the job is “Completed”" in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_a_job_that_is_gone_is_not_an_error(acting):
    answer = acting.post(reverse("monitor:retry", args=[uuid4()]), headers={"HX-Request": "true"})
    assert answer.status_code == 302


@pytest.mark.parametrize("action", ["pause", "resume", "cancel", "retry"])
def test_viewers_may_not_act(looking, make, action):
    job = make()
    answer = looking.post(reverse(f"monitor:{action}", args=[job.pk]))
    assert answer.status_code == 403
    assert b"You may look, not touch" in answer.content
    assert Job.objects.get().state == State.PENDING


def test_strangers_may_not_act(client, make):
    job = make()
    assert client.post(reverse("monitor:cancel", args=[job.pk])).url.startswith(reverse("monitor:sign-in"))
    assert Job.objects.get().state == State.PENDING


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser"])
def test_staff_and_superusers_may_act(client, make, flag):
    client.force_login(User.objects.create_user("sam", **{flag: True}))
    client.post(reverse("monitor:cancel", args=[make().pk]))
    assert Job.objects.get().state == State.CANCELLED


def test_looking_changes_nothing(acting, make):
    assert acting.get(reverse("monitor:cancel", args=[make().pk])).status_code == 405


def test_a_form_from_elsewhere_is_refused(make, operator):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(operator)
    answer = browser.post(reverse("monitor:cancel", args=[make().pk]))
    assert answer.status_code == 403
    assert b"Please try once more" in answer.content
    assert Job.objects.get().state == State.PENDING


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_asking_a_running_job_twice_is_said_kindly(acting, make, action):
    url = reverse(f"monitor:{action}", args=[make(State.RUNNING).pk])
    acting.post(url, follow=True)
    answer = acting.post(url, follow=True)
    assert answer.status_code == 200
    assert "the job is “Running” and was asked to stop already" in answer.content.decode()


def test_whatever_a_refusal_says_of_the_state_is_shown(acting, make, monkeypatch):
    def refuse(pk, by):
        raise NotAllowed(pk, "pause", "somewhere else")

    monkeypatch.setattr(Pause, "verb", staticmethod(refuse))
    answer = acting.post(reverse("monitor:pause", args=[make().pk]), follow=True)
    assert "the job is “somewhere else”" in answer.content.decode()


def test_a_retry_beside_a_live_twin_is_said_kindly(acting, make):
    job = make(State.FAILED, unique_key="twin")
    make(State.PENDING, unique_key="twin")
    answer = acting.post(reverse("monitor:retry", args=[job.pk]), follow=True)
    assert answer.status_code == 200
    assert "Another job with the same unique key is live" in answer.content.decode()
    assert Job.objects.get(pk=job.pk).state == State.FAILED


def test_a_retry_of_what_never_had_its_input_is_refused_in_the_readers_language(acting, make, settings):
    settings.LANGUAGE_CODE = "es"
    job = make(State.FAILED, message=json.loads(reuse.UNRUN))
    answer = acting.post(reverse("monitor:retry", args=[job.pk]), follow=True)
    assert "Nunca tuvo sus datos de entrada" in answer.content.decode()
    job.items.create(key="a", state="skipped", message=NoInput.REASON, at=job.created)
    assert "Nunca tuvo sus datos de entrada" in acting.get(reverse("monitor:job", args=[job.pk])).content.decode()
    assert Job.objects.get(pk=job.pk).state == State.FAILED
