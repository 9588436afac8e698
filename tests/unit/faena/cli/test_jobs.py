from __future__ import annotations

import getpass
import json
from typing import Any

import pytest
from celery import shared_task
from click.testing import CliRunner, Result
from uuid6 import uuid7

from faena.cli.main import cli
from faena.ledger import hold, settle
from faena.ledger.records import Line, write_lines
from faena.ledger.settle import Done, Error, Failed
from faena.masking import MASK
from faena.models import AuditEntry, Job
from tests.support import inline, jobs

pytestmark = pytest.mark.usefixtures("ledger")


def faena(*words: object, code: int = 0) -> Result:
    ran = CliRunner().invoke(cli, [str(each) for each in words])
    assert ran.exit_code == code, (ran.output, ran.exception)
    assert "Traceback" not in ran.output
    return ran


def told(*words: object) -> Any:
    return json.loads(faena(*words, "--json").stdout)


@pytest.fixture
def failed(make_job, take):
    def make(error: str = "ValueError", **values):
        job_id = make_job(**values)
        settle.settle(take(job_id), Failed(Error(error, "no")))
        return job_id

    return make


def test_the_list_is_filtered(make_job, failed):
    waiting, dead = make_job(kind="shop.send", queue="slow", title="To Lima"), failed(kind="shop.buy")
    assert [each["id"] for each in told("jobs", "list")] == [str(dead), str(waiting)]
    for words in (["--state", "failed"], ["--kind", "shop.buy"], ["--queue", "celery"], ["-q", "BUY"], ["-n", 1]):
        assert [each["id"] for each in told("jobs", "list", *words)] == [str(dead)]
    shown = faena("jobs", "list").stdout
    assert "To Lima" in shown
    assert str(dead) in shown
    assert "No job is like that" in faena("jobs", "list", "--kind", "nothing").stderr


@shared_task(name="cli.login")
def login(user, password): ...


def test_secrets_by_place_are_not_shown(make_job):
    job_id = make_job(kind=login.name, args='["bob", "hunter2"]')
    for words in ([], ["--json"]):
        shown = faena("jobs", "show", job_id, *words).stdout
        assert ("bob" in shown, MASK in shown, "hunter2" in shown) == (True, True, False)


def test_one_job_with_its_error_and_log_and_without_its_secrets(make_job, take):
    job_id = make_job(title="[bold]", kwargs='{"password": "hunter2", "shop": "Lima"}')
    write_lines(job_id, [Line(Job.objects.get().created, "warning", "slow [shop]", 0)])
    settle.settle(take(job_id), Failed(Error("ValueError", "no [stock]", "Trace …")))
    shown = faena("jobs", "show", job_id).stdout
    for text in ("[bold]", "Lima", "no [stock]", "slow [shop]", "warning", "Trace …"):
        assert text in shown
    assert "hunter2" not in shown
    plain = told("jobs", "show", job_id)
    assert (plain["state"], plain["failure"], plain["log"][0]["text"]) == ("failed", "ValueError", "slow [shop]")
    assert "hunter2" not in json.dumps(plain)


def test_a_long_value_is_shown_whole_and_leaves_room_for_the_names(make_job):
    words = [f"word{number}" for number in range(100)]
    shown = faena("jobs", "show", make_job(kwargs=json.dumps({"text": " ".join(words)}))).stdout
    assert set(words) <= set(shown.replace('"', " ").split())
    assert {"kind", "attempt", "kwargs"} <= set(shown.split())


@pytest.mark.parametrize(
    "words", [["show", "x"], ["show", uuid7()], ["tail", "x"], ["cancel", "x"], ["list", "--state", "odd"]]
)
def test_what_cannot_be_is_one_sentence_and_exit_code_2(words):
    ran = faena("jobs", *words, code=2)
    assert ran.stderr.strip()
    assert ran.stdout == ""


def test_each_verb_on_named_jobs_is_audited_with_the_user_of_this_machine(make_job, failed):
    job_id, dead = make_job(), failed()
    for verb, state in [("pause", "paused"), ("resume", "pending"), ("cancel", "cancelled"), ("retry", "pending")]:
        assert told("jobs", verb, job_id) == [{"id": str(job_id), "state": state, "error": None}]
    assert "is discarded" in faena("jobs", "discard", dead).stdout
    assert {each.actor for each in AuditEntry.objects.all()} == {getpass.getuser()}
    assert AuditEntry.objects.count() == 5


def test_of_several_the_refused_are_said_and_the_others_done(make_job):
    first, second = make_job(), make_job()
    hold.cancel(first)
    ran = faena("jobs", "pause", first, second, code=2)
    assert f"Job {first} cannot pause: it is cancelled." in ran.stderr
    assert str(second) in ran.stdout
    assert Job.objects.get(pk=second).state == "paused"


def test_many_are_a_background_job(failed, make_job):
    ours, other = [failed(kind="k") for _ in range(3)], failed(kind="other")
    made = told("jobs", "discard", "--kind", "k", "--yes")
    assert made["count"] == 3
    assert inline.drain() == 1
    assert told("jobs", "show", made["job"])["done"] == 3
    assert {each.state for each in Job.objects.filter(pk__in=ours)} == {"cancelled"}
    assert Job.objects.get(pk=other).state == "failed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry"], "Name the jobs"),
        (["retry", "--kind", "none", "--yes"], "No job is like that"),
        (["retry", "--all"], "Add --yes"),
        (["retry", "--all", uuid7()], "not both"),
        (["retry", "--args", "[1]"], "for one job"),
    ],
)
def test_many_need_a_clear_word(failed, words, said):
    failed()
    assert said in faena("jobs", *words, code=2).stderr
    assert Job.objects.get().state == "failed"


def test_a_retry_with_other_arguments():
    sent = jobs.titled.delay("old")
    hold.cancel(Job.objects.get(pk=sent.id).pk)
    made = told("jobs", "retry", sent.id, "--args", '["new"]')
    assert Job.objects.get(pk=made["job"]).title == "The new"
    for wrong, said in [
        ('["a", 2]', "more arguments"),
        ("{", "not JSON"),
        ("{}", "should be a JSON list"),
        ("[2]", "'text'"),
    ]:
        assert said in faena("jobs", "retry", sent.id, "--args", wrong, code=2).stderr
    assert Job.objects.count() == 2


def test_the_log_is_followed_to_the_end(make_job, take):
    job_id = make_job()
    at = Job.objects.get().created
    write_lines(job_id, [Line(at, "info", f"line {n}", 0) for n in range(5)])
    assert "line 3" in (shown := faena("jobs", "tail", job_id, "-n", 2).stdout)
    assert "line 2" not in shown
    settle.settle(take(job_id), Done(None))
    assert faena("jobs", "tail", "-f", job_id, "-n", 0).stdout.strip() == "completed"
    lines = faena("jobs", "tail", job_id, "--json").stdout.splitlines()
    assert [json.loads(each)["text"] for each in lines] == [f"line {n}" for n in range(5)]
