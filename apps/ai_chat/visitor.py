"""Who is asking: the owner of conversations, recognised by a signed cookie, a token or a login."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from ai_model.pool.priority import Priority
from apps.ai_chat.asker import Asker, address_key
from apps.widget.models import Site

COOKIE_NAME = "corral_visitor"
COOKIE_AGE_S = 365 * 24 * 3600
_NUM_ID_CHARS = 32
LOAD_TEST_MARK = "load-test-"
"""Ids of simulated visitors begin with this; those of people are hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The owner of conversations."""

    key: str
    """What rows of the database carry. It cannot be turned back into a cookie."""
    user_id: int | None = None
    is_staff: bool = False
    session_key: str = ""
    """Session of a signed-in user; used to notice a logout while a socket stays open."""
    site_id: int | None = None
    """The website they are on; None is our own page."""
    is_verified: bool = False
    """A website vouches for who they are."""
    is_program: bool = False
    """A program with a key asks, for itself or for one of its own users."""
    rights_end: float | None = None
    """When the word that says who they are ends (epoch seconds); None: it does not."""
    host: str = ""
    """Address the visitor comes from, where it is known; never stored."""

    @property
    def pool_key(self) -> str:
        """What the pool is told: enough to tell visitors apart, worthless elsewhere."""
        digest = hmac.new(settings.SECRET_KEY.encode(), self.key.encode(), hashlib.sha256)
        return digest.hexdigest()[:32]

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody vouches for who they are: another one is a dropped cookie away."""
        return self.user_id is None and not (
            self.is_verified or self.is_program or self.is_load_test
        )

    @property
    def is_load_test(self) -> bool:
        """Whether this is a visitor of ``manage.py loadtest``."""
        return self.key.startswith("l:")

    @property
    def asker(self) -> Asker:
        """Who the pool takes this visitor for."""
        priority = Priority.STAFF if self.is_staff else Priority.VISITOR
        if self.is_program:
            # All of a program's users come from its one address, which its key has limits for.
            return Asker(self.pool_key, priority=Priority.API)
        # Simulated visitors all come from one address, and are many on purpose.
        host = "" if self.is_load_test else self.host
        return Asker(self.pool_key, address_key(host), priority)

    @property
    def pseudonym(self) -> str:
        """A short name for people to read."""
        return f"v-{self.pool_key[:6]}"


def new_visitor_id() -> str:
    """A fresh random id of 128 bits; whoever knows it is that visitor."""
    return secrets.token_hex(_NUM_ID_CHARS // 2)


def new_load_test_id() -> str:
    """A fresh id of a simulated visitor: no id of a person can look like it."""
    return LOAD_TEST_MARK + secrets.token_hex(_NUM_ID_CHARS)[: _NUM_ID_CHARS - len(LOAD_TEST_MARK)]


def visitor_of_id(visitor_id: str) -> Visitor:
    """The anonymous visitor with this id.

    A plain hash is enough against reading ids from the database (they are random), and a change
    of SECRET_KEY then takes nobody's conversations away.
    """
    kind = "l" if visitor_id.startswith(LOAD_TEST_MARK) else "v"
    return Visitor(key=f"{kind}:{_short_hash(visitor_id)}")


def visitor_of_user(user: Any, session_key: str = "") -> Visitor:
    """The visitor who is signed in as ``user``."""
    return Visitor(
        key=f"u:{user.pk}", user_id=user.pk, is_staff=bool(user.is_staff), session_key=session_key
    )


def visitor_of_widget(site: Site, visitor_id: str) -> Visitor:
    """The visitor of a website whose token holds this id; another one on every website."""
    return Visitor(key=f"w:{site.pk}:{_short_hash(visitor_id)}", site_id=site.pk)


def visitor_of_widget_user(site: Site, sub: str, rights_end: float | None = None) -> Visitor:
    """The signed-in user of a website, by the name the website gives them."""
    key = f"j:{site.pk}:{_short_hash(sub)}"
    return Visitor(key=key, site_id=site.pk, is_verified=True, rights_end=rights_end)


def visitor_of_key(key_id: int, user: str = "", site_id: int | None = None) -> Visitor:
    """The user of a program by the name the program gives them, or the program itself; another one
    for every key."""
    key = f"k:{key_id}:{_short_hash(user)}" if user else f"k:{key_id}"
    return Visitor(key=key, site_id=site_id, is_program=True)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def sign(visitor_id: str) -> str:
    """The cookie or token for ``visitor_id``."""
    return signing.Signer(salt=COOKIE_NAME).sign(visitor_id)


def unsign(value: str) -> str | None:
    """The id in a cookie or token, or None if we did not write it."""
    try:
        visitor_id = signing.Signer(salt=COOKIE_NAME).unsign(value)
    except signing.BadSignature:
        return None
    return visitor_id if len(visitor_id) == _NUM_ID_CHARS else None


def visitor_of_request(request: HttpRequest) -> Visitor | None:
    """Who sent ``request``, or None for somebody without cookie and login."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return visitor_of_user(user, request.session.session_key or "")
    visitor_id = unsign(request.COOKIES.get(COOKIE_NAME, ""))
    return visitor_of_id(visitor_id) if visitor_id else None


def visitor_of_scope(scope: dict[str, Any]) -> Visitor | None:
    """Who opened a socket, by login or cookie; only for sockets our own pages opened."""
    user = scope.get("user")
    if user is not None and user.is_authenticated:
        session = scope.get("session")
        return visitor_of_user(user, getattr(session, "session_key", "") or "")
    cookie = scope.get("cookies", {}).get(COOKIE_NAME, "")
    visitor_id = unsign(cookie)
    return visitor_of_id(visitor_id) if visitor_id else None


def remember_visitor(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser its cookie; one it has is renewed."""
    visitor_id = unsign(request.COOKIES.get(COOKIE_NAME, "")) or new_visitor_id()
    response.set_cookie(
        COOKIE_NAME,
        sign(visitor_id),
        max_age=COOKIE_AGE_S,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE or request.is_secure(),
    )


def cookie_header(visitor_id: str) -> str:
    """The ``Cookie`` header of a client that is this visitor; for tests and scripts."""
    cookie: SimpleCookie = SimpleCookie()
    cookie[COOKIE_NAME] = sign(visitor_id)
    return f"{COOKIE_NAME}={cookie[COOKIE_NAME].coded_value}"
