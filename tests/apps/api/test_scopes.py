"""Who may call a view."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import exceptions

from apps.ai_chat.visitor import Visitor
from apps.api.models import ApiKey
from apps.api.scopes import HasScope


class User:
    """Somebody who is signed in."""

    def __init__(self, *permissions: str, is_staff: bool = True, is_active: bool = True) -> None:
        self._permissions = set(permissions)
        self.is_staff = is_staff
        self.is_active = is_active

    def has_perms(self, wanted: tuple[str, ...]) -> bool:
        return set(wanted) <= self._permissions


def allows(kind: Any, auth: Any = None, user: Any = None) -> bool:
    return bool(kind().has_permission(SimpleNamespace(auth=auth, user=user), None))


READ = HasScope(ApiKey.Scope.POOL_READ, "a.see", "a.do")


def test_keys() -> None:
    assert allows(READ, ApiKey(scopes=["pool.read"]))
    assert allows(READ, ApiKey(scopes=["pool.admin"])), "who steers sees"
    with pytest.raises(exceptions.PermissionDenied, match=r"pool\.read"):
        allows(READ, ApiKey(scopes=["chat"]), User("a.see", "a.do"))
    with pytest.raises(exceptions.PermissionDenied):
        allows(HasScope(ApiKey.Scope.CHAT), ApiKey(scopes=["pool.admin"]))


@pytest.mark.parametrize(
    ("user", "is_allowed"),
    [
        (User("a.see", "a.do"), True),
        (User("a.see"), False),
        (User("a.see", "a.do", is_staff=False), False),
        (User("a.see", "a.do", is_active=False), False),
        (None, False),
    ],
)
def test_staff_need_all_the_permissions(user: Any, is_allowed: bool) -> None:
    assert allows(READ, Visitor(key="v", user_id=1), user) is is_allowed


def test_without_permissions_no_login_helps() -> None:
    assert not allows(HasScope("pool.read"), Visitor(key="v", user_id=1), User("a.see"))


def test_a_visitor_is_asked_for_more_and_let_through_where_views_know_them() -> None:
    visitor = Visitor(key="v")
    with pytest.raises(exceptions.NotAuthenticated):
        allows(READ, visitor)
    chat = HasScope(ApiKey.Scope.CHAT, lets_visitors=True)
    assert allows(chat, visitor) and allows(chat)
    with pytest.raises(exceptions.PermissionDenied):
        allows(chat, ApiKey(scopes=["pool.read"]))
