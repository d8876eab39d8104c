"""System checks of limits that stand in each other's way: allowed, but together they surprise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from ai_model.hardware import num_usable_cpus
from ai_model.pool.admission import BYTES_PER_TOKEN
from apps.ai_pool import conf

READING_TOK_S = 2.5
"""Answers that come slower than this are slower than they are read."""


@register("corral")
def check_timeouts(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W031: a limit that comes after the one that ends everything."""
    total_ms = settings.CORRAL_TOTAL_TIMEOUT_MS
    return [
        Warning(
            f"{name} is {getattr(settings, name)} ms and CORRAL_TOTAL_TIMEOUT_MS {total_ms}, so an "
            "answer is ended before that limit can come.",
            hint=f"Lower {name} or raise CORRAL_TOTAL_TIMEOUT_MS.",
            id="corral.W031",
        )
        for name in ("CORRAL_FIRST_TOKEN_TIMEOUT_MS", "CORRAL_STALL_TIMEOUT_MS")
        if getattr(settings, name) >= total_ms
    ]


@register("corral")
def check_shares(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W032: a share of a visitor that is larger than what it is a share of."""
    return [
        Warning(
            f"{smaller} is {getattr(settings, smaller)} and {larger} {getattr(settings, larger)}, "
            f"so the second never counts: {why}.",
            hint=f"Raise {smaller} or lower {larger}.",
            id="corral.W032",
        )
        for smaller, larger, why in (
            (
                "CORRAL_MAX_INFLIGHT",
                "CORRAL_MAX_RUNNING_PER_VISITOR",
                "more answers than open questions",
            ),
            (
                "CORRAL_MAX_INFLIGHT_PER_ADDRESS",
                "CORRAL_MAX_INFLIGHT",
                "a visitor meets the limit of the address first",
            ),
        )
        if getattr(settings, smaller) < getattr(settings, larger)
    ]


@register("corral")
def check_pace(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W033: answers are slowed down below the speed of reading."""
    pace = settings.CORRAL_MAX_TOK_S
    if pace == 0 or pace >= READING_TOK_S:
        return []
    return [
        Warning(
            f"CORRAL_MAX_TOK_S is {pace:g}: answers come slower than people read them.",
            hint=f"Set it to {READING_TOK_S:g} or more, or to 0 for no limit.",
            id="corral.W033",
        )
    ]


@register("corral")
def check_room(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W034: a line too short for one question; corral.W035: a system prompt that leaves
    little room; corral.W036: more threads than processors."""
    if conf.is_pool_external():
        return []  # its own process has its own limits
    try:
        plan = conf.pool_plan()
    except ValueError:
        return []  # corral.W001, E001 or E002 say it
    return list(_about_room(plan.config.n_ctx, plan.config.max_tokens))


def _about_room(n_ctx: int, max_tokens: int) -> Iterator[CheckMessage]:
    may_wait = settings.CORRAL_MAX_WAITING_TOKENS
    if 0 < may_wait < n_ctx:
        yield Warning(
            f"CORRAL_MAX_WAITING_TOKENS is {may_wait}, less than one conversation of {n_ctx} "
            "tokens: a long one can never wait and is always refused while all are busy.",
            hint=f"Set it to {n_ctx} or more, or to 0 to have it chosen.",
            id="corral.W034",
        )
    num_bytes = len(settings.CORRAL_SYSTEM_PROMPT.encode())
    room = n_ctx - max_tokens
    if num_bytes // BYTES_PER_TOKEN > room // 2:
        yield Warning(
            f"CORRAL_SYSTEM_PROMPT takes about {num_bytes // BYTES_PER_TOKEN} of the {room} tokens "
            "that a prompt may have, so little remains for question and history.",
            hint="Shorten it, or raise CORRAL_N_CTX.",
            id="corral.W035",
        )
    num_cpus = num_usable_cpus()
    if num_cpus < settings.CORRAL_THREADS:
        yield Warning(
            f"CORRAL_THREADS is {settings.CORRAL_THREADS} and {num_cpus} may run at once, so they "
            "wait for each other.",
            hint=f"Set CORRAL_THREADS={num_cpus}, or 0 to have it chosen.",
            id="corral.W036",
        )
