"""A website that carries the chat, and tabs on its pages."""

from __future__ import annotations

import time
from typing import Any

import jwt
from channels.db import database_sync_to_async

from apps.widget import services as sites
from apps.widget.models import Site

ORIGIN = "https://shop.example.org"


@database_sync_to_async
def make_site(**fields: Any) -> Site:
    """A website whose pages at ``ORIGIN`` may use the chat."""
    site = Site.objects.create(name="Shop", assistant_name="Ada", **fields)
    sites.allow_origin(site, ORIGIN)
    return site


@database_sync_to_async
def change(site: Site, **fields: Any) -> None:
    """What its owner does in the admin."""
    Site.objects.filter(pk=site.pk).update(**fields)


def user_jwt(site: Site, sub: str = "anna@example.org", *, lasts_s: int = 60, **claims: Any) -> str:
    """What the website's server signs for its signed-in user."""
    payload = {"sub": sub, "aud": site.key, "exp": int(time.time()) + lasts_s, **claims}
    return jwt.encode(payload, site.identity_secret, algorithm="HS256")
