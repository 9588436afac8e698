"""Which tasks are taken out of their messages by Faena's strategy."""

from __future__ import annotations

from celery import Task

from faena.celery.task import STRATEGY, LedgerTask, as_jobs


class Own(Task):
    Strategy = "shop.worker:strategy"


def test_a_task_class_of_the_projects_keeps_a_strategy_of_its_own():
    assert LedgerTask.Strategy == STRATEGY
    assert as_jobs(Task)["Strategy"] == STRATEGY
    assert as_jobs(Own)["Strategy"] == "shop.worker:strategy"
