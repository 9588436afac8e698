"""The tests' app with a `beat_schedule`, as a project's own `celery.py` has it."""

from celery.schedules import crontab

from tests.support.worker_app import app

app.conf.beat_schedule = {
    "often": {"task": "tests.support.jobs.add", "schedule": 1.0, "args": (1, 2)},
    "monthly": {"task": "tests.support.jobs.add", "schedule": crontab(0, 0, day_of_month=1), "args": (1, 2)},
    "wrong": {"task": "tests.support.jobs.ad", "schedule": 1.0, "args": (1, 2)},
}
