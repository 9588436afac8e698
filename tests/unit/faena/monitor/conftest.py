"""People, and jobs in every state, for the tests of the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from faena.models import Job
from faena.states import FINISHED, HELD, State

MakeJob = Callable[..., Job]


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture(autouse=True)
def static_root(settings, tmp_path):
    # WhiteNoise warns when the folder of collected files is missing.
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def make(db) -> MakeJob:
    """A job's row, whole enough for its state."""

    def make_it(state: State = State.PENDING, **values) -> Job:
        now = timezone.now()
        own: dict = {"kind": "tests.work", "queue": "celery", "state": state}
        if state in HELD:
            own |= {"started": now, "lease_until": now + timedelta(seconds=12), "fence": 1, "worker": "w1"}
        if state in FINISHED:
            own |= {"started": now - timedelta(seconds=3), "finished": now}
        return Job.objects.create(**(own | values))

    return make_it


@pytest.fixture
def viewer(db) -> User:
    return User.objects.create_user("vera", password="look-only-1")


@pytest.fixture
def operator(db) -> User:
    user = User.objects.create_user("oscar", password="may-act-1")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    return user


@pytest.fixture
def looking(viewer) -> Client:
    """A browser in which a viewer is signed in."""
    client = Client()
    client.force_login(viewer)
    return client


@pytest.fixture
def acting(operator) -> Client:
    """A browser in which an operator is signed in."""
    client = Client()
    client.force_login(operator)
    return client
