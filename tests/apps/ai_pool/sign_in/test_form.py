"""The admin's own page of signing in."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.ai_pool.sign_in.outcomes import SIGN_INS

NAME, PASSWORD = "olga", "a long pass phrase"
REFUSED = re.compile(r"Too many attempts to sign in\. Try again in (\d+) minutes?\.")


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> Iterator[None]:
    settings.CORRAL_SIGN_INS_PER_ADDRESS, settings.CORRAL_SIGN_INS_PER_ACCOUNT = 4, 3
    # What is tried here is not how long a password takes.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    caches["default"].clear()
    yield
    caches["default"].clear()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser(NAME, password=PASSWORD)


def sign_in(password: str, *, name: str = NAME, address: str = "8.8.8.8") -> str:
    """Try; return the page, or "" when in."""
    answer = Client(REMOTE_ADDR=address).post(
        reverse("admin:login"), {"username": name, "password": password, "next": "/admin/"}
    )
    return "" if answer.status_code == 302 else answer.content.decode()


def test_guessing_is_refused_even_with_the_right_password(owner: User) -> None:
    """With the time until the next attempt; the same for an account that is not there."""
    for name in (NAME, "nobody"):
        for number in range(3):
            assert not REFUSED.search(sign_in("wrong", name=name, address=f"8.8.{number}.8"))
        page = sign_in(PASSWORD, name=name, address="8.8.9.8")
        found = REFUSED.search(page)
        assert found and 1 <= int(found[1]) <= 15
        assert PASSWORD not in page


def test_a_network_is_refused_at_all_accounts(owner: User) -> None:
    for name in ("a", "b", "c", "d"):
        sign_in("wrong", name=name)
    assert REFUSED.search(sign_in(PASSWORD))
    assert sign_in(PASSWORD, address="9.9.9.9") == ""


def test_an_empty_form_is_no_attempt(owner: User) -> None:
    for _ in range(10):
        sign_in("")
    assert sign_in(PASSWORD) == ""


def test_it_is_counted_and_said_without_the_name(
    owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    """The log has where from; a name may be a password that was typed into the wrong field."""
    before = dict(SIGN_INS.values())
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            sign_in("wrong")
        sign_in("wrong", name="secret-4711")
        assert sign_in(PASSWORD, address="9.9.9.9") != ""
        sign_in(PASSWORD, address="127.0.0.1")
    counted = {name: number - before[name] for name, number in SIGN_INS.values().items()}
    assert counted == {"done": 0, "failed": 4, "address_limit": 0, "account_limit": 3}
    assert "8.8.8.0/24" in caplog.text and "too many attempts at this account" in caplog.text
    assert NAME not in caplog.text and "4711" not in caplog.text


def test_a_visitor_without_staff_rights_is_counted(db: None) -> None:
    """The right password of somebody who may not in is as wrong as any."""
    User.objects.create_user("eve", password=PASSWORD)
    for _ in range(3):
        assert not REFUSED.search(sign_in(PASSWORD, name="eve"))
    assert REFUSED.search(sign_in(PASSWORD, name="eve"))
