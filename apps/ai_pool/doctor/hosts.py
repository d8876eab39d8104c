"""Names and origins under which the site may be used."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.http.request import validate_host

from apps.ai_pool.doctor.finding import Finding, Level, good

LOCAL = {"localhost", "127.0.0.1", "[::1]", "::1"}


def check_hosts(
    allowed: Sequence[str], trusted: Sequence[str], *, is_production: bool, url: str = ""
) -> list[Finding]:
    """``allowed``: ALLOWED_HOSTS; ``trusted``: CSRF_TRUSTED_ORIGINS."""
    return [
        _allowed(allowed, is_production, url),
        *(_malformed(one) for one in trusted if is_malformed_origin(one)),
    ]


def _allowed(allowed: Sequence[str], is_production: bool, url: str) -> Finding:
    host = urlsplit(url).hostname or ""
    if "*" in allowed:
        return Finding(
            "hosts-any",
            Level.ERROR if is_production else Level.WARNING,
            "ALLOWED_HOSTS contains *, so pages of any other site may open the chat.",
            f"Set ALLOWED_HOSTS={host or 'www.example.org'} (your own names) in .env.",
        )
    if host and not validate_host(f"[{host}]" if ":" in host else host, list(allowed)):
        return Finding(
            "hosts-missing",
            Level.ERROR,
            f"{host} is not in ALLOWED_HOSTS, so the site refuses everybody who comes by it.",
            f"Set ALLOWED_HOSTS={','.join([*allowed, host])} in .env and restart the server.",
        )
    if is_production and set(allowed) <= LOCAL:
        return Finding(
            "hosts-local-only",
            Level.ERROR,
            "ALLOWED_HOSTS has no name but this machine's own, so visitors are refused.",
            "Set ALLOWED_HOSTS=www.example.org (the names of your site) in .env.",
        )
    return good("hosts", f"The site answers to {', '.join(allowed)}.")


def is_malformed_origin(origin: str) -> bool:
    """Whether no browser ever sends this as an origin."""
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return True
    is_bare = parts.path == "" and not parts.query and not parts.fragment
    return parts.scheme not in ("http", "https") or not parts.hostname or not is_bare


def _malformed(origin: str) -> Finding:
    return Finding(
        "origin-malformed",
        Level.ERROR,
        f"CSRF_TRUSTED_ORIGINS contains {origin!r}, which no browser ever sends as an origin.",
        "Write scheme and host without a path: CSRF_TRUSTED_ORIGINS=https://www.example.org",
    )
