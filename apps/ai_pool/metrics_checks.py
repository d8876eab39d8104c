"""System checks of who may read the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.ai_pool.limits.networks import network_of, networks_of
from apps.ai_pool.metrics_access import NOBODY

MIN_TOKEN_CHARS = 20


@register("corral")
def check_metrics_allow(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E020: an entry that is no address; corral.W021: everybody may read."""
    entries = settings.CORRAL_METRICS_ALLOW
    found: list[CheckMessage] = [
        Error(
            f"CORRAL_METRICS_ALLOW names {entry!r}, which is no address or network.",
            hint=f"Write addresses such as 10.0.0.7 or 10.0.0.0/24, or {NOBODY}.",
            id="corral.E020",
        )
        for entry in entries
        if entry != NOBODY and network_of(entry) is None
    ]
    if any(network.prefixlen == 0 for network in networks_of(entries)):
        found.append(
            Warning(
                "CORRAL_METRICS_ALLOW lets everybody read the metrics.",
                hint="Name the address of your Prometheus, or set CORRAL_METRICS_TOKEN.",
                id="corral.W021",
            )
        )
    return found


@register("corral")
def check_metrics_token(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W020: a token that can be guessed."""
    token = settings.CORRAL_METRICS_TOKEN
    if not token or len(token) >= MIN_TOKEN_CHARS:
        return []
    return [
        Warning(
            f"CORRAL_METRICS_TOKEN has only {len(token)} characters and can be guessed.",
            hint='python3 -c "import secrets; print(secrets.token_urlsafe(32))" makes a good one.',
            id="corral.W020",
        )
    ]
