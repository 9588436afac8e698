from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User

from faena.permissions import Role, make_groups, may_administer, may_operate, role_of


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
        user.groups.add(Group.objects.get_or_create(name=name)[0])
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


@pytest.mark.django_db
def test_the_groups_are_made_where_they_are_missing():
    Group.objects.all().delete()
    Group.objects.create(name="operator").user_set.add(User.objects.create_user("pat"))
    make_groups()
    make_groups()
    assert sorted(Group.objects.values_list("name", "user__username")) == [
        ("admin", None), ("operator", "pat"), ("viewer", None),
    ]  # fmt: skip
