"""Django's Redis cache, with connections that all threads of the process share.

Django gives every thread a cache of its own, and every request may run in a new thread: each would
connect for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient

_lock = threading.Lock()
_pools: dict[tuple[str, str], Any] = {}
"""Pools of connections by address and options; they are safe for threads and across forks."""


class _SharedClient(RedisCacheClient):
    def _get_connection_pool(self, write: bool) -> Any:
        server = self._servers[self._get_connection_pool_index(write)]
        key = (server, repr(sorted(self._pool_options.items(), key=lambda item: item[0])))
        with _lock:
            pool = _pools.get(key)
            if pool is None:
                pool = _pools[key] = self._pool_class.from_url(server, **self._pool_options)
            return pool


class SharedRedisCache(RedisCache):
    """What CORRAL_CACHE_URL makes the default cache."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _SharedClient

    def run_script(self, script: str, keys: Sequence[str], given: Sequence[int]) -> Any:
        """Run a script of Redis, which is one step for everybody else; returns its answer."""
        own = [self.make_and_validate_key(key) for key in keys]
        return self._cache.get_client(write=True).eval(script, len(own), *own, *given)
