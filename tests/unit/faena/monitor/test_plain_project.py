"""The monitor in what `django-admin startproject` makes, with `faena` added and its addresses mounted."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import global_settings
from django.utils import timezone
from django.utils.translation import get_language, override

from faena.states import State
from faena.templatetags.faena import intcomma, naturaltime

APPS = ["admin", "auth", "contenttypes", "sessions", "messages", "staticfiles"]


@pytest.fixture(autouse=True)
def plain(settings):
    settings.INSTALLED_APPS = [*(f"django.contrib.{name}" for name in APPS), "faena"]
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ]
    processors = ["template.context_processors.request", "contrib.auth.context_processors.auth"]
    processors.append("contrib.messages.context_processors.messages")
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": [f"django.{name}" for name in processors]},
        }
    ]
    settings.STORAGES = global_settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    for name in ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL", "LANGUAGES"):
        setattr(settings, name, getattr(global_settings, name))
    settings.LANGUAGE_CODE = "en-us"
    settings.ROOT_URLCONF = "tests.unit.faena.monitor.plain_urls"


def test_the_pages_need_no_other_app(looking, make):
    job = make(State.RUNNING, total=2_000, done=1_000, attempt=1)
    for page in ("jobs/", "jobs/list", f"jobs/{job.pk}/", f"jobs/{job.pk}/live"):
        answer = looking.get(f"/faena/{page}")
        assert answer.status_code == 200
        assert "1,000" in answer.content.decode()


def test_times_and_numbers_are_spanish_without_the_app_of_their_words():
    with override("es"):
        assert naturaltime(timezone.now() - timedelta(minutes=3, seconds=5)) == "hace 3 minutos"
        assert naturaltime(timezone.now() + timedelta(days=1, minutes=1)) == "1\xa0día desde ahora"
        assert naturaltime(timezone.now() - timedelta(days=400)).startswith("hace 1\xa0año")
        assert intcomma(12_345) == "12\xa0345"


def test_signing_in_and_out_needs_no_settings(client, viewer):
    assert client.get("/faena/jobs/?state=failed").url == "/faena/sign-in/?next=/faena/jobs/%3Fstate%3Dfailed"
    person = {"username": "vera", "password": "look-only-1"}
    assert (
        client.post("/faena/sign-in/", person | {"next": "/faena/jobs/?state=failed"}).url
        == "/faena/jobs/?state=failed"
    )
    assert client.get("/faena/sign-in/").url == "/faena/"
    assert client.post("/faena/sign-out/").url == "/faena/sign-in/"
    assert client.post("/faena/sign-in/", person).url == "/faena/"


def test_only_the_languages_that_the_pages_speak_are_offered(client, db, settings):
    page = client.get("/faena/sign-in/").content.decode()
    assert re.findall(r'name="language" value="(\S+)"', page) == ["en", "es"]
    assert page.count('aria-current="true"') == 1
    settings.LANGUAGES = [("es", "Spanish"), ("fr", "French")]
    settings.LANGUAGE_CODE = "es"
    assert 'name="language"' not in client.get("/faena/sign-in/").content.decode()


def test_the_pages_speak_the_readers_language_without_a_middleware_for_it(looking):
    assert "All" in looking.get("/faena/").content.decode()
    assert "Todos" in looking.get("/faena/", headers={"accept-language": "es-AR,es;q=0.9"}).content.decode()
    looking.post("/faena/language/", {"language": "es", "next": "/faena/"})
    assert "Todos" in looking.get("/faena/").content.decode()
    assert get_language() == "en-us"
