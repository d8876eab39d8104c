"""Where counts that several processes share are kept: in this process, or in a Redis."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from backend.setting import WRONG_VALUE_ID

SCHEMES = ("redis", "rediss", "unix")
MAX_ENTRIES = 50_000
"""In this process; the longest unused third is forgotten beyond so many: some 20 MB."""
TIMEOUT_S = 1.0
"""For an answer of Redis: it takes well under a millisecond when it is well."""
_EXAMPLES = "redis://127.0.0.1:6379/0 or unix:///run/redis/redis.sock"


def cache(url: str) -> dict[str, Any]:
    """Return Django's settings of the cache. Raises ImproperlyConfigured, never with the address
    itself in it, which may hold a password."""
    if not url:
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "corral",
            "OPTIONS": {"MAX_ENTRIES": MAX_ENTRIES},
        }
    if not _is_address(url):
        raise ImproperlyConfigured(
            f"CORRAL_CACHE_URL is not the address of a Redis; write it like {_EXAMPLES} "
            f"({WRONG_VALUE_ID})"
        )
    if find_spec("redis") is None:
        raise ImproperlyConfigured(
            "CORRAL_CACHE_URL names a Redis, and its driver is not installed; run `pip install "
            f"redis` in the server's environment ({WRONG_VALUE_ID})"
        )
    return {
        "BACKEND": "backend.redis_cache.SharedRedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "corral",
        "OPTIONS": {
            # Django's own serialiser pickles, and whoever can write to Redis could run code here.
            "serializer": "backend.json_values.JsonValues",
            "socket_timeout": TIMEOUT_S,
            "socket_connect_timeout": TIMEOUT_S,
        },
    }


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return url.startswith(tuple(f"{scheme}://" for scheme in SCHEMES)) and bool(
            parts.path.strip("/")
            if parts.scheme == "unix"
            # Reading the port is what finds out that it is none.
            else parts.hostname and parts.port != 0
        )
    except ValueError:
        return False
