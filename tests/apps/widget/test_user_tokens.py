"""User JWTs: only HS256 with the site's secret, for this site, for an hour at most."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.widget.errors import BadToken
from apps.widget.models import Site
from apps.widget.user_tokens import audience_of, read_user_jwt

SITE = Site(pk=1)


def make(*, secret: str = "", algorithm: str = "HS256", **changes: Any) -> str:
    claims = {"sub": "user-7", "aud": SITE.key, "exp": time.time() + 600} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    key = secret or SITE.identity_secret
    return jwt.encode(claims, "" if algorithm == "none" else key, algorithm=algorithm)


def complaint(token: Any) -> str:
    with pytest.raises(BadToken) as caught:
        read_user_jwt(site=SITE, user_jwt=token)
    return caught.value.text


def test_the_site_vouches() -> None:
    assert read_user_jwt(site=SITE, user_jwt=make()) == "user-7"
    assert read_user_jwt(site=SITE, user_jwt=make(sub="ü" * 128)) == "ü" * 128
    assert audience_of(make()) == SITE.key


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": None}, "lacks the claim exp"),
        ({"sub": None}, "lacks the claim sub"),
        ({"aud": None}, "aud|lacks"),
        ({"aud": "site_other"}, "aud must be the key"),
        ({"exp": time.time() - 120}, "expired"),
        ({"exp": time.time() + 2 * 3600}, "at most 3600 s"),
        # Long after the collection of the tests, too.
        ({"nbf": time.time() + 86_400}, "not valid yet"),
        ({"sub": ""}, "1 to 128"),
        ({"sub": "  "}, "1 to 128"),
        ({"sub": "x" * 129}, "1 to 128"),
        ({"sub": "a\nb"}, "1 to 128"),
        ({"sub": 7}, "sub must be a text|can not be read"),
        ({"secret": "another secret of enough characters"}, "not signed with this site's"),
        ({"algorithm": "HS384", "secret": "s" * 64}, "HS256"),
        ({"algorithm": "none"}, "HS256|can not be read"),
    ],
)
def test_complaints_tell_the_developer_what_to_mend(changes: Any, words: str) -> None:
    text = complaint(make(**changes))
    assert re.search(words, text), text
    assert SITE.identity_secret not in text


@pytest.mark.parametrize("token", ["", "x", "a.b.c", None, 5, "x" * 5000, "eyJ.eyJ.eyJ", b"abc"])
def test_nonsense_is_refused(token: Any) -> None:
    assert complaint(token)


def test_unsigned_claims_are_refused() -> None:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": "admin", "aud": SITE.key, "exp": time.time() + 600}
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"typ": "JWT"}, []):
        complaint(f"{part(header)}.{part(claims)}.")
        complaint(f"{part(header)}.{part(claims)}.AAAA")


GOOD = make()


@given(st.integers(0, len(GOOD) - 2), st.sampled_from("abcXYZ019-_"))
def test_no_byte_can_be_changed(place: int, character: str) -> None:
    """All but the very last one, whose base64 has bits to spare."""
    forged = GOOD[:place] + character + GOOD[place + 1 :]
    if forged != GOOD:
        complaint(forged)


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    complaint(text)
    with pytest.raises(BadToken):
        audience_of(text)
