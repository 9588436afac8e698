"""Who may what, on the pages, in the API and on the live channel. Viewers look, operators act, admins let others in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, router


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what `needed` may."""
        return _ORDER.index(self) >= _ORDER.index(needed)


_ORDER = list(Role)


def make_groups(using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """Make the groups that are named like the roles where they are missing; after every `migrate`."""
    if not apps.is_installed("django.contrib.auth"):
        return
    from django.contrib.auth.models import Group

    # A user model of one's own may leave this table to a later `migrate`.
    is_here = Group._meta.db_table in connections[using].introspection.table_names()
    if is_here and router.allow_migrate_model(using, Group):
        for role in Role:
            Group.objects.using(using).get_or_create(name=role.value)


def role_of(user: Any) -> Role | None:
    """The role of a Django user; None for those who are not signed in, or no longer may be.

    Everybody who is signed in looks. Staff and the group `operator` act; superusers and the group `admin` decide.
    """
    if not user.is_authenticated or not user.is_active:
        return None
    if getattr(user, "is_superuser", False):
        return Role.ADMIN
    if "faena_role" not in vars(user):
        # Asked several times while a page is drawn.
        vars(user)["faena_role"] = _by_groups(user)
    return vars(user)["faena_role"]


def may_operate(user: Any) -> bool:
    """Whether this person may act on jobs, queues and schedules."""
    return _covers(user, Role.OPERATOR)


def may_administer(user: Any) -> bool:
    """Whether this person may make and revoke tokens."""
    return _covers(user, Role.ADMIN)


def _covers(user: Any, needed: Role) -> bool:
    role = role_of(user)
    return role is not None and role.covers(needed)


def _by_groups(user: Any) -> Role:
    names = set(user.groups.values_list("name", flat=True)) if hasattr(user, "groups") else set()
    if Role.ADMIN in names:
        return Role.ADMIN
    return Role.OPERATOR if Role.OPERATOR in names or getattr(user, "is_staff", False) else Role.VIEWER
