"""Who may read and change what belongs to the operator: staff by their permissions, programs by the
scopes of their keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Model
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.api.models import ApiKey
from apps.api.scopes import HasScope

_VERBS = {"POST": ("add",), "PUT": ("change",), "PATCH": ("change",), "DELETE": ("delete",)}
_READING = ("view", "change")
"""As in the admin: who may change something may see it."""


class ModelPermission(BasePermission):
    """Django's permissions for ``model``; keys need pool.read to read and pool.admin to change."""

    model: ClassVar[type[Model]]

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether this method is allowed to whoever calls."""
        is_reading = request.method in SAFE_METHODS
        scope = ApiKey.Scope.POOL_READ if is_reading else ApiKey.Scope.POOL_ADMIN
        verbs = _READING if is_reading else _VERBS.get(request.method or "", ())
        app, name = self.model._meta.app_label, self.model._meta.model_name
        asked = [HasScope(scope, f"{app}.{verb}_{name}")() for verb in verbs]
        return any(one.has_permission(request, view) for one in asked)


def may_manage(model: type[Model]) -> type[ModelPermission]:
    """The permission class for ``model``."""
    return type(f"{model.__name__}Permission", (ModelPermission,), {"model": model})
