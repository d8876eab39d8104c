"""Every address of the site, by everybody: what its answers tell the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

HOST = "chat.example"
SAMPLES = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000000", "": "x", "str": "x"}
"""What stands for a part of an address, by its kind."""
REQUIRED = {
    "Content-Security-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
}


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    """As on a public site."""
    settings.ALLOWED_HOSTS = [HOST]
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.DEBUG = False


def client(**options: Any) -> Client:
    return Client(SERVER_NAME=HOST, raise_request_exception=False, **options)


@pytest.fixture
def staff(transactional_db: None) -> Client:
    signed_in = client()
    signed_in.force_login(User.objects.create_superuser("olga"))
    return signed_in


def addresses(patterns: Any = None, before: str = "/") -> Iterator[str]:
    """Give one address for every pattern of the site."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + sample_of(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def sample_of(route: str) -> str:
    """Return a route with a value in each of its gaps."""
    if "(?P" in route or route.startswith("^"):
        route = re.sub(r"\(\?P<\w+>[^)]*\)", "x", route)
        return re.sub(r"[\^$\\?]|\(.*?\)", "", route).replace(".*", "x")
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "", "x"), route)


def check(address: str, answer: HttpResponseBase) -> None:
    """The headers of one answer; a stream is closed and not read."""
    missing = REQUIRED - set(answer.headers)
    assert not missing, f"{address} ({answer.status_code}) does not say {missing}"
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff", address
    assert headers["X-Frame-Options"] == "DENY", address
    assert headers["Referrer-Policy"] == "same-origin", address
    assert "camera=()" in headers["Permissions-Policy"], address
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy, address
    assert "default-src 'self'" in policy or "default-src 'none'" in policy, address
    assert "unsafe-eval" not in policy, address
    for directive in policy.split(";"):
        if directive.split()[0] in ("default-src", "script-src"):
            assert "unsafe-inline" not in directive and "*" not in directive, address
            assert "http:" not in directive and "https:" not in directive, address
    if headers.get("Content-Type", "").startswith("text/html"):
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", address
    for cookie in getattr(answer, "cookies", {}).values():
        if cookie["max-age"] == 0:
            continue  # taken away
        assert cookie["secure"], f"{address} sets {cookie.key} for plain HTTP too"
        assert cookie["samesite"] == "Lax", f"{address} sets {cookie.key} for other sites too"
        # Pages read the CSRF token and send it back in a header: that is its purpose.
        assert cookie["httponly"] or cookie.key == "csrftoken", f"{address}: {cookie.key}"


def close(answer: HttpResponseBase) -> None:
    """End a stream, without the end of the test's database connection that belongs to it."""
    if answer.streaming:
        request_finished.disconnect(close_old_connections)
        try:
            answer.close()
        finally:
            request_finished.connect(close_old_connections)


def test_the_walk_finds_the_site() -> None:
    found = list(addresses())
    assert len(found) > 60 and len(set(found)) > 55
    for one in ("/", "/pool/", "/admin/login/", "/api/v1/conversations/", "/v1/models"):
        assert any(address.startswith(one) for address in found), one
    assert not [address for address in found if re.search(r"[<>^$()?]", address)]


@pytest.mark.django_db(transaction=True)
def test_every_address_for_everybody() -> None:
    """Reading and writing, allowed or not: nothing but headers is looked at."""
    visitor = client()
    for address in sorted(set(addresses())):
        for method in ("get", "post"):
            answer = getattr(visitor, method)(address, secure=True)
            check(f"{method} {address}", answer)
            close(answer)
            assert answer.status_code < 500 or answer.status_code == 503, address


def test_every_address_for_staff(staff: Client) -> None:
    """Pages of the admin among them."""
    num_pages = 0
    for address in sorted(set(addresses())):
        if "logout" in address:
            continue
        answer = staff.get(address, secure=True)
        check(address, answer)
        num_pages += answer.status_code == 200
        close(answer)
        assert answer.status_code < 500 or answer.status_code == 503, address
    assert num_pages > 25


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nothing/here/", "/admin/nothing/", "/api/v1/nothing/"])
def test_what_is_not_there(path: str) -> None:
    answer = client().get(path, secure=True)
    assert answer.status_code in (302, 404)
    check(path, answer)


def test_a_host_name_that_is_not_ours() -> None:
    """Refused before most of the site has a say, so without HSTS: that is another site's."""
    answer = client().get("/", secure=True, headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    answer.headers["Strict-Transport-Security"] = "not ours"
    check("/", answer)


@pytest.mark.django_db
def test_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without a stack trace, and with all headers."""
    from apps.ai_chat import views

    def fail(*args: Any, **options: Any) -> None:
        raise RuntimeError("secret detail 4711")

    monkeypatch.setattr(views, "render", fail)
    answer = client().get("/", secure=True)
    assert answer.status_code == 500 and b"4711" not in answer.content
    check("/", answer)


def test_plain_http_is_sent_to_https() -> None:
    answer = client().get("/")
    assert answer.status_code == 301 and answer.headers["Location"] == f"https://{HOST}/"
