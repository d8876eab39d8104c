"""Visitor tokens: nothing but what we signed, for this site and this origin, and not for ever."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from apps.widget import visitor_tokens
from apps.widget.errors import BadToken
from apps.widget.models import Site
from apps.widget.visitor_tokens import LIFETIME_S, mint_token, new_visitor_id, read_token

SHOP, BLOG = "https://shop.example.org", "https://blog.example.org"
SITE, OTHER_SITE = Site(pk=1), Site(pk=2)
VISITOR = "0123456789abcdef" * 2
TOKEN = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)[0]


def is_accepted(token: Any, *, site: Site = SITE, origin: str = SHOP) -> bool:
    try:
        return read_token(token=token, site=site, origin=origin) == VISITOR
    except BadToken:
        return False


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time()
    monkeypatch.setattr(visitor_tokens.time, "time", lambda: now + seconds)


def test_token_comes_back_as_the_visitor() -> None:
    assert is_accepted(TOKEN)
    assert visitor_tokens.site_key_of(TOKEN) == SITE.key


def test_token_belongs_to_one_site_and_one_origin() -> None:
    assert not is_accepted(TOKEN, site=OTHER_SITE)
    assert not is_accepted(TOKEN, origin=BLOG)
    assert not is_accepted(TOKEN, origin="http://shop.example.org")
    assert not is_accepted(TOKEN, origin="null")
    assert is_accepted(TOKEN, origin="https://shop.example.org:443"), "the same origin"


def test_token_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    token, ends = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)
    assert abs(ends - time.time() - 30 * 24 * 3600) < 5
    later(monkeypatch, LIFETIME_S - 60)
    assert is_accepted(token)
    renewed, _ = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)
    later(monkeypatch, 120)
    assert not is_accepted(token)
    assert is_accepted(renewed), "whoever comes back in time is known for longer"


def test_token_from_the_future_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 3600)
    token, _ = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)
    monkeypatch.undo()
    assert not is_accepted(token)


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_byte_can_be_changed(place: int, character: str) -> None:
    forged = TOKEN[:place] + character + TOKEN[place + 1 :]
    assert is_accepted(forged) == (forged == TOKEN)


@given(st.integers(0, len(TOKEN) - 1))
def test_no_byte_can_be_taken_out_or_put_in(place: int) -> None:
    assert not is_accepted(TOKEN[:place] + TOKEN[place + 1 :])
    assert not is_accepted(TOKEN[:place] + "A" + TOKEN[place:])
    assert not is_accepted(TOKEN[:place])


@given(st.text(max_size=300))
def test_any_text_is_refused(text: str) -> None:
    assert not is_accepted(text)


@pytest.mark.parametrize("token", [None, 1, b"x", "", ".", "..", "x" * 5000, TOKEN + "é"])
def test_what_is_no_text_of_ours_is_refused(token: Any) -> None:
    assert not is_accepted(token)


def test_payload_can_not_be_signed_without_the_key() -> None:
    kid, payload, signature = TOKEN.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    said["v"] = "f" * 32
    forged = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    assert not is_accepted(f"{kid}.{forged}.{signature}")


@pytest.mark.parametrize("change", [{"exp": None}, {"v": 5}, {"site": []}, {"iat": True}, {}])
def test_signed_nonsense_is_refused(change: dict[str, Any]) -> None:
    """As an older or newer version of us may have signed it."""
    body = (
        {} if not change else {"v": VISITOR, "site": SITE.key, "origin": SHOP, "iat": 1, "exp": 2}
    )
    text = base64.urlsafe_b64encode(json.dumps(body | change).encode()).decode().rstrip("=")
    from django.conf import settings

    key = settings.SECRET_KEY
    kid = visitor_tokens._key_id(key)
    assert not is_accepted(visitor_tokens._signer(key).sign(f"{kid}.{text}"))


def test_an_earlier_key_counts_while_it_is_a_fallback() -> None:
    with override_settings(SECRET_KEY="o" * 60, SECRET_KEY_FALLBACKS=[]):
        token, _ = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)
    with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=["o" * 60]):
        assert is_accepted(token)
        renewed, _ = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)
        assert renewed.split(".")[0] != token.split(".")[0], "renewed with the new key"
    with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[]):
        assert not is_accepted(token)
        assert is_accepted(renewed)


def test_token_tells_no_key() -> None:
    with override_settings(SECRET_KEY="o" * 60):
        token, _ = mint_token(site=SITE, origin=SHOP, visitor_id=VISITOR)
    assert "ooo" not in token


def test_ids_are_random() -> None:
    ids = {new_visitor_id() for _ in range(50)}
    assert len(ids) == 50 and all(len(one) == 32 for one in ids)


def test_no_token_for_a_page_without_an_origin() -> None:
    with pytest.raises(BadToken):
        mint_token(site=SITE, origin="null", visitor_id=VISITOR)
