"""Import an app's tasks, and set Django up, in processes that have not done so: `celery call`, `celery result`."""

from __future__ import annotations

import os
from weakref import WeakKeyDictionary

from celery import Celery, current_app
from celery.app.utils import find_app
from celery.fixups.django import DjangoFixup
from django.apps import apps
from django.utils.translation import gettext as _

from faena.errors import ConfigurationError
from faena.ledger import doorbell

_loaded: set[int] = set()
#: Celery's Django fixups of apps that had no Django when they were made. Signals know them weakly.
_fixups: WeakKeyDictionary[Celery, DjangoFixup] = WeakKeyDictionary()


def load(app: Celery) -> None:
    """Import what the app's worker would import; once per process."""
    if id(app) not in _loaded:
        _loaded.add(id(app))
        # Celery's Django fixup sets Django up on the signal that this sends.
        app.loader.import_default_modules()


def load_named(name: str | None) -> Celery:
    """Import the app that is named as for `celery -A`, by default the project's own, and its tasks.

    Raises:
        ConfigurationError: there is no such app, or Faena is not installed in it.
    """
    try:
        app = find_app(name) if name else current_app._get_current_object()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"There is no Celery app {name!r} here: {error}. Name it as for `celery -A`, from the project's folder."
        ) from None
    if name and not doorbell.is_connected():
        raise ConfigurationError(f"Faena is not installed in the Celery app {name}: call faena.install(app) there.")
    load(app)
    return app


def need_app() -> None:
    """Make sure that this process can enqueue.

    Raises:
        ConfigurationError: no app has Faena installed here, as in a monitor that was told of none.
    """
    if not doorbell.is_connected():
        raise ConfigurationError(
            _("This process knows no Celery app, so it can start no job. Name it: set FAENA_APP, as for celery -A.")
        )


def set_up_django(app: Celery) -> None:
    """Have Django ready for a query."""
    if not apps.ready:
        load(app)


def bring_django(app: Celery) -> None:
    """Do for an app without a Django project what Celery does for others, and name a broker where the app does not."""
    from faena import environment  # reads `.env`, which in a Django project is the settings' business

    app.add_defaults(lambda: {"broker_url": environment.broker_url()})
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        _fixups[app] = DjangoFixup(app).install()
