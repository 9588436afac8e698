"""Who may act. Viewers (everybody who is signed in) look; operators and admins act."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Group

#: The groups whose members may act on jobs.
OPERATING_GROUPS = ("operator", "admin")


def may_operate(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this person may pause, resume, cancel and retry."""
    if not user.is_authenticated or not user.is_active:
        return False
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return True
    if "may_operate" not in vars(user):
        # Asked several times while a page is drawn.
        vars(user)["may_operate"] = Group.objects.filter(user=user.pk, name__in=OPERATING_GROUPS).exists()
    return vars(user)["may_operate"]
