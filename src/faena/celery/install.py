"""`faena.install(app)`: make every task of a Celery app a job. Official extension points only."""

from __future__ import annotations

import logging
from typing import TypeVar

from celery import Celery, signals
from celery.utils.imports import symbol_by_name
from django.conf import settings

from faena import registry, standalone, transports
from faena.celery import (
    connections,
    following,
    loading,
    many,  # noqa: F401  declares a job that every app has
    steps,
    telling,  # noqa: F401  and another
)
from faena.celery.amqp import CeleryBroker, LedgerAMQP
from faena.celery.control import LedgerControl
from faena.celery.known_tasks import KnownTasks
from faena.celery.performing import forget_hold
from faena.celery.task import LedgerTask, Recording, as_jobs
from faena.errors import ConfigurationError
from faena.ledger import doorbell

logger = logging.getLogger(__name__)
App = TypeVar("App", bound=Celery)

#: What `celery beat` runs unless the project names another scheduler.
SCHEDULER = "faena.celery.beat:LedgerScheduler"


def install(app: App) -> App:
    """Record every task of this app in the ledger from now on; returns the app. A second time it does nothing.

    Call it before the app's first task is declared:

        app = Celery("shop")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        faena.install(app)

    Where nobody has configured Django it is set up here, from `FAENA_*` variables (docs/without-django.md).

    Raises:
        ConfigurationError: the app has made its tasks already, or is a Django project's without its settings.
    """
    own = symbol_by_name(app.task_cls)
    if issubclass(own, LedgerTask):
        return app
    if "Task" in app.__dict__ or app.finalized:
        raise ConfigurationError(
            f"faena.install({app.main}) comes too late: the app has made tasks already. "
            "Call it right after the app is made, before anything is decorated with @app.task."
        )
    if standalone.is_wanted() and _belongs_to_django(app):
        raise ConfigurationError(
            f"The Celery app {app.main} reads Django's settings, but nothing says which. Before the app is made: "
            "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'yourproject.settings')"
        )
    standalone.set_up()
    if standalone.is_set_up:
        loading.bring_django(app)
    transports.register()
    app.task_cls = _recording(own)
    app.amqp_cls = LedgerAMQP
    app.control_cls = LedgerControl
    # Not a setting: what is configured after this cannot replace it.
    app.backend_cls = "faena"
    app.add_defaults(lambda: {"beat_scheduler": SCHEDULER})
    connections.keep(app)
    app.steps["worker"].add(steps.LedgerStep)
    _ring_with(app)
    following.declare(app)
    app.on_after_configure.connect(_annotate, weak=False)
    signals.worker_init.connect(steps.on_worker_init)
    signals.worker_process_init.connect(steps.on_pool_process_init)
    signals.worker_shutting_down.connect(steps.on_worker_shutting_down)
    signals.task_postrun.connect(forget_hold)
    return app


def _belongs_to_django(app: Celery) -> bool:
    source = app.__reduce_keys__()["config_source"]
    return source is settings or source == "django.conf:settings"


def _recording(own: type) -> type:
    """The class of the app's tasks: ours, on top of the app's own where it has one (`Celery(task_cls=…)`)."""
    if issubclass(LedgerTask, own):
        return LedgerTask
    return type("LedgerTask", (LedgerTask, own), as_jobs(own) | {"abstract": True, "__module__": own.__module__})


def _ring_with(app: Celery) -> None:
    before = doorbell.broker
    if isinstance(before, CeleryBroker) and before.app.main != app.main:
        logger.warning(
            "Faena was installed in the Celery app %s and now in %s: a process has one broker for jobs that waited, "
            "and from now on that is the one of %s. Run the apps in processes, and on databases, of their own.",
            *(before.app.main, app.main, app.main),
        )
    doorbell.connect(CeleryBroker(app))
    registry.connect(KnownTasks(app))


def _annotate(sender: Celery, **_: object) -> None:
    sender.conf.task_annotations = [Recording(sender.conf.task_annotations)]
