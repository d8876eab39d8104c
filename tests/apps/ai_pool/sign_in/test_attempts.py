"""How often somebody may try: by block, by account, at the same time, and without the store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.core.cache import caches
from pytest_django import Settings

from apps.ai_pool.limits import store
from apps.ai_pool.sign_in import attempts
from apps.ai_pool.sign_in.attempts import ACCOUNT, ADDRESS, KNOWN, TooManyAttempts, begin_attempt

BLOCK, OTHER = "8.8.8.0/24", "2001:db8::/56"


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> Iterator[None]:
    settings.CORRAL_SIGN_INS_PER_ADDRESS, settings.CORRAL_SIGN_INS_PER_ACCOUNT = 5, 3
    caches["default"].clear()
    attempts._own_counts.cache_clear()
    yield
    caches["default"].clear()
    attempts._own_counts().clear()


def use_up(name: str, block: str) -> str:
    """Fail until refused; return by which limit."""
    for _ in range(100):
        try:
            begin_attempt(name, block)
        except TooManyAttempts as refusal:
            assert 0 < refusal.retry_after_s <= attempts.WINDOW_S
            return refusal.limit
    raise AssertionError("never refused")


def test_one_account_from_everywhere() -> None:
    """However the name is written; other accounts are not touched."""
    begin_attempt("Olga", "8.8.1.0/24")
    begin_attempt("olga", "8.8.2.0/24")
    begin_attempt("OLGA", "8.8.3.0/24")
    with pytest.raises(TooManyAttempts) as refused:
        begin_attempt("olga", "8.8.4.0/24")
    assert refused.value.limit == ACCOUNT
    begin_attempt("paul", "8.8.4.0/24")


def test_one_block_at_all_accounts() -> None:
    """Also at accounts there are not; an address that tells nothing is nobody's."""
    for name in "abcde":
        begin_attempt(name, BLOCK)
    with pytest.raises(TooManyAttempts) as refused:
        begin_attempt("f", BLOCK)
    assert refused.value.limit == ADDRESS
    for name in "fghijkl":
        begin_attempt(name, "")


def test_success_is_given_back() -> None:
    """Whoever knows the password signs in as often as they like."""
    for _ in range(20):
        begin_attempt("olga", BLOCK).succeeded()
    assert use_up("paul", BLOCK) == ACCOUNT


def test_the_owner_comes_in_where_others_have_used_the_attempts_up() -> None:
    """From where they have signed in before; guessing from there has its own limit."""
    begin_attempt("olga", BLOCK).succeeded()
    assert use_up("olga", OTHER) == ACCOUNT
    begin_attempt("olga", BLOCK).succeeded()
    assert use_up("olga", BLOCK) == KNOWN


def test_no_more_at_the_same_time(settings: Settings) -> None:
    """Sixty-four at once: as many as the limit, not one more."""
    settings.CORRAL_SIGN_INS_PER_ADDRESS = 1000

    def attempt(_: int) -> bool:
        with suppress(TooManyAttempts):
            begin_attempt("olga", BLOCK)
            return True
        return False

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(attempt, range(64))) == 3


def test_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process counts for itself: nobody gets in by it, and nobody is locked out."""

    def fail(self: object, ask: object) -> None:
        raise store.StoreAway(5.0)

    monkeypatch.setattr(store.Store, "run", fail)
    begin_attempt("paul", BLOCK).succeeded()
    assert use_up("olga", "") == ACCOUNT


def test_no_limit(settings: Settings) -> None:
    settings.CORRAL_SIGN_INS_PER_ADDRESS = settings.CORRAL_SIGN_INS_PER_ACCOUNT = 0
    for _ in range(50):
        begin_attempt("olga", BLOCK)
