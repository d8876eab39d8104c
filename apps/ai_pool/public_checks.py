"""System checks of what a public site must not get wrong: names, origins, HTTPS, keys, log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from apps.ai_pool.doctor.hosts import LOCAL, is_malformed_origin
from apps.ai_pool.load_test.key import MIN_CHARS

MAX_NAME_CHARS = 80


@register("corral")
def check_host_names(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E050: an entry that no browser asks for; corral.W051: only this machine's names."""
    hosts = settings.ALLOWED_HOSTS
    found: list[CheckMessage] = [
        Error(
            f"ALLOWED_HOSTS contains {host!r}, which is no host name.",
            hint="Write names alone, without scheme, port and path: www.example.org",
            id="corral.E050",
        )
        for host in hosts
        if not _is_host_name(host)
    ]
    if settings.IS_PRODUCTION and set(hosts) <= LOCAL:
        found.append(
            Warning(
                "ALLOWED_HOSTS has no name but this machine's own, so visitors are refused.",
                hint="Set ALLOWED_HOSTS to the names of your site.",
                id="corral.W051",
            )
        )
    return found


def _is_host_name(host: str) -> bool:
    if host.startswith("[") and host.endswith("]"):
        return True
    return not set(host) & set("/:@?# ")


@register("corral")
def check_trusted_origins(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E052: an origin that no browser ever sends. Django says when the scheme is missing."""
    return [
        Error(
            f"CSRF_TRUSTED_ORIGINS contains {origin!r}, which no browser ever sends as an origin.",
            hint="Write scheme and host without a path: https://www.example.org",
            id="corral.E052",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if "://" in origin and is_malformed_origin(origin)
    ]


@register("corral")
def check_protection(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.E053: DEBUG in production; corral.W054: everybody is sent to HTTPS for ever;
    corral.W055: a log that tells too much."""
    if not settings.IS_PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(
            Error(
                "DEBUG is on in production: error pages show source text and settings.",
                hint="Set DEBUG=false.",
                id="corral.E053",
            )
        )
    if settings.SECURE_SSL_REDIRECT and not settings.REST_FRAMEWORK.get("NUM_PROXIES"):
        found.append(
            Warning(
                "NUM_PROXIES is 0, so the word of a proxy about HTTPS does not count: whoever "
                "comes through one is sent to HTTPS again and again.",
                hint="Set NUM_PROXIES=1 behind a proxy such as nginx; for a test without TLS set "
                "SECURE_SSL_REDIRECT=false.",
                id="corral.W054",
            )
        )
    if settings.LOGGING.get("root", {}).get("level") == "DEBUG":
        found.append(
            Warning(
                "LOG_LEVEL is DEBUG in production: packages then write down what they handle.",
                hint="Set LOG_LEVEL=INFO.",
                id="corral.W055",
            )
        )
    return found


@register("corral")
def check_load_test_key(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W056: a key that is too short, and therefore none."""
    key = settings.CORRAL_LOAD_TEST_KEY
    if not key or len(key) >= MIN_CHARS:
        return []
    return [
        Warning(
            f"CORRAL_LOAD_TEST_KEY has {len(key)} characters and is not obeyed: it can be guessed.",
            hint=f"Use at least {MIN_CHARS} random characters, or leave it empty.",
            id="corral.W056",
        )
    ]


@register("corral")
def check_names(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """corral.W057: a name that cannot be shown."""
    return [
        Warning(
            f"{name} is longer than {MAX_NAME_CHARS} characters or holds some that do not show.",
            hint="Write a short name on one line.",
            id="corral.W057",
        )
        for name in ("CORRAL_ASSISTANT_NAME", "CORRAL_SITE_NAME")
        if len(value := getattr(settings, name)) > MAX_NAME_CHARS or not value.isprintable()
    ]
