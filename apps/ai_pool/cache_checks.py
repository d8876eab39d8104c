"""System checks of where limits are counted, and of limits that no question can keep to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.ai_pool.limits.answer_tokens import answer_tokens
from apps.ai_pool.limits.store import Store, StoreAway

TOKEN_LIMITS = (
    *("CORRAL_TOKENS_PER_HOUR", "CORRAL_TOKENS_PER_DAY"),
    *("CORRAL_ANONYMOUS_TOKENS_PER_HOUR", "CORRAL_ANONYMOUS_TOKENS_PER_DAY"),
    *("CORRAL_SITE_TOKENS_PER_HOUR", "CORRAL_SITE_TOKENS_PER_DAY"),
)


@register("corral")
def check_cache(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W062: the shared cache does not answer."""
    try:
        # One of its own: what failed a moment ago is asked again.
        Store().run(lambda cache: cache.get("corral-check"))
    except StoreAway:
        return [
            Warning(
                "CORRAL_CACHE_URL names a Redis that does not answer: whoever is not signed in "
                "cannot ask, and other limits do not hold.",
                hint="Start it, or correct the address; empty counts in each process.",
                id="corral.W062",
            )
        ]
    return []


@register("corral")
def check_token_limits(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E037: a limit of tokens that not even one answer fits in."""
    longest = answer_tokens()
    return [
        Error(
            f"{name} is {getattr(settings, name)}, and one answer may have {longest} tokens: "
            "every question is refused.",
            hint=f"Set it to {longest} or more, or to 0 for no limit, or lower CORRAL_MAX_TOKENS.",
            id="corral.E037",
        )
        for name in TOKEN_LIMITS
        if 0 < getattr(settings, name) < longest
    ]
