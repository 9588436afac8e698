from __future__ import annotations

from datetime import timedelta

from faena.masking import MASK

PAGE = "/settings/"


def test_it_shows_what_is_set_without_secrets(acting, settings):
    settings.CELERY_BROKER_URL = "redis://:hunter2@broker:6379/0"
    settings.EMAIL_HOST_PASSWORD = "hunter2"
    settings.FAENA = {"LEASE": timedelta(seconds=42)}
    text = acting.get(PAGE).content.decode()
    assert "hunter2" not in text
    assert MASK in text
    for said in ("broker:6379", "42 s", "Finished jobs are kept for", "90 d", "UNRECORDED"):
        assert said in text


def test_viewers_may_not(looking):
    assert looking.get(PAGE).status_code == 403
