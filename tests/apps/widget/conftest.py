"""A site and its staff."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from apps.widget import refusals, services
from apps.widget.models import Site

SHOP = "https://shop.example.org"
SignIn = Callable[..., Client]


@pytest.fixture
def site(db: None) -> Site:
    """A site that allows one origin."""
    site = Site.objects.create(name="Shop", assistant_name="Ada")
    services.allow_origin(site, SHOP)
    return site


@pytest.fixture(autouse=True)
def new_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """What earlier tests had refused does not count here."""
    monkeypatch.setattr(refusals, "_book", refusals.RefusalBook())


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """Signs in a member of staff with the named permissions for sites; none: all of them."""

    def make(*permissions: str) -> Client:
        user = User.objects.create_user("staff", is_staff=True, is_superuser=not permissions)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make
