"""What must be there before anything starts: Django, the tables, a way in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from faena.cli import plain, project, tables

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a supervisor has to know of the project."""

    #: The ASGI application to serve, as uvicorn wants it.
    application: str
    #: Where to look: a link that signs somebody in, where there is somebody.
    address: str
    #: What to know of the address, in a sentence.
    advice: str
    #: The queues that the tasks name, with commas.
    queues: str


def elsewhere(host: str, port: int) -> Prepared:
    """Do it in a process of its own, so that a supervisor stays small: Django would be most of it.

    Raises:
        SystemExit: it failed, and has said why.
    """
    command = [sys.executable, "-m", "faena.cli.prepare", host, str(port)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    if done.returncode:
        sys.exit(done.returncode)
    return Prepared(**json.loads(done.stdout.rpartition("\n")[2]))


def set_up() -> None:
    """Load Django and bring the tables up to date.

    Raises:
        SystemExit: with what to do, when the database cannot be reached.
    """
    try:
        plain.load()
    except plain.Refusal as refusal:
        sys.exit(refusal.message)
    from django.db import DatabaseError, connection

    try:
        tables.bring_up_to_date()
    except DatabaseError as error:
        where = connection.settings_dict["NAME"]
        sys.exit(f"The database {where} cannot be used: {error}\nCheck FAENA_DATABASE_URL, and that it runs.")
    connection.close()


def application() -> str:
    """The project's ASGI application, as uvicorn wants it."""
    from django.conf import settings

    package = os.environ["DJANGO_SETTINGS_MODULE"].partition(".")[0]
    path = getattr(settings, "ASGI_APPLICATION", None) or f"{package}.asgi.application"
    return ":".join(path.rsplit(".", 1))


def queues() -> str:
    """The queues that the project's tasks go to, with commas."""
    from faena.celery.loading import load_named

    app = load_named(os.environ.get("FAENA_APP"))
    named = {getattr(task, "queue", None) for task in app.tasks.values()} | set(app.amqp.queues)
    return ",".join(sorted(filter(None, named)))


def first_admin() -> User | None:
    """The first superuser. Our own projects get one without a password, for one-time links only; nobody else's does."""
    from django.contrib.auth import get_user_model

    users = get_user_model()
    admin = users._default_manager.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if admin is None and project.is_ours():
        admin = users._default_manager.create_superuser("admin")
    return admin


def way_in(host: str, port: int) -> tuple[str, str]:
    """The address to open, and what to know of it: a link that signs the first admin in once, or the sign-in page."""
    from django.urls import NoReverseMatch, reverse

    from faena.monitor.sign_in import make_sign_in_link

    root = f"http://{_browsable(host)}:{port}"
    try:
        page = reverse("monitor:sign-in")
    except NoReverseMatch:
        return root, 'To see the pages, add path("faena/", include("faena.monitor.urls")) to your URLs.'
    if admin := first_admin():
        return root + make_sign_in_link(admin), "The link signs you in once."
    return root + page, "Nobody may sign in as an admin yet: python manage.py createsuperuser makes somebody."


def _browsable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104


if __name__ == "__main__":
    set_up()
    prepared = Prepared(application(), *way_in(sys.argv[1], int(sys.argv[2])), queues())
    print(json.dumps(asdict(prepared)), end="")
