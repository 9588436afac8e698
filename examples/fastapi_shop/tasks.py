"""The shop's Celery app and its background work. No Django project: Faena sets up what it needs itself."""

import time

from celery import Celery

import faena

app = Celery("shop")
faena.install(app)


@app.task
def add_up(prices):
    """An ordinary Celery task."""
    return sum(prices)


@faena.job(title="Make the {name} catalogue")
def make_catalogue(run, name: str, pages: int, pause: float = 0.5):
    """A job that goes on at the page where its worker was killed."""
    for page in run.each(range(1, pages + 1)):
        time.sleep(pause)
        run.item(f"page {page}", "done", count=False)
    return run.summary(name=name)
