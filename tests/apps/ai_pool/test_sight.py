"""Who sees everything: looked up in the database as it is now, and nothing is changed by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings

from apps.ai_pool.sight import sees_everything, session_sees_everything

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[..., Awaitable[tuple[Any, str]]]


@pytest.fixture
def sign_in() -> SignIn:
    @database_sync_to_async
    def sign_in(*, is_staff: bool = True, may_view: bool = True) -> tuple[Any, str]:
        user = get_user_model().objects.create_user("ada", password="x", is_staff=is_staff)
        if may_view:
            user.user_permissions.add(Permission.objects.get(codename="view_poolstatus"))
        client = Client()
        client.force_login(user)
        return get_user_model().objects.get(pk=user.pk), client.cookies["sessionid"].value

    return sign_in


@pytest.mark.parametrize(
    ("rights", "is_allowed"),
    [({}, True), ({"may_view": False}, False), ({"is_staff": False}, False)],
)
async def test_staff_with_the_permission(
    sign_in: SignIn, rights: dict[str, bool], is_allowed: bool
) -> None:
    user, session_key = await sign_in(**rights)
    assert await sees_everything(user) is is_allowed
    assert await session_sees_everything(session_key) is is_allowed


@pytest.mark.parametrize("session_key", ["", "nonsense", "x" * 32])
async def test_nobody_is_signed_in(session_key: str) -> None:
    assert not await session_sees_everything(session_key)
    assert await Session.objects.acount() == 0


async def test_what_changed_since_counts(sign_in: SignIn) -> None:
    user, session_key = await sign_in()
    await get_user_model().objects.filter(pk=user.pk).aupdate(is_active=False)
    assert not await session_sees_everything(session_key)
    await get_user_model().objects.filter(pk=user.pk).aupdate(is_active=True)
    assert await session_sees_everything(session_key)
    await user.user_permissions.aclear()
    assert not await session_sees_everything(session_key)


async def test_a_new_password_ends_a_session(sign_in: SignIn) -> None:
    user, session_key = await sign_in()
    user.set_password("y")
    await user.asave()
    assert not await session_sees_everything(session_key)


async def test_a_session_of_an_earlier_key_counts_and_stays_as_it_is(
    sign_in: SignIn, settings: Settings
) -> None:
    _, session_key = await sign_in()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key of fifty characters and then some more of them"
    assert await session_sees_everything(session_key)
    assert await Session.objects.filter(session_key=session_key).aexists()
