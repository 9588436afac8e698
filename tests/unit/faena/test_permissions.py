from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User

from faena.permissions import Role, may_administer, may_operate, role_of


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "groups", "role"),
    [
        ({}, [], Role.VIEWER),
        ({}, ["others"], Role.VIEWER),
        ({}, ["operator"], Role.OPERATOR),
        ({"is_staff": True}, [], Role.OPERATOR),
        ({"is_staff": True}, ["admin"], Role.ADMIN),
        ({"is_superuser": True}, [], Role.ADMIN),
        ({"is_superuser": True, "is_active": False}, ["admin"], None),
    ],
)
def test_the_role_of_a_person(values, groups, role):
    user = User.objects.create_user("pat", **values)
    for name in groups:
        user.groups.add(Group.objects.create(name=name))
    assert role_of(user) is role
    assert may_operate(user) is (role in {Role.OPERATOR, Role.ADMIN})
    assert may_administer(user) is (role is Role.ADMIN)


def test_nobody_has_none():
    assert role_of(AnonymousUser()) is None
    assert not may_operate(AnonymousUser())


def test_each_role_covers_those_before_it():
    assert [[one.covers(other) for other in Role] for one in Role] == [
        [True, False, False], [True, True, False], [True, True, True],
    ]  # fmt: skip
