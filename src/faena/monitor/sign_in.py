"""One-time sign-in links, and the brake on guessing passwords."""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from faena.models import SignInLink

#: Failed tries per address and name before the brake, and how long it counts back.
TRIES = 10
WINDOW = timedelta(minutes=5)


def make_sign_in_link(user: User, minutes: int = 60) -> str:
    """The path of a link that signs `user` in once, within `minutes`. Only the token's hash is kept."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    SignInLink.objects.filter(expires__lt=now).delete()
    SignInLink.objects.create(digest=_digest(token), user=user, expires=now + timedelta(minutes=minutes))
    return reverse("monitor:sign-in-link", args=[token])


def is_good(token: str) -> bool:
    """Whether the link would sign somebody in; looking does not use it up."""
    return SignInLink.objects.filter(digest=_digest(token), expires__gt=timezone.now(), user__is_active=True).exists()


def use(token: str) -> User | None:
    """Use the link up: its user, or None when it is unknown, expired or used. Of two at once, one wins."""
    with transaction.atomic():
        link = SignInLink.objects.select_related("user").filter(digest=_digest(token)).first()
        if link is None or link.expires <= timezone.now() or not link.user.is_active:
            return None
        deleted, _ = SignInLink.objects.filter(digest=link.digest).delete()
    return link.user if deleted else None


def is_braked(address: str, name: str) -> bool:
    """Whether this address has failed too often for this name."""
    return cache.get(_brake(address, name), 0) >= TRIES


def note_failure(address: str, name: str) -> None:
    """Count one failed try."""
    key = _brake(address, name)
    cache.add(key, 0, timeout=WINDOW.total_seconds())
    cache.incr(key)


def forget_failures(address: str, name: str) -> None:
    """They knew the password after all."""
    cache.delete(_brake(address, name))


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _brake(address: str, name: str) -> str:
    return f"faena.sign-in.{sha256(f'{address}|{name.casefold()}'.encode()).hexdigest()}"
