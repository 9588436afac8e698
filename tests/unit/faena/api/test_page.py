from __future__ import annotations

import re

from django.contrib.auth.models import User
from django.test import Client

from faena.api.urls import made


def signed_in() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("vera", password="look-only-1"))
    return client


def test_it_is_for_people_who_are_signed_in():
    answer = Client().get("/api/docs")
    assert answer.status_code == 302
    assert "/sign-in/" in answer["Location"]


def test_it_shows_every_operation_and_loads_nothing_from_elsewhere():
    page = signed_in().get("/api/docs").content.decode()
    for path, operations in made.get_openapi_schema()["paths"].items():
        for method, operation in operations.items():
            assert f'id="{operation["operationId"]}"' in page
            assert f">{method.upper()}<" in page
        assert path in page
    assert all(each.startswith("/") for each in re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', page))


def test_it_speaks_spanish():
    client = signed_in()
    client.cookies["django_language"] = "es"
    page = client.get("/api/docs").content.decode()
    assert "Reintentar un trabajo" in page
    for english in ("Retry", "Look at", "Answer", "Parameters"):
        assert f">{english}" not in page


def test_where_the_pages_are_not_mounted_the_schema_is_shown(settings):
    settings.ROOT_URLCONF = "faena.api.urls"
    answer = signed_in().get("/api/docs")
    assert (answer.status_code, answer["Location"]) == (302, "/api/openapi.json")
