"""The secret key, DEBUG, and who may read them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from apps.ai_pool.doctor.finding import Finding, Level, good

MIN_KEY_CHARS = 50
MIN_DIFFERENT_CHARS = 5
MAKE_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(50))"'


def check_secret(key: str) -> list[Finding]:
    """Whether the key can be guessed."""
    is_weak = (
        len(key) < MIN_KEY_CHARS
        or len(set(key)) < MIN_DIFFERENT_CHARS
        or key.startswith("django-insecure-")
    )
    if is_weak:
        return [
            Finding(
                "secret-weak",
                Level.ERROR,
                "SECRET_KEY can be guessed, and with it anybody can be any visitor.",
                f"Put a new one into .env, made with {MAKE_KEY}, and move the old one to "
                "SECRET_KEY_FALLBACKS for a while.",
            )
        ]
    return [good("secret", "SECRET_KEY is long enough.")]


def check_debug(*, is_debug: bool, is_production: bool, is_public: bool) -> list[Finding]:
    """``is_public``: the doctor was given an address that is not this machine's own."""
    if is_debug and (is_production or is_public):
        return [
            Finding(
                "debug-on",
                Level.ERROR,
                "DEBUG is on: error pages show source text and settings to everybody.",
                "Set DEBUG=false in .env and restart the server.",
            )
        ]
    if is_public and not is_production:
        return [
            Finding(
                "not-production",
                Level.ERROR,
                "The site is public and DJANGO_ENV is development: cookies are not secured and "
                "nobody is sent to HTTPS.",
                "Set DJANGO_ENV=production and a SECRET_KEY in .env and restart the server.",
            )
        ]
    return [good("debug", f"DEBUG is {'on, for development' if is_debug else 'off'}.")]


def check_private(paths: Iterable[Path]) -> list[Finding]:
    """Files with secrets that everybody on the machine may read."""
    open_paths = []
    for path in paths:
        try:
            is_reached = all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
            if is_reached and path.stat().st_mode & 0o007:
                open_paths.append(path)
        except OSError:
            continue  # not there, or nothing this user may see
    return [
        Finding(
            "secrets-readable",
            Level.WARNING,
            f"Every user of this machine may read {path}.",
            f"chmod o= {path}",
        )
        for path in open_paths
    ] or [good("secrets", "Files with secrets are private.")]
