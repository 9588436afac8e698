"""The Celery app of the tests' workers: the project's own, with the tests' tasks."""

from faena_server.celery import app

app.conf.imports = ("tests.support.jobs", "tests.support.storm_jobs")
