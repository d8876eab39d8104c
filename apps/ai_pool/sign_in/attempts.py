"""How often somebody may try to sign in: per block of addresses, and per account.

An attempt is counted before its password is looked at, so that no number of attempts at the same
time is more than the limit; one that succeeds is given back. Whoever signs in is remembered by
account and block: others may use up the attempts at that account, and its owner still comes in from
where they usually do.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeVar

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from apps.ai_pool.limits.allowance import Allowance, OverLimit, give_back_to
from apps.ai_pool.limits.claim import Claim, Granted, take_all
from apps.ai_pool.limits.store import STORE, StoreAway

WINDOW_S = 900
KNOWN_S = 90 * 24 * 3600
ADDRESS, ACCOUNT, KNOWN = "sign-in-address", "sign-in-account", "sign-in-known"

T = TypeVar("T")


class TooManyAttempts(Exception):
    """``limit`` is ADDRESS, ACCOUNT or KNOWN; ``retry_after_s`` says for how long."""

    def __init__(self, over: OverLimit) -> None:
        super().__init__("too many attempts to sign in")
        self.limit = over.name
        self.retry_after_s = over.retry_after_s


@dataclass(frozen=True, slots=True)
class Attempt:
    """One that was let through to the look at its password."""

    account: str
    block: str
    granted: tuple[Granted, ...] = ()

    def succeeded(self) -> None:
        """Give it back, and know the place from now on."""
        _ask(partial(_give_back, attempt=self))


def begin_attempt(name: str, block: str) -> Attempt:
    """Count an attempt at the account ``name`` from a block of addresses, "" if that is not known.

    Raises TooManyAttempts; then it is not to be made. Thread-safe.
    """
    account = _account_key(name)
    try:
        return _ask(partial(_take, account=account, block=block))
    except OverLimit as over:
        raise TooManyAttempts(over) from None


def _take(counts: BaseCache, account: str, block: str) -> Attempt:
    claims = []
    if block:
        from_address = Allowance(ADDRESS, settings.CORRAL_SIGN_INS_PER_ADDRESS, WINDOW_S)
        claims.append(Claim(from_address, block))
    per_account: int = settings.CORRAL_SIGN_INS_PER_ACCOUNT
    place = _place(account, block)
    if block and counts.get(place) is not None:
        claims.append(Claim(Allowance(KNOWN, per_account, WINDOW_S), f"{account}:{block}"))
    else:
        claims.append(Claim(Allowance(ACCOUNT, per_account, WINDOW_S), account))
    return Attempt(account, block, take_all(counts, claims))


def _give_back(counts: BaseCache, attempt: Attempt) -> None:
    for one in attempt.granted:
        if one.taken.cache_key:
            give_back_to(counts, one.taken.cache_key, one.amount)
    if attempt.block:
        counts.set(_place(attempt.account, attempt.block), 1, timeout=KNOWN_S)


def _ask(ask: Callable[[BaseCache], T]) -> T:
    """Ask the shared counts; while they are away, this process's own: nobody gets in by that."""
    try:
        return STORE.run(ask)
    except StoreAway:
        return ask(_own_counts())


@cache
def _own_counts() -> BaseCache:
    return LocMemCache("sign-in", {})


def _place(account: str, block: str) -> str:
    return f"{KNOWN}-place:{account}:{block}"


def _account_key(name: str) -> str:
    """Return what an account is counted by: names are not kept, and may be passwords by mistake."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:32]
