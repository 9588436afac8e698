from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from faena.models import SignInLink
from faena.monitor.sign_in import TRIES, make_sign_in_link, use

PAGE = "/sign-in/"


def sign_in(client, **more):
    return client.post(PAGE, {"username": "vera", "password": "look-only-1"} | more)


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def test_a_password_signs_in_and_the_button_signs_out(client, viewer):
    assert client.get(PAGE).status_code == 200
    assert sign_in(client).url == "/"
    assert signed_in(client)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == PAGE
    assert not signed_in(client)


def test_one_goes_on_to_the_page_one_came_for(client, viewer):
    assert sign_in(client, next="/jobs/?state=failed").url == "/jobs/?state=failed"


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"])
def test_nobody_is_led_elsewhere(client, viewer, evil):
    assert sign_in(client, next=evil).url == "/"
    client.logout()
    assert client.post(make_sign_in_link(viewer), {"next": evil}).url == "/"


def test_guessing_is_slowed_down_per_name(client, viewer, operator):
    for _ in range(TRIES):
        assert sign_in(client, password="wrong").status_code == 200
    assert sign_in(client).status_code == 429
    assert not signed_in(client)
    assert sign_in(client, username="oscar", password="may-act-1").status_code == 302


def test_a_right_password_forgets_the_wrong_ones(client, viewer):
    for _ in range(3):
        for _ in range(TRIES - 1):
            sign_in(client, password="wrong")
        assert sign_in(client).status_code == 302
        client.logout()


def test_looking_at_a_link_does_not_use_it_up(client, viewer):
    path = make_sign_in_link(viewer)
    for _ in range(3):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "same-origin"
    assert not signed_in(client)
    assert client.post(path).url == "/"
    assert signed_in(client)


def test_a_link_works_once(client, viewer):
    path = make_sign_in_link(viewer)
    client.post(path)
    other = Client()
    assert other.post(path).status_code == 410
    assert other.get(path).status_code == 410
    assert not signed_in(other)


def test_a_link_expires_and_old_ones_are_swept(client, viewer):
    path = make_sign_in_link(viewer, minutes=5)
    SignInLink.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert client.get(path).status_code == client.post(path).status_code == 410
    make_sign_in_link(viewer)
    assert SignInLink.objects.count() == 1


def test_a_link_of_somebody_who_left_does_nothing(client, viewer):
    path = make_sign_in_link(viewer)
    viewer.is_active = False
    viewer.save()
    assert client.post(path).status_code == 410


def test_only_the_hash_of_a_token_is_kept(viewer):
    token = make_sign_in_link(viewer).rstrip("/").rpartition("/")[2]
    assert token not in SignInLink.objects.get().digest
    assert use("something else") is None
    assert use(token) == viewer


def test_a_link_needs_the_csrf_token(viewer):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(make_sign_in_link(viewer)).status_code == 403


def test_the_language_is_remembered_and_leads_nowhere_else(client, db):
    answer = client.post(reverse("monitor:language"), {"language": "es", "next": "https://evil.example/"})
    assert answer.url == "/"
    assert "Entrar en Faena" in client.get(PAGE).content.decode()


def test_a_used_link_leads_those_who_are_signed_in_to_the_list(client, viewer):
    path = make_sign_in_link(viewer)
    client.post(path)
    assert client.get(path).url == client.post(path).url == "/"
