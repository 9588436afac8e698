from __future__ import annotations

import pytest
from celery import Celery

import faena
from faena import job
from faena.errors import ConfigurationError
from faena.models import Job
from tests.support import crowd_jobs, jobs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": "soon"}, "timeout='soon'"),
        ({"timeout": "5 weeks"}, "write seconds"),
        ({"limit_key": "{x}"}, "needs limit"),
        ({"limit": 0}, "limit=0"),
        ({"rate": "often"}, "rate='often'"),
        ({"rate": "5000/h"}, "shorter period"),
        ({"attempts": 0}, "attempts=0"),
        ({"max_crashes": 0}, "max_crashes=0"),
        ({"title": "{nobody}"}, "'nobody'.*It has: x, y"),
        ({"unique": "{x}-{z.name}"}, "'z'"),
        ({"limit": 1, "limit_key": "{q[0]}"}, "'q'"),
        ({"title": "{x"}, "wrong"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_an_error_at_import(options, message):
    with pytest.raises(ConfigurationError, match=message):

        @job(**options)
        def some_job(run, x, y=1):
            pass


def test_a_job_needs_its_run():
    with pytest.raises(ConfigurationError, match="first argument"):

        @job
        def no_run():
            pass


def test_keyword_arguments_may_be_anything():
    @job(name="tests.anything", title="{what}")
    def anything(run, **rest):
        pass

    assert anything.faena_options["title"] == "{what}"


@pytest.mark.parametrize(("timeout", "seconds"), [(90, 90), ("90s", 90), ("20m", 1200), ("2h", 7200), ("1 d", 86400)])
def test_timeouts(timeout, seconds):
    @job(name=f"tests.timeout.{timeout}", timeout=timeout)
    def limited(run):
        pass

    assert (limited.soft_time_limit, limited.time_limit) == (seconds, seconds + 30)


@pytest.mark.usefixtures("ledger")
def test_wrong_arguments_are_an_error_for_the_caller():
    with pytest.raises(TypeError):
        jobs.only_one.delay()
    assert not Job.objects.exists()


@pytest.mark.usefixtures("ledger")
def test_templates_are_filled_in(row):
    assert row(jobs.count.delay(5).id).title == "Count to 5"
    job = row(jobs.one_per_shop.delay("north", 0.0).id)
    assert (job.limit_key, job.limit) == ("tests.support.jobs.one_per_shop|north", 1)
    assert row(jobs.only_one.delay(name="a").id).unique_key == "tests.support.jobs.only_one|a"
    assert row(jobs.fails_at.delay(1, 1).id).max_attempts == 2


@pytest.mark.usefixtures("ledger")
def test_a_rate_is_kept_in_one_form_with_a_key(row):
    job = row(crowd_jobs.five_in_two_seconds.delay().id)
    assert (job.rate, job.limit, job.limit_key) == ("5/2s", None, "tests.support.crowd_jobs.five_in_two_seconds|")


def test_a_rate_may_be_per_value_of_an_argument():
    @job(name="tests.rate_per_store", rate="60/m", limit_key="{store}")
    def per_store(run, store):
        pass

    assert per_store.faena_options["rate"] == "60/60s"


def test_install_after_the_first_task_is_too_late():
    app = Celery("late", set_as_current=False)

    @app.task
    def early():
        pass

    assert early.name
    with pytest.raises(ConfigurationError, match="too late"):
        faena.install(app)


def test_an_unknown_setting_is_an_error_with_a_hint(settings):
    from faena import conf

    settings.FAENA = {"LEESE": 1}
    with pytest.raises(ConfigurationError, match="did you mean LEASE"):
        conf.get()
