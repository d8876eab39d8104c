"""What Django itself asks for."""

from __future__ import annotations

from backend.setting import Setting, number

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="DJANGO_ENV",
        type=str,
        default="development",
        choices=("development", "production"),
        help=(
            "production asks for a SECRET_KEY and switches on HTTPS, secure cookies and HSTS. "
            "Setting DEBUG=false without DJANGO_ENV means production."
        ),
    ),
    Setting(
        name="DEBUG",
        type=bool,
        default=False,
        help="Django's error pages with source text. For development only.",
    ),
    Setting(
        name="SECRET_KEY",
        type=str,
        default="",
        help="At least 50 random characters. In development one is made in the var directory.",
        is_secret=True,
    ),
    Setting(
        name="SECRET_KEY_FALLBACKS",
        type=list,
        default=(),
        help="Earlier keys that stay valid while you change SECRET_KEY, separated by commas.",
        is_secret=True,
    ),
    Setting(
        name="ALLOWED_HOSTS",
        type=list,
        default=("localhost", "127.0.0.1", "[::1]"),
        help="Host names of the site, separated by commas. Chat sockets obey it too.",
    ),
    Setting(
        name="CSRF_TRUSTED_ORIGINS",
        type=list,
        default=(),
        help="Further origins that may use the chat, with scheme (https://www.example.org).",
    ),
    Setting(
        name="DATABASE_URL",
        type=str,
        default="",
        help="postgres://user:password@host/name; empty means SQLite in the var directory.",
        is_secret=True,
    ),
    Setting(
        name="SECURE_SSL_REDIRECT",
        type=bool,
        default=True,
        help="In production: send plain HTTP to HTTPS. Switch off only for a test without TLS.",
    ),
    number(
        "NUM_PROXIES",
        0,
        "Trusted reverse proxies in front of the server; decides which forwarded headers count.",
        least=0,
        most=10,
    ),
    Setting(
        name="LOG_LEVEL",
        type=str,
        default="INFO",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        help="How much the server writes.",
    ),
)
