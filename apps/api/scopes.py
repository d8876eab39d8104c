"""Who may call a view: programs by the scopes of their keys, staff by their permissions."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apps.ai_chat.visitor import Visitor
from apps.api.models import ApiKey


class ScopePermission(BasePermission):
    """Lets keys with a scope in, and staff who are signed in and have all the permissions.

    Whoever shows neither key nor login is asked for one (401); a key or a login that is not enough
    is refused (403).
    """

    scope: ClassVar[str]
    permissions: ClassVar[tuple[str, ...]] = ()
    lets_visitors: ClassVar[bool] = False

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether whoever calls may; raises PermissionDenied with a sentence for a key."""
        key = request.auth
        if isinstance(key, ApiKey):
            if key.has_scope(self.scope):
                return True
            raise exceptions.PermissionDenied(f"This API key is not good for {self.scope}.")
        if self.lets_visitors:
            return True
        if is_staff_with(request.user, *self.permissions):
            return True
        # Every browser is a visitor: that alone is no proof that could be "not enough".
        if isinstance(key, Visitor) and key.user_id is None:
            raise exceptions.NotAuthenticated
        return False


def HasScope(  # noqa: N802 - reads as the class it makes
    scope: str, *permissions: str, lets_visitors: bool = False
) -> type[ScopePermission]:
    """The permission class for keys with ``scope`` and staff with these Django permissions.

    Without permissions no login helps. ``lets_visitors`` lets everybody without a key through to a
    view that knows itself what is whose.
    """
    fields = {
        "scope": str(scope),
        "permissions": tuple(permissions),
        "lets_visitors": lets_visitors,
    }
    return type("ScopePermission", (ScopePermission,), fields)


def is_staff_with(user: Any, *permissions: str) -> bool:
    """Whether ``user`` is signed in, staff, and has all of at least one permission."""
    if user is None or not permissions:
        return False
    return bool(user.is_active and user.is_staff and user.has_perms(permissions))
