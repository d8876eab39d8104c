"""System checks of the shared cache and of limits that no question can keep to."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django import Settings

from apps.ai_pool.cache_checks import TOKEN_LIMITS, check_cache, check_token_limits
from backend.cache import cache
from tests.redis_server import redis_server


def test_counting_in_this_process_is_fine() -> None:
    assert check_cache(None) == [] and check_token_limits(None) == []


def test_a_redis_that_does_not_answer(tmp_path: Path) -> None:
    url = f"unix://secret-password@{tmp_path}/redis.sock"
    with override_settings(CACHES={"default": cache(url)}):
        (found,) = check_cache(None)
    assert found.id == "corral.W062" and "Start it" in (found.hint or "")
    assert "secret" not in str(found)


def test_a_redis_that_answers() -> None:
    with redis_server() as server, override_settings(CACHES={"default": cache(server.url)}):
        assert check_cache(None) == []
        server.stop()
        assert [found.id for found in check_cache(None)] == ["corral.W062"]


@pytest.mark.parametrize("name", TOKEN_LIMITS)
def test_a_limit_that_no_answer_fits_in(settings: Settings, name: str) -> None:
    setattr(settings, name, 511)
    (found,) = check_token_limits(None)
    assert found.id == "corral.E037" and name in found.msg and "512" in (found.hint or "")
    settings.CORRAL_MAX_TOKENS = 100
    assert check_token_limits(None) == []
