from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from faena.masking import MASK
from faena.models import AlertRule, AuditEntry, Job

FORM = {
    "name": "Slow", "condition": "oldest_wait", "threshold": "60", "minutes": "10", "channel": "webhook",
    "target": "http://receiver:9000/hook?key=hunter2", "secret": "hunter3", "enabled": "on",
}  # fmt: skip


@pytest.fixture
def admin(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


@pytest.fixture
def rule(admin) -> AlertRule:
    admin.post(reverse("monitor:new-alert"), FORM)
    return AlertRule.objects.get()


def test_an_admin_makes_a_rule(admin, rule):
    assert (rule.condition, rule.threshold, rule.target) == ("oldest_wait", 60.0, FORM["target"])
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.details) == ("ada", "save alert rule", {"rule": "Slow"})


def test_secrets_are_never_shown_and_stay_when_left_alone(admin, rule, looking):
    edit = reverse("monitor:edit-alert", args=[rule.pk])
    pages = [admin.get(edit), admin.get("/alerts/"), looking.get("/alerts/")]
    assert [page.status_code for page in pages] == [200] * 3
    assert all("hunter" not in page.content.decode() for page in pages)
    shown = {"target": f"http://receiver:9000/{MASK}", "secret": MASK}
    admin.post(edit, FORM | shown | {"threshold": "90"})
    rule.refresh_from_db()
    assert (rule.threshold, rule.target, rule.secret) == (90.0, FORM["target"], "hunter3")
    admin.post(edit, FORM | {"target": "http://other/", "secret": ""})
    rule.refresh_from_db()
    assert (rule.target, rule.secret) == ("http://other/", "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"target": "ftp://x"}, "no http(s) address"),
        ({"target": "http://"}, "no http(s) address"),
        ({"channel": "mail", "target": "ana@x.co, nobody"}, "no mail addresses"),
        ({"threshold": "0"}, "more than 0"),
        ({"minutes": "0"}, "from 1 to 1440"),
        ({"condition": "failure_rate", "threshold": "101"}, "at most 100"),
        ({"name": ""}, "required"),
    ],
)
def test_what_could_never_be_is_refused_with_the_reason(admin, wrong, said):
    answer = admin.post(reverse("monitor:new-alert"), FORM | wrong)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not AlertRule.objects.exists()


def test_books_need_no_threshold(admin):
    admin.post(reverse("monitor:new-alert"), FORM | {"condition": "books", "threshold": "0"})
    assert AlertRule.objects.get().condition == "books"


def test_a_test_is_a_job_without_secrets(admin, rule):
    answer = admin.post(reverse("monitor:test-alert", args=[rule.pk]), follow=True)
    assert "on its way" in answer.content.decode()
    job = Job.objects.get()
    assert (job.kind, job.args, job.created_by) == ("faena.tell_people", [rule.pk, None, "test"], "ada")


def test_a_rule_is_deleted(admin, rule):
    admin.post(reverse("monitor:delete-alert", args=[rule.pk]))
    assert not AlertRule.objects.exists()


def test_only_admins_decide(acting, looking, rule):
    for client in (acting, looking):
        assert client.get("/alerts/").status_code == 200
        assert client.get(reverse("monitor:new-alert")).status_code == 403
        for name in ("edit-alert", "delete-alert", "test-alert"):
            assert client.post(reverse(f"monitor:{name}", args=[rule.pk]), FORM).status_code == 403
    assert AlertRule.objects.get().name == "Slow"
