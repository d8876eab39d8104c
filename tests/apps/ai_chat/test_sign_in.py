"""Who signs in keeps what they wrote before."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from apps.ai_chat import services
from apps.ai_chat import sign_in as sign_in_module
from apps.ai_chat.visitor import COOKIE_NAME, sign, visitor_of_user
from tests.apps.ai_chat.services.asking import ANNA, BERT, exchange

pytestmark = pytest.mark.django_db


def sign_in(cookie: str) -> object:
    user = get_user_model().objects.create_user("anna", password="a-long-password")
    client = Client()
    client.cookies[COOKIE_NAME] = cookie
    page = client.post("/admin/login/", {"username": "anna", "password": "a-long-password"})
    assert page.status_code == 200
    user.is_staff = True
    user.save()
    client.post("/admin/login/", {"username": "anna", "password": "a-long-password"})
    return user


def test_chats_of_the_cookie_become_the_users() -> None:
    exchange("Mine?", "Yes.")
    exchange("Theirs?", "Yes.", visitor=BERT)
    user = sign_in(sign("a" * 32))
    titles = [c.title for c in services.list_conversations(visitor=visitor_of_user(user))]
    assert titles == ["Mine?"]
    assert not services.list_conversations(visitor=ANNA).exists()
    row = services.list_conversations(visitor=visitor_of_user(user)).get()
    assert row.user_id == visitor_of_user(user).user_id


def test_a_forged_cookie_brings_nothing() -> None:
    exchange("Mine?", "Yes.")
    user = sign_in("a" * 32 + ":forged")
    assert not services.list_conversations(visitor=visitor_of_user(user)).exists()


def test_login_without_a_browser() -> None:
    user = get_user_model().objects.create_user("bert")
    Client().force_login(user)
    assert not services.list_conversations(visitor=visitor_of_user(user)).exists()


def test_the_session_is_gone_before_its_lines_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that comes back at once must not find it."""
    client = Client()
    client.force_login(get_user_model().objects.create_user("anna"))
    key = client.session.session_key
    seen: list[bool] = []
    monkeypatch.setattr(
        sign_in_module,
        "dismiss_everywhere",
        lambda *_, **__: seen.append(SessionStore().exists(key)),
    )
    client.logout()
    assert seen == [False]
