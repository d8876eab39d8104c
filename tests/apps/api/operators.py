"""Callers for tests of what belongs to the operator: staff with some permissions, and keys."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from apps.api.api_keys import create_key


def staff_client(*permissions: str, name: str = "staff", **options: Any) -> Client:
    """Somebody of the staff with these permissions, such as ``widget.change_site``."""
    user = User.objects.create_user(name, is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client = Client(**options)
    client.force_login(user)
    return client


def key_client(*scopes: str, name: str = "program", **fields: Any) -> Client:
    """A program whose key is good for these scopes."""
    _, secret = create_key(name=name, scopes=scopes, **fields)
    return Client(headers={"authorization": f"Bearer {secret}"}, enforce_csrf_checks=True)
